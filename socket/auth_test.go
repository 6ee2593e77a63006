package socket_test

import (
	"context"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/plain"
)

// TestAllowUIDs: over ipc the system says whose process the peer is; whoever is not on
// the list, or comes over tcp, is not let in and the event says why.
func TestAllowUIDs(t *testing.T) {
	me := uint32(os.Getuid())
	for _, test := range []struct {
		endpoint string
		uids     []uint32
		why      string
	}{
		{"ipc://*", []uint32{me + 1, me}, ""},
		{"ipc://*", []uint32{me + 1}, "belongs to user"},
		{"ipc://*", nil, "belongs to user"},
		{"tcp://127.0.0.1:0", []uint32{me}, "no process"},
	} {
		if runtime.GOOS != "linux" && test.why == "" {
			continue
		}
		pull := tokenOpen(t, pattern.Pull, socket.Options{Authenticator: socket.AllowUIDs(test.uids...)})
		next := confNew(t, "tcp").Events(pull)
		push := tokenOpen(t, pattern.Push, socket.Options{})
		tokenConnect(t, push, tokenBind(t, pull, test.endpoint))
		if test.why != "" {
			if ev := next(socket.Rejected); runtime.GOOS == "linux" && !strings.Contains(ev.Err.Error(), test.why) {
				t.Errorf("%s, %v: the event says %v, want something about %q", test.endpoint, test.uids, ev.Err, test.why)
			}
			continue
		}
		ctx, cancel := context.WithTimeout(t.Context(), confGuard)
		if err := push.Send(ctx, []byte("x")); err != nil {
			t.Fatal(err)
		}
		m, err := pull.Recv(ctx)
		if err != nil {
			t.Fatalf("%s, %v: %v", test.endpoint, test.uids, err)
		}
		if got := m.Peer().Principal(); !strings.HasPrefix(got, "uid ") {
			t.Errorf("the principal is %q", got)
		}
		cancel()
	}
}

// TestClientHasNoAuthenticator: nobody would ask it, so it is refused.
func TestClientHasNoAuthenticator(t *testing.T) {
	mechanism, err := plain.Client("ali", "open sesame")
	if err != nil {
		t.Fatal(err)
	}
	anybody := func(context.Context, ringwire.Credentials) (ringwire.Verdict, error) {
		return ringwire.Verdict{Allow: true}, nil
	}
	if _, err := socket.New(pattern.Push, &socket.Options{Mechanism: mechanism, Authenticator: anybody}); err == nil || !strings.Contains(err.Error(), "Authenticator") {
		t.Errorf("got %v, want an error that names Authenticator", err)
	}
}
