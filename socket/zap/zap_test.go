package zap_test

import (
	"context"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/zap"
	"github.com/ringwire/ringwire/transport"
	"github.com/ringwire/ringwire/transport/inproc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// handler answers one request with what answer makes of it.
func handler(t *testing.T, network *inproc.Network, answer func(request [][]byte) [][]byte) {
	t.Helper()
	s, err := socket.New(pattern.Rep, &socket.Options{Transports: []transport.Transport{network}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Bind(zap.Endpoint); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		m, err := s.Recv(context.Background())
		if err != nil {
			return
		}
		frames := make([][]byte, m.Len())
		for i := range frames {
			frames[i] = m.Frame(i)
		}
		if reply := answer(frames); reply != nil {
			s.Send(context.Background(), reply...)
		}
	}()
	t.Cleanup(func() { s.Close(); <-done })
}

// TestSEC13ZAP: everything but a well-formed 200 denies.
func TestSEC13ZAP(t *testing.T) {
	whole := func(status string) func([][]byte) [][]byte {
		return func(r [][]byte) [][]byte {
			return [][]byte{r[0], r[1], []byte(status), []byte("text"), []byte("alice"), nil}
		}
	}
	for name, answer := range map[string]func([][]byte) [][]byte{
		"200": whole("200"), "300": whole("300"), "400": whole("400"), "500": whole("500"),
		"empty status": whole(""), "2000": whole("2000"), "garbage": whole("\xff\x00"),
		"wrong version":   func(r [][]byte) [][]byte { a := whole("200")(r); a[0] = []byte("1.1"); return a },
		"wrong request":   func(r [][]byte) [][]byte { a := whole("200")(r); a[1] = []byte("0"); return a },
		"another request": func(r [][]byte) [][]byte { a := whole("200")(r); a[1] = append([]byte("0"), r[1]...); return a },
		"no version":      func(r [][]byte) [][]byte { a := whole("200")(r); a[0] = nil; return a },
		"no request":      func(r [][]byte) [][]byte { a := whole("200")(r); a[1] = nil; return a },
		"status first":    func(r [][]byte) [][]byte { a := whole("200")(r); a[0], a[2] = a[2], a[0]; return a },
		"a space":         whole("200 "),
		"more digits":     whole("0200"),
		"one frame":       func([][]byte) [][]byte { return [][]byte{[]byte("200")} },
		"an empty frame":  func([][]byte) [][]byte { return [][]byte{nil} },
		"900 frames":      func(r [][]byte) [][]byte { return append(whole("200")(r), make([][]byte, 900)...) },
		"too few frames":  func(r [][]byte) [][]byte { return whole("200")(r)[:5] },
		"too many frames": func(r [][]byte) [][]byte { return append(whole("200")(r), nil) },
		"no answer":       func([][]byte) [][]byte { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			network := new(inproc.Network)
			handler(t, network, answer)
			auth, err := zap.Authenticator("global", network)
			if err != nil {
				t.Fatal(err)
			}
			limit := time.Minute
			if name == "no answer" {
				limit = 50 * time.Millisecond
			}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			v, err := auth(ctx, ringwire.Credentials{Mechanism: "PLAIN", Address: "127.0.0.1:99", Username: "u", Password: "p"})
			if want := name == "200"; v.Allow != want || (err == nil) != want {
				t.Errorf("got %+v, %v, want allowed %v", v, err, want)
			}
			if name == "200" && v.Principal != "alice" {
				t.Errorf("principal %q, want alice", v.Principal)
			}
		})
	}
	t.Run("no handler", func(t *testing.T) {
		auth, _ := zap.Authenticator("global", new(inproc.Network))
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if v, err := auth(ctx, ringwire.Credentials{Mechanism: "NULL"}); v.Allow || err == nil {
			t.Errorf("got %+v, %v, want no", v, err)
		}
	})
	if _, err := zap.Authenticator(""); err == nil {
		t.Error("an empty domain: got nil, want an error")
	}
}

// TestRequest: RFC 27's frames, for each mechanism.
func TestRequest(t *testing.T) {
	for mechanism, want := range map[string][]string{
		"NULL":  {},
		"PLAIN": {"u", "p"},
		"CURVE": {"0123456789abcdef0123456789abcdef"},
	} {
		network := new(inproc.Network)
		got := make(chan [][]byte, 1)
		handler(t, network, func(r [][]byte) [][]byte {
			got <- r
			return [][]byte{r[0], r[1], []byte("200"), nil, nil, nil}
		})
		auth, err := zap.Authenticator("global", network)
		if err != nil {
			t.Fatal(err)
		}
		c := ringwire.Credentials{Mechanism: mechanism, Address: "192.0.2.7:99", Username: "u", Password: "p", PublicKey: []byte("0123456789abcdef0123456789abcdef")}
		if v, err := auth(t.Context(), c); err != nil || !v.Allow {
			t.Fatalf("%s: %+v, %v", mechanism, v, err)
		}
		r := <-got
		frames := append([]string{"1.0", string(r[1]), "global", "192.0.2.7", "", mechanism}, want...)
		if len(r) != len(frames) {
			t.Fatalf("%s: %q, want %q", mechanism, r, frames)
		}
		for i, f := range frames {
			if string(r[i]) != f {
				t.Errorf("%s: frame %d is %q, want %q", mechanism, i, r[i], f)
			}
		}
	}
}
