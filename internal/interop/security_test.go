package interop_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/curve"
	"github.com/ringwire/ringwire/socket/plain"
)

// secured is a way in which we and libzmq secure a connection.
type secured struct {
	name string
	ours func(t *testing.T, o *socket.Options)
	set  settings
}

func key(t *testing.T) *curve.SecretKey {
	t.Helper()
	k, err := curve.NewSecretKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// mechanisms returns CURVE with either side as the server, and PLAIN with us as the
// server: libzmq's wants a ZAP handler.
func mechanisms(t *testing.T) []secured {
	server, client := key(t), key(t)
	return []secured{
		{"CURVE server", func(t *testing.T, o *socket.Options) {
			m, err := curve.Server(key(t), server)
			if err != nil {
				t.Fatal(err)
			}
			o.Mechanism, o.Authenticator = m, curve.AllowKeys(client.Public())
		}, settings{"CURVE_SERVERKEY": server.Public().String(), "CURVE_PUBLICKEY": client.Public().String(), "CURVE_SECRETKEY": client.Text()}},
		{"CURVE client", func(t *testing.T, o *socket.Options) {
			m, err := curve.Client(client, server.Public())
			if err != nil {
				t.Fatal(err)
			}
			o.Mechanism = m
		}, settings{"CURVE_SERVER": 1, "CURVE_SECRETKEY": server.Text()}},
		{"PLAIN server", func(_ *testing.T, o *socket.Options) {
			o.Mechanism = plain.Server()
			o.Authenticator = func(_ context.Context, c ringwire.Credentials) (ringwire.Verdict, error) {
				return ringwire.Verdict{Allow: c.Username == "user" && c.Password == "secret", Principal: c.Username}, nil
			}
		}, settings{"PLAIN_USERNAME": "user", "PLAIN_PASSWORD": "secret"}},
	}
}

// TestSecuredTraffic: each mechanism with libzmq, bound and connected, over tcp and
// ipc: messages both ways, subscriptions, heartbeats, receipts.
func TestSecuredTraffic(t *testing.T) {
	for _, m := range mechanisms(t) {
		for _, transport := range []string{"tcp", "ipc"} {
			for _, side := range sides {
				t.Run(fmt.Sprintf("%s/%s/%s", m.name, transport, side), func(t *testing.T) {
					t.Parallel()
					py := startPython(t)
					join := func(us *socket.Socket, them *pySocket) {
						t.Helper()
						if side == "bind" {
							them.connect(mustBind(t, us, anywhere(t, transport)))
						} else {
							mustConnect(t, us, them.bind(anywhere(t, transport)))
						}
						waitPeers(t, us, 1)
					}
					options := func() *socket.Options {
						o := &socket.Options{HeartbeatInterval: 50 * time.Millisecond, HeartbeatTimeout: 20 * time.Second}
						m.ours(t, o)
						return o
					}
					us, them := newSocket(t, pattern.Dealer, options()), py.open("dealer", "DEALER", m.set)
					join(us, them)
					for _, size := range []int{0, 1, 255, 256, 8192, 70_000, 1 << 20} {
						body := strings.Repeat("x", size)
						send(t, us, body, "end")
						want(t, them.recv(), body, "end")
						them.send(body, "end")
						want(t, recv(t, us), body, "end")
					}
					ctx, cancel := context.WithTimeout(t.Context(), limit())
					defer cancel()
					if err := us.Confirm(ctx); err != nil {
						t.Errorf("Confirm: %v", err)
					}
					pub, sub := newSocket(t, pattern.Pub, options()), py.open("sub", "SUB", merge(m.set, settings{"SUBSCRIBE": "news"}))
					join(pub, sub)
					if err := pub.WaitSubscribers(ctx, "news", 1); err != nil {
						t.Fatal(err)
					}
					send(t, pub, "other")
					send(t, pub, "news", "of today")
					want(t, sub.recv(), "news", "of today")
				})
			}
		}
	}
}

func merge(a, b settings) settings {
	c := settings{}
	for _, m := range []settings{a, b} {
		for k, v := range m {
			c[k] = v
		}
	}
	return c
}

// TestSecuredRefused: libzmq clients with a wrong key, a wrong password or no
// mechanism are refused, and libzmq servers refuse ours.
func TestSecuredRefused(t *testing.T) {
	list := mechanisms(t)
	other := key(t)
	for name, c := range map[string]struct {
		ours secured
		set  settings
	}{
		"no mechanism":       {list[0], settings{}},
		"PLAIN for CURVE":    {list[0], list[2].set},
		"a key not allowed":  {list[0], merge(list[0].set, settings{"CURVE_PUBLICKEY": other.Public().String(), "CURVE_SECRETKEY": other.Text()})},
		"another server key": {list[0], merge(list[0].set, settings{"CURVE_SERVERKEY": other.Public().String()})},
		"a wrong password":   {list[2], merge(list[2].set, settings{"PLAIN_PASSWORD": "wrong"})},
		"their other key":    {list[1], settings{"CURVE_SERVER": 1, "CURVE_SECRETKEY": other.Text()}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			them := startPython(t).open("dealer", "DEALER", c.set)
			var o socket.Options
			c.ours.ours(t, &o)
			us := newSocket(t, pattern.Dealer, &o)
			them.connect(mustBind(t, us, anywhere(t, "tcp")))
			if name == "their other key" {
				mustConnect(t, us, them.bind(anywhere(t, "tcp")))
			}
			for ev := range us.Events(t.Context()) {
				if ev.Kind == socket.Ready {
					t.Fatal("they were let in")
				}
				if ev.Kind == socket.Rejected || ev.Kind == socket.HandshakeFailed {
					break
				}
			}
			soon, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer stop()
			if err := us.WaitPeers(soon, 1); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("WaitPeers = %v, want its deadline", err)
			}
		})
	}
}
