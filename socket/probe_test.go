package socket_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// TestProbeTakesNoMessage: a message that waits for a peer does not go to a probe.
func TestProbeTakesNoMessage(t *testing.T) {
	for _, row := range []struct{ bound, peer *pattern.Spec }{
		{pattern.Dealer, pattern.Dealer}, {pattern.Push, pattern.Pull}, {pattern.Pair, pattern.Pair}, {pattern.Req, pattern.Rep},
	} {
		for _, scheme := range []string{"tcp", "ipc"} {
			t.Run(row.bound.Name()+"/"+scheme, func(t *testing.T) {
				e := confNew(t, scheme)
				s, peer := e.New(row.bound, nil), e.New(row.peer, nil)
				at := e.Bind(s)
				next := e.Events(s)
				sent := make(chan error, 1)
				go func() { sent <- s.Send(e.ctx, []byte("waiting")) }()
				for range 5 {
					info, err := socket.Probe(e.ctx, at, nil)
					if err != nil || info.SocketType != row.bound.Name() {
						t.Fatalf("Probe = a %q, %v, want a %s", info.SocketType, err, row.bound)
					}
					// It sees to our connection in its own time.
					next(socket.Rejected, socket.HandshakeFailed, socket.Disconnected)
				}
				e.Connect(peer, at)
				e.Want(peer, "waiting")
				if err := <-sent; err != nil {
					t.Errorf("Send = %v, want nil", err)
				}
				if st := s.Stats(); st.Accepted != 1 || st.InDoubt != 0 || st.SendDropped.Total() != 0 {
					t.Errorf("got %+v, want 1 message, none in doubt or dropped", st.Counters)
				}
			})
		}
	}
}

// TestProbeOfTheReserved: a peer that speaks second is announced the types that
// cannot be sent a message, until it takes one.
func TestProbeOfTheReserved(t *testing.T) {
	for _, row := range []struct {
		kind    string
		takes   []string
		unknown bool
	}{
		{"PUB", []string{"SUB", "XSUB"}, false}, {"SUB", []string{"PUB", "XPUB"}, false},
		{"PULL", []string{"PUSH"}, false}, {"REP", []string{"REQ", "DEALER"}, false}, {"ROUTER", []string{"REQ", "DEALER", "ROUTER"}, false},
		{"DEALER", []string{"REP", "DEALER", "ROUTER"}, true}, {"PUSH", []string{"PULL"}, true},
		{"REQ", []string{"REP", "ROUTER"}, true}, {"PAIR", []string{"PAIR"}, true},
	} {
		t.Run(row.kind, func(t *testing.T) {
			l, at := confListen(t)
			e := confNew(t, "tcp")
			type answer struct {
				info socket.PeerInfo
				err  error
			}
			done := make(chan answer, 1)
			go func() {
				info, err := socket.Probe(e.ctx, at, nil)
				done <- answer{info, err}
			}()
			var announced []string
			for {
				raw := confAccept(t, l)
				raw.greet(1)
				kind := raw.properties()["Socket-Type"]
				announced = append(announced, kind)
				if slices.Contains(row.takes, kind) {
					raw.command("READY", string(confProperties("Socket-Type", row.kind)))
					break
				}
				raw.conn.Close()
				if len(announced) == 4 {
					break
				}
			}
			a := <-done
			if row.unknown {
				if a.err == nil || strings.Count(a.err.Error(), "announcing") != 4 {
					t.Errorf("announcing %q, got %v, want an error that names the four", announced, a.err)
				}
				return
			}
			if a.err != nil || a.info.SocketType != row.kind {
				t.Errorf("announcing %q, got a %q, %v, want a %s", announced, a.info.SocketType, a.err, row.kind)
			}
		})
	}
}
