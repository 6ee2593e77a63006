package curve_test

import (
	"bytes"
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
)

func secret(t testing.TB) *curve.SecretKey {
	t.Helper()
	k, err := curve.NewSecretKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func open(t testing.TB, spec *pattern.Spec, o socket.Options) *socket.Socket {
	t.Helper()
	s, err := socket.New(spec, &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func must(t testing.TB, m ringwire.Mechanism, err error) ringwire.Mechanism {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestSealedTraffic: messages of every shape, both ways, many at once.
func TestSealedTraffic(t *testing.T) {
	for _, endpoint := range []string{"tcp://127.0.0.1:0", "ipc://*"} {
		for _, spin := range []int{0, -1} {
			t.Run(fmt.Sprintf("%.3s,spin=%d", endpoint, spin), func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				server, client := secret(t), secret(t)
				sm, err := curve.Server(server)
				a := open(t, pattern.Dealer, socket.Options{Spin: spin, Mechanism: must(t, sm, err), Authenticator: curve.AllowKeys(client.Public())})
				cm, err := curve.Client(client, server.Public())
				b := open(t, pattern.Dealer, socket.Options{Spin: spin, Mechanism: must(t, cm, err)})
				at, err := a.Bind(endpoint)
				if err != nil {
					t.Fatal(err)
				}
				if err := b.Connect(at); err != nil {
					t.Fatal(err)
				}
				if err := errors.Join(a.WaitPeers(ctx, 1), b.WaitPeers(ctx, 1)); err != nil {
					t.Fatal(err)
				}
				if p := a.Peers()[0]; p.Mechanism != "CURVE" || p.Principal != client.Public().String() {
					t.Errorf("peer of %s, principal %q, want CURVE and the client's key", p.Mechanism, p.Principal)
				}
				shapes := [][][]byte{{{}}, {{}, {}, {}}, {make([]byte, 1)}, {make([]byte, 255)}, {make([]byte, 256), []byte("x")},
					{make([]byte, 70_000)}, {make([]byte, 40_000), {}, make([]byte, 33_000)}, {make([]byte, 3<<20)}}
				const rounds = 60
				for _, dir := range [][2]*socket.Socket{{a, b}, {b, a}} {
					done := make(chan error, 1)
					go func() {
						for r := range rounds {
							for i, shape := range shapes {
								frames := make([][]byte, len(shape))
								for k, f := range shape {
									frames[k] = bytes.Repeat([]byte{byte(r + i + k)}, len(f))
								}
								if r%20 != 0 && i == len(shapes)-1 {
									continue
								}
								if err := dir[0].Send(ctx, frames...); err != nil {
									done <- err
									return
								}
							}
						}
						done <- nil
					}()
					for r := range rounds {
						for i, shape := range shapes {
							if r%20 != 0 && i == len(shapes)-1 {
								continue
							}
							m, err := dir[1].Recv(ctx)
							if err != nil {
								t.Fatal(err)
							}
							if m.Len() != len(shape) {
								t.Fatalf("got %d frames, want %d", m.Len(), len(shape))
							}
							for k, f := range shape {
								if !bytes.Equal(m.Frame(k), bytes.Repeat([]byte{byte(r + i + k)}, len(f))) {
									t.Fatalf("round %d, message %d, frame %d differs", r, i, k)
								}
							}
							m.Release()
						}
					}
					if err := <-done; err != nil {
						t.Fatal(err)
					}
				}
				if err := b.Confirm(ctx); err != nil { // PING and PONG are sealed, too
					t.Error(err)
				}
				st := a.Stats()
				if st.Accepted != st.Written+st.SendQueued || st.Arrived != st.Returned {
					t.Errorf("accounting: %+v", st.Counters)
				}
			})
		}
	}
}

// TestRefused: each wrong step is refused, and said to both sides.
func TestRefused(t *testing.T) {
	server, client, other := secret(t), secret(t), secret(t)
	sm, err := curve.Server(server)
	must(t, sm, err)
	mechanism := func(key *curve.SecretKey, to curve.PublicKey) ringwire.Mechanism {
		m, err := curve.Client(key, to)
		return must(t, m, err)
	}
	for name, o := range map[string]socket.Options{
		"a key that is not allowed": {Mechanism: mechanism(other, server.Public())},
		"another server's key":      {Mechanism: mechanism(client, other.Public())},
		"no mechanism":              {},
	} {
		t.Run(name, func(t *testing.T) {
			a := open(t, pattern.Pull, socket.Options{Mechanism: sm, Authenticator: curve.AllowKeys(client.Public())})
			at, err := a.Bind("tcp://127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			b := open(t, pattern.Push, o)
			if err := b.Connect(at); err != nil {
				t.Fatal(err)
			}
			if err := b.WaitPeers(ctx, 1); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("WaitPeers = %v, want its deadline", err)
			}
			if st := a.Stats(); st.Peers != 0 || st.HandshakesFailed == 0 {
				t.Errorf("got %d peers, %d failed handshakes, want 0 and some", st.Peers, st.HandshakesFailed)
			}
		})
	}
	if _, err := socket.New(pattern.Pull, &socket.Options{Mechanism: sm}); err == nil {
		t.Error("a server without an Authenticator: got nil, want an error")
	}
}

// TestMechanismMissing: an Authenticator for keys on a socket without a Mechanism says
// what is missing, in the event of each peer that it keeps out.
func TestMechanismMissing(t *testing.T) {
	for name, judge := range map[string]socket.Authenticator{"AllowAny": curve.AllowAny, "AllowKeys": curve.AllowKeys(secret(t).Public())} {
		t.Run(name, func(t *testing.T) {
			a, b := open(t, pattern.Pull, socket.Options{Authenticator: judge}), open(t, pattern.Push, socket.Options{ReconnectMin: -1})
			events := a.Events(t.Context())
			at, err := a.Bind("tcp://127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			if err := b.Connect(at); err != nil {
				t.Fatal(err)
			}
			for ev := range events {
				if ev.Kind == socket.Ready {
					t.Fatalf("got %+v, want nobody let in", ev)
				}
				if ev.Kind != socket.Rejected && ev.Kind != socket.HandshakeFailed {
					continue
				}
				if want := "Options.Mechanism is missing"; !strings.Contains(ev.Err.Error(), want) {
					t.Errorf("got %v, want it to say %s", ev.Err, want)
				}
				return
			}
		})
	}
}
