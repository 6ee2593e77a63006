package socket_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// TestSEC13Denied: whatever an Authenticator does but say yes, a peer stays out, under
// every mechanism, whichever side binds; the server goes on, and lets the peer in as soon
// as the answer is yes.
func TestSEC13Denied(t *testing.T) {
	answers := map[string]socket.Authenticator{
		"no": func(context.Context, ringwire.Credentials) (ringwire.Verdict, error) { return ringwire.Verdict{}, nil },
		"no, by name": func(context.Context, ringwire.Credentials) (ringwire.Verdict, error) {
			return ringwire.Verdict{Principal: "root"}, fmt.Errorf("go away: %w", ringwire.ErrRejected)
		},
		"yes and an error": func(context.Context, ringwire.Credentials) (ringwire.Verdict, error) {
			return ringwire.Verdict{Allow: true, Principal: "root"}, errors.New("out of order")
		},
		"panic": func(context.Context, ringwire.Credentials) (ringwire.Verdict, error) { panic("out of order") },
		"yes, too late": func(ctx context.Context, _ ringwire.Credentials) (ringwire.Verdict, error) {
			<-ctx.Done()
			return ringwire.Verdict{Allow: true}, nil
		},
	}
	all := hostileMechanisms(t)
	for _, mechanism := range []string{"NULL", "PLAIN", "CURVE"} {
		for name, answer := range answers {
			for _, serverBinds := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s/%s/server binds=%v", mechanism, name, serverBinds), func(t *testing.T) {
					t.Parallel()
					var server, client socket.Options
					if mechanism != "NULL" {
						server, client = *all[mechanism+" server"], *all[mechanism+" client"]
					}
					var asked atomic.Int64
					server.Authenticator = func(ctx context.Context, c ringwire.Credentials) (ringwire.Verdict, error) {
						if asked.Add(1) <= 2 {
							return answer(ctx, c)
						}
						return ringwire.Verdict{Allow: true, Principal: "alice"}, nil
					}
					server.ReconnectMin, client.ReconnectMin = 5*time.Millisecond, 5*time.Millisecond
					if name == "yes, too late" {
						server.HandshakeTimeout, client.HandshakeTimeout = 200*time.Millisecond, 200*time.Millisecond
					}
					a, b := hostileSocket(t, pattern.Pull, &server), hostileSocket(t, pattern.Push, &client)
					defer a.Close()
					defer b.Close()
					events := hostileWatch(a)
					binds, connects := a, b
					if !serverBinds {
						binds, connects = b, a
					}
					if err := connects.Connect("tcp://" + hostileBind(t, binds, "tcp://127.0.0.1:0")); err != nil {
						t.Fatal(err)
					}
					refused := func(e *socket.Event) bool { return hostileEnds(e.Kind) }
					hostileUntil(t, "two refusals", func() bool { return len(events.find(refused)) >= 2 })
					for _, ev := range events.find(refused)[:2] {
						if ev.Kind != socket.Rejected && ev.Kind != socket.HandshakeFailed || ev.Principal != "" {
							t.Errorf("got %+v, want a refusal of nobody in particular", ev)
						}
						if strings.Contains(ev.Err.Error(), "the password") {
							t.Errorf("the password is in the event: %v", ev.Err)
						}
					}
					ready := events.wait(t, "the connection after the yes", func(e *socket.Event) bool { return e.Kind == socket.Ready })
					if n := asked.Load(); n < 3 || ready.Principal != "alice" {
						t.Errorf("ready after %d questions as %q, want 3 or more, and alice", n, ready.Principal)
					}
				})
			}
		}
	}
}
