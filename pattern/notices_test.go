package pattern

import (
	"testing"

	"github.com/ringwire/ringwire/internal/msg"
	"github.com/ringwire/ringwire/internal/pipe"
)

// TestNotices: what an XPUB's application has not received and is undone is not
// told at all; but where the application applies subscriptions, the end of a
// connection has undone what it applied, and it hears of the topic again.
func TestNotices(t *testing.T) {
	g := pipe.NewGroup(true, -1)
	e := pipe.NewEnd(g, pipe.Config{}, nil, nil)
	for _, test := range []struct {
		manual bool
		puts   []bool
		want   string
	}{
		{false, []bool{true, false}, ""},
		{false, []bool{false, true}, ""},
		{false, []bool{true, true}, "\x01b"},
		{true, []bool{true, false}, ""},
		{true, []bool{false, true}, "\x01b"},
		{true, []bool{false, true, false}, ""},
		{true, []bool{false}, "\x00b"},
	} {
		n := notices{perPeer: test.manual, manual: test.manual}
		for _, subscribe := range test.puts {
			n.put(e, "b", subscribe)
		}
		got := ""
		for m := new(msg.Message); n.take(m); {
			got += string(m.Bytes())
		}
		if got != test.want || n.any() {
			t.Errorf("manual %v, %v: got %q, want %q", test.manual, test.puts, got, test.want)
		}
	}
}
