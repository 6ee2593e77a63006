package interop_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/curve"
	"github.com/ringwire/ringwire/socket/plain"
	"github.com/ringwire/ringwire/socket/zap"
	"github.com/ringwire/ringwire/transport"
	"github.com/ringwire/ringwire/transport/inproc"
)

// zapHandler is a ZAP handler of ours: it answers with the statuses it was given,
// the last of them for ever. What it returns has the credentials of each request.
func zapHandler(t *testing.T, network *inproc.Network, statuses ...string) (credentials chan string) {
	t.Helper()
	s := newSocket(t, pattern.Rep, &socket.Options{Transports: []transport.Transport{network}})
	mustBind(t, s, zap.Endpoint)
	credentials = make(chan string, 1000)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for m, err := range s.Messages(context.Background()) {
			if err != nil {
				return
			}
			credentials <- string(m.Frame(5)) + " " + string(m.Frame(6))
			s.Send(context.Background(), m.Frame(0), m.Frame(1), []byte(statuses[0]), []byte("as told"), []byte("somebody"), nil)
			m.Release()
			if len(statuses) > 1 {
				statuses = statuses[1:]
			}
		}
	}()
	t.Cleanup(func() { s.Close(); <-done })
	return credentials
}

// zapWays are our servers that ask a ZAP handler, and libzmq's clients.
func zapWays(t *testing.T, network *inproc.Network) map[string]*way {
	s := secrets(t)
	ask, err := zap.Authenticator("interop", network)
	if err != nil {
		t.Fatal(err)
	}
	server, err := curve.Server(s.server)
	if err != nil {
		t.Fatal(err)
	}
	key := s.client.Public()
	return map[string]*way{
		"CURVE " + string(key[:]): {"CURVE", "CURVE", func(o *socket.Options) { o.Mechanism, o.Authenticator = server, ask },
			s.curveClient(s.server.Public(), s.client), "somebody", ""},
		"PLAIN " + friendName: {"PLAIN", "PLAIN", func(o *socket.Options) { o.Mechanism, o.Authenticator = plain.Server(), ask },
			plainClient(friendName, friendPassword), "somebody", ""},
	}
}

// TestZAP: libzmq's clients at our servers, which ask a ZAP handler. One that says
// 300, "try again", is asked again: libzmq comes back, as it would not after an
// ERROR command.
func TestZAP(t *testing.T) {
	py := startPython(t)
	for name, statuses := range map[string][]string{"200": {"200"}, "300": {"300", "300", "200"}} {
		network := new(inproc.Network)
		asked := zapHandler(t, network, statuses...)
		for credentials, w := range zapWays(t, network) {
			if name == "300" {
				// Each client uses the statuses up.
				network = new(inproc.Network)
				asked = zapHandler(t, network, statuses...)
				w = zapWays(t, network)[credentials]
			}
			t.Run(name+"/"+w.name, func(t *testing.T) {
				them := (&python{py.process, t}).open(t.Name(), "DEALER", w.settings(settings{"RECONNECT_IVL": 10}))
				defer them.close()
				us := newSocket(t, pattern.Dealer, w.options(socket.Options{}))
				seen := watch(t, us)
				them.connect(mustBind(t, us, anywhere(t, "tcp")))
				for _, status := range statuses {
					if status == "300" {
						seen.await(socket.Rejected)
					}
					if got := <-asked; got != credentials {
						t.Errorf("the handler was asked about %q, want %q", got, credentials)
					}
				}
				waitPeers(t, us, 1)
				w.check(t, us)
				traffic(t, us, them, 100)
			})
		}
	}
}

// TestZAPRefuses: a handler of ours that says no, or that is not there, keeps
// libzmq's clients out. They stay away only from one that says no.
func TestZAPRefuses(t *testing.T) {
	py := startPython(t)
	for _, row := range []struct {
		status       string
		curve, plain string // what libzmq's monitor says
	}{
		{"400", "AUTH 400", "PROTOCOL 0x10000001"}, // see refusals
		{"500", "NO_DETAIL", "NO_DETAIL"},
		{"no handler", "NO_DETAIL", "NO_DETAIL"},
		{"no status", "NO_DETAIL", "NO_DETAIL"},
	} {
		network := new(inproc.Network)
		if row.status != "no handler" {
			zapHandler(t, network, row.status)
		}
		for _, w := range zapWays(t, network) {
			t.Run(row.status+"/"+w.name, func(t *testing.T) {
				them := (&python{py.process, t}).open(t.Name(), "DEALER", w.settings(settings{"RECONNECT_IVL": 10, "monitor": true}))
				defer them.close()
				us := newSocket(t, pattern.Dealer, w.options(socket.Options{HandshakeTimeout: time.Second}))
				seen := watch(t, us)
				them.connect(mustBind(t, us, anywhere(t, "tcp")))
				if e := seen.await(socket.Rejected, socket.Ready); e.Kind == socket.Ready {
					t.Fatalf("got event %v, want %v", e, socket.Rejected)
				}
				want := row.curve
				if w.name == "PLAIN" {
					want = row.plain
				}
				if got := them.refusal(); got != want {
					t.Errorf("libzmq's monitor: got %s, want %s", got, want)
				}
				const again = "CONNECT_RETRIED"
				patience, stays := limit(), row.status == "400"
				if stays {
					patience = 200 * time.Millisecond
				}
				if got := them.events(patience, again); slices.Contains(got, again) == stays {
					t.Errorf("libzmq's monitor: got %v, want %s among them: %v", got, again, !stays)
				}
			})
		}
	}
}
