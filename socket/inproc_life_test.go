package socket_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"sync"
	"testing"
	"time"
	"weak"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/transport"
	"github.com/ringwire/ringwire/transport/inproc"
)

// lifeGuard ends a test that hangs; nothing here takes a second.
const lifeGuard = 20 * time.Second

// life is a private inproc namespace and what is done in it.
type life struct {
	*testing.T
	network *inproc.Network
	ctx     context.Context
}

func newLife(t *testing.T) *life {
	ctx, cancel := context.WithTimeout(t.Context(), lifeGuard)
	t.Cleanup(cancel)
	return &life{t, new(inproc.Network), ctx}
}

func (l *life) socket(spec *pattern.Spec, opts socket.Options) *socket.Socket {
	l.Helper()
	opts.Transports = []transport.Transport{l.network}
	s, err := socket.New(spec, &opts)
	if err != nil {
		l.Fatal(err)
	}
	l.Cleanup(func() { s.Close() })
	return s
}

func (l *life) must(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

func (l *life) bind(s *socket.Socket, endpoint string) {
	l.Helper()
	_, err := s.Bind(endpoint)
	l.must(err)
}

// until polls what no call waits for.
func (l *life) until(what string, ok func() bool) {
	l.Helper()
	for !ok() {
		if l.ctx.Err() != nil {
			l.Fatalf("still not so: %s", what)
		}
		runtime.Gosched()
	}
}

// ends closes sockets and fails when that hangs.
func (l *life) ends(sockets ...*socket.Socket) {
	l.Helper()
	for _, s := range sockets {
		done := make(chan struct{})
		go func() {
			s.Close()
			close(done)
		}()
		select {
		case <-done:
		case <-l.ctx.Done():
			l.Fatalf("Close of a %v socket hangs", s.Type())
		}
	}
}

// A connecting socket that refuses the bound one, because it has a peer with
// that identity or its only peer, once held the lock that parting needs.
func TestInprocRefusedByConnecter(t *testing.T) {
	for _, c := range []struct {
		connects, binds *pattern.Spec
		identity        []byte
	}{{pattern.Router, pattern.Dealer, []byte("A")}, {pattern.Pair, pattern.Pair, nil}} {
		t.Run(c.connects.Name(), func(t *testing.T) {
			l := newLife(t)
			x := l.socket(c.binds, socket.Options{Identity: c.identity})
			y := l.socket(c.binds, socket.Options{Identity: c.identity})
			l.bind(x, "inproc://x")
			l.bind(y, "inproc://y")
			s := l.socket(c.connects, socket.Options{})
			l.must(s.Connect("inproc://x"))
			l.must(s.WaitPeers(l.ctx, 1))
			events := s.Events(l.ctx)
			l.must(s.Connect("inproc://y"))
			for ev := range events {
				if ev.Kind == socket.Rejected {
					break
				}
			}
			l.ends(s, x, y)
		})
	}
}

// What was sent to a socket that refused us was not written to anybody.
func TestInprocRefusedByBinder(t *testing.T) {
	l := newLife(t)
	router := l.socket(pattern.Router, socket.Options{})
	l.bind(router, "inproc://x")
	first := l.socket(pattern.Dealer, socket.Options{Identity: []byte("A")})
	l.must(first.Connect("inproc://x"))
	l.must(first.WaitPeers(l.ctx, 1))
	second := l.socket(pattern.Dealer, socket.Options{Identity: []byte("A"), NoLinger: true})
	events := second.Events(l.ctx)
	l.must(second.Connect("inproc://x"))
	for ev := range events {
		if ev.Kind == socket.Rejected {
			break
		}
	}
	for range 5 {
		l.must(second.Send(l.ctx, []byte("for nobody")))
	}
	if st := second.Stats(); st.Written != 0 || st.SendQueued != 5 {
		t.Errorf("got %d written and %d queued, want 0 and 5", st.Written, st.SendQueued)
	}
	var unsent *ringwire.UnsentError
	if err := second.Close(); !errors.As(err, &unsent) || unsent.Messages != 5 {
		t.Errorf("Close: got %v, want 5 unsent messages", err)
	}
	if st := router.Stats(); st.Arrived != 0 {
		t.Errorf("got %d messages arrived at the socket that refused them, want 0", st.Arrived)
	}
}

// A closed socket is not kept by the namespace it looked for a name in.
func TestInprocConnectLeavesNothing(t *testing.T) {
	l := newLife(t)
	const n = 200
	var gone []weak.Pointer[socket.Socket]
	for range n {
		s, err := socket.New(pattern.Push, &socket.Options{Transports: []transport.Transport{l.network}})
		l.must(err)
		l.must(s.Connect("inproc://nobody"))
		s.Close()
		gone = append(gone, weak.Make(s))
	}
	l.until("closed sockets can be collected", func() bool {
		runtime.GC()
		left := 0
		for _, p := range gone {
			if p.Value() != nil {
				left++
			}
		}
		return left <= 1 // the last one may still be on the stack
	})
	runtime.KeepAlive(l.network)
}

// Frames are clipped, also the identity that a ROUTER puts in front.
func TestRouterIdentityIsClipped(t *testing.T) {
	l := newLife(t)
	router := l.socket(pattern.Router, socket.Options{})
	l.bind(router, "inproc://x")
	dealer := l.socket(pattern.Dealer, socket.Options{Identity: []byte("abcde")})
	l.must(dealer.Connect("inproc://x"))
	var made [][]byte
	for _, suffix := range []string{"/1", "/2"} {
		l.must(dealer.Send(l.ctx, []byte("x")))
		m, err := router.Recv(l.ctx)
		l.must(err)
		made = append(made, append(m.Frame(0), suffix...))
	}
	if string(made[0]) != "abcde/1" || string(made[1]) != "abcde/2" {
		t.Errorf("got %q, want what was appended to each", made)
	}
}

// ConnectPeer's name survives the bound socket.
func TestConnectPeerOutlivesTheBoundSocket(t *testing.T) {
	l := newLife(t)
	router := l.socket(pattern.Router, socket.Options{})
	l.must(router.ConnectPeer("inproc://x", []byte("bob")))
	for range 3 {
		dealer := l.socket(pattern.Dealer, socket.Options{})
		l.bind(dealer, "inproc://x")
		l.must(router.WaitPeers(l.ctx, 1))
		l.must(router.Send(l.ctx, []byte("bob"), []byte("hi")))
		m, err := dealer.Recv(l.ctx)
		l.must(err)
		if string(m.Bytes()) != "hi" {
			t.Errorf("got %v, want hi", m)
		}
		l.ends(dealer)
		l.until("the peer is gone", func() bool { return router.Stats().Peers == 0 })
	}
}

// Both sides part at once: one Connect stays one peer.
func TestDisconnectPeerOnBothSides(t *testing.T) {
	l := newLife(t)
	push, pull := l.socket(pattern.Push, socket.Options{ReconnectMin: time.Microsecond}), l.socket(pattern.Pull, socket.Options{})
	l.bind(pull, "inproc://x")
	l.must(push.Connect("inproc://x"))
	for i := range 300 {
		l.must(push.WaitPeers(l.ctx, 1))
		l.must(pull.WaitPeers(l.ctx, 1))
		var wg sync.WaitGroup
		for k := range 4 {
			s := []*socket.Socket{push, pull}[k%2]
			for _, p := range s.Peers() {
				wg.Go(func() { s.DisconnectPeer(p.Peer) })
			}
		}
		wg.Wait()
		// Between losing one and having the next there may be none.
		l.until("the Connect has a peer again", func() bool { return len(push.Peers()) > 0 })
		if n := len(push.Peers()); n > 1 {
			t.Fatalf("round %d: one Connect has %d peers, want 1", i, n)
		}
	}
}

// Sockets are bound and closed in quick succession: who connects finds the one
// that stays.
func TestConnectFindsTheLastBinder(t *testing.T) {
	l := newLife(t)
	push := l.socket(pattern.Push, socket.Options{ReconnectMin: time.Microsecond})
	l.must(push.Connect("inproc://x"))
	for i := range 200 {
		for range i % 7 {
			passing := l.socket(pattern.Pull, socket.Options{NoLinger: true})
			l.bind(passing, "inproc://x")
			l.ends(passing)
		}
		last := l.socket(pattern.Pull, socket.Options{NoLinger: true})
		l.bind(last, "inproc://x")
		if err := last.WaitPeers(l.ctx, 1); err != nil {
			t.Fatalf("round %d: %v", i, err)
		}
		l.ends(last)
		if n := len(push.Peers()); n > 1 {
			t.Fatalf("round %d: one Connect has %d peers, want 1", i, n)
		}
	}
}

// Disconnect while the two sides are being joined.
func TestDisconnectWhileJoining(t *testing.T) {
	l := newLife(t)
	for i := range 2000 {
		pull, push := l.socket(pattern.Pull, socket.Options{NoLinger: true}), l.socket(pattern.Push, socket.Options{NoLinger: true})
		l.bind(pull, "inproc://x")
		l.must(push.Connect("inproc://x"))
		for range i % 50 {
			push.Peers()
		}
		l.must(push.Disconnect("inproc://x"))
		l.ends(push)
		l.until("no peer is left of a socket that is closed", func() bool { return len(pull.Peers()) == 0 })
		l.ends(pull)
	}
}

// Room for several blocked senders is announced once; all of them must come.
func TestAllBlockedSendersContinue(t *testing.T) {
	for _, way := range []string{"Send", "SendTo"} {
		t.Run(way, func(t *testing.T) {
			l := newLife(t)
			opts := func(id string) socket.Options {
				return socket.Options{SendHWM: 4, RecvHWM: 4, Identity: []byte(id), NoLinger: true}
			}
			router := l.socket(pattern.Router, opts("R"))
			l.bind(router, "inproc://x")
			full, slow := l.socket(pattern.Dealer, opts("full")), l.socket(pattern.Dealer, opts("slow"))
			l.must(full.Connect("inproc://x"))
			l.must(slow.Connect("inproc://x"))
			l.must(router.WaitPeers(l.ctx, 2))
			sent := 0
			for _, id := range []string{"full", "slow"} {
				for router.TrySend([]byte(id), []byte("x")) == nil {
					if id == "slow" {
						sent++
					}
				}
			}
			var to ringwire.Peer
			for _, p := range router.Peers() {
				if string(p.Address) == "slow" {
					to = p.Peer
				}
			}
			gaveUp, giveUp := context.WithCancel(l.ctx)
			var wg sync.WaitGroup
			wg.Go(func() { router.Send(gaveUp, []byte("full"), []byte("never")) })
			for range 3 {
				wg.Go(func() {
					var err error
					if way == "Send" {
						err = router.Send(l.ctx, []byte("slow"), []byte("late"))
					} else {
						err = router.SendTo(l.ctx, to, ringwire.NewMessage([]byte("late")))
					}
					if err != nil {
						t.Errorf("a blocked %s: %v", way, err)
					}
				})
			}
			for range sent + 3 {
				m, err := slow.Recv(l.ctx)
				l.must(err)
				m.Release()
			}
			giveUp()
			wg.Wait()
		})
	}
}

// logHandler is a slog.Handler that calls a function.
type logHandler struct{ f func(message string) }

func (logHandler) Enabled(context.Context, slog.Level) bool { return true }
func (h logHandler) Handle(_ context.Context, r slog.Record) error {
	h.f(r.Message)
	return nil
}
func (h logHandler) WithAttrs([]slog.Attr) slog.Handler { return h }
func (h logHandler) WithGroup(string) slog.Handler      { return h }

// The logger is the user's code: no lock is held while it runs.
func TestLoggerMayUseTheSocket(t *testing.T) {
	l := newLife(t)
	var push *socket.Socket
	told := make(chan error, 1)
	logger := slog.New(logHandler{func(message string) {
		if message == "ready" {
			told <- push.Disconnect("inproc://x")
		}
	}})
	push = l.socket(pattern.Push, socket.Options{Logger: logger})
	pull := l.socket(pattern.Pull, socket.Options{})
	l.bind(pull, "inproc://x")
	l.must(push.Connect("inproc://x"))
	select {
	case err := <-told:
		l.must(err)
	case <-l.ctx.Done():
		t.Fatal("Disconnect from the logger hangs")
	}
	l.ends(push, pull)
}
