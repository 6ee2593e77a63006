package zap

import (
	"bytes"
	"errors"
	"testing"

	"github.com/ringwire/ringwire"
)

// FuzzReply: a handler's reply lets a peer in only if it is RFC 27's 200 to the
// request, to the byte.
func FuzzReply(f *testing.F) {
	for _, seed := range []string{
		"1.0|7|200|OK|alice|", "1.0|7|400|no||", "1.0|7|300|||", "1.0|7|500|||", "1.0|7|2000|||", "1.0|7|20|||", "1.0|8|200|OK|alice|",
		"1.1|7|200|OK|alice|", "1.0|7|200|OK|alice", "1.0|7|200|OK|alice||", "", "|||||", "1.0|7|200 ||| |",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		frames := bytes.Split(text, []byte("|"))
		m := ringwire.NewMessage(frames...)
		defer m.Release()
		v, err := reply(m, "7")
		want := len(frames) == 6 && string(frames[0]) == "1.0" && string(frames[1]) == "7" && string(frames[2]) == "200"
		if v.Allow != want || (err == nil) != want {
			t.Fatalf("%q: got %+v, %v, want it allowed: %v", text, v, err, want)
		}
		if want && v.Principal != string(frames[4]) {
			t.Fatalf("%q: got principal %q", text, v.Principal)
		}
		told := len(frames) == 6 && string(frames[0]) == "1.0" && string(frames[1]) == "7" && string(frames[2]) == "400"
		if errors.Is(err, ringwire.ErrRejected) != told {
			t.Fatalf("%q: got %v, want the peer told: %v", text, err, told)
		}
	})
}
