package session_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/transport"
)

// open makes a socket on n that the test's end closes.
func open(t testing.TB, n *memNet, spec *pattern.Spec, opts socket.Options) *socket.Socket {
	t.Helper()
	opts.Transports = []transport.Transport{n}
	s, err := socket.New(spec, &opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// join binds one socket, connects the other, and waits until both are ready.
func join(ctx context.Context, t testing.TB, bound, connecting *socket.Socket) {
	t.Helper()
	at, err := bound.Bind("mem://x")
	if err != nil {
		t.Fatal(err)
	}
	if err := connecting.Connect(at); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*socket.Socket{bound, connecting} {
		if err := s.WaitPeers(ctx, 1); err != nil {
			t.Fatal(err)
		}
	}
}

// balance checks the accounting of a socket on which no call is in progress.
func balance(t testing.TB, name string, s *socket.Socket) {
	t.Helper()
	st := s.Stats()
	if want := st.Written + st.SendDropped.Total() + st.SendQueued; st.Accepted != want {
		t.Errorf("%s: Accepted = %d, want Written+dropped+queued = %d: %+v", name, st.Accepted, want, st.Counters)
	}
	if want := st.Returned + st.RecvDropped.Total() + st.RecvQueued; st.Arrived != want {
		t.Errorf("%s: Arrived = %d, want Returned+dropped+queued = %d: %+v", name, st.Arrived, want, st.Counters)
	}
}

// TestTryRecvGetsTokenBack: a receiver that took the read token in a Recv and
// then only polls must still get what comes, over a connection that cannot be
// read from without waiting.
func TestTryRecvGetsTokenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		n := newMemNet()
		pull, push := open(t, n, pattern.Pull, socket.Options{}), open(t, n, pattern.Push, socket.Options{})
		join(ctx, t, pull, push)
		for i := range 3 { // the reader hands its token to a Recv that waits
			got := make(chan error, 1)
			go func() {
				m, err := pull.Recv(ctx)
				if err == nil {
					m.Release()
				}
				got <- err
			}()
			synctest.Wait()
			if err := push.Send(ctx, []byte{byte(i)}); err != nil {
				t.Fatal(err)
			}
			if err := <-got; err != nil {
				t.Fatal(err)
			}
		}
		if err := push.Send(ctx, []byte("polled")); err != nil {
			t.Fatal(err)
		}
		for range 10_000 { // 10 s of the fake clock
			m, err := pull.TryRecv()
			if err == nil {
				if got := string(m.Bytes()); got != "polled" {
					t.Fatalf("got %q, want %q", got, "polled")
				}
				return
			}
			time.Sleep(time.Millisecond)
		}
		t.Fatalf("TryRecv: got nothing in 10 s, want the message that was sent; stats %+v", pull.Stats().Counters)
	})
}

// TestDoNoForeignReplyUnwritten: a request that a flush had taken, and of
// which no byte was written when its Do gave up, must not go out on the next
// connection: its reply would be taken for the reply to the next request.
func TestDoNoForeignReplyUnwritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newMemNet()
		var stuck atomic.Bool
		released := make(chan struct{})
		n.hook = func(c *memConn, write bool) error {
			if write && c.dialed && c.id == 0 && stuck.Load() {
				<-released // no byte of what follows is ever written
				return errInjected
			}
			return nil
		}
		rep, req := open(t, n, pattern.Rep, socket.Options{}), open(t, n, pattern.Req, socket.Options{})
		join(t.Context(), t, rep, req)
		go func() {
			for {
				m, err := rep.Recv(t.Context())
				if err != nil {
					return
				}
				if rep.SendMessage(t.Context(), m) != nil {
					return
				}
			}
		}()
		stuck.Store(true)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		if m, err := req.Do(ctx, []byte("first")); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("Do: got %v, %v, want the deadline", m, err)
		}
		cancel()
		close(released)
		for i := range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			want := fmt.Sprint("later", i)
			m, err := req.Do(ctx, []byte(want))
			cancel()
			if err != nil {
				t.Fatal(err)
			}
			if got := string(m.Bytes()); got != want {
				t.Fatalf("Do(%q): got the reply %q", want, got)
			}
		}
		rep.Close()
		req.Close()
		balance(t, "req", req)
		balance(t, "rep", rep)
	})
}

// TestHeartbeatInterval: a PING goes out every interval also when the timeout
// is longer, or a peer that was told a TTL of two intervals gives us up.
func TestHeartbeatInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newMemNet()
		beat := socket.Options{HeartbeatInterval: time.Second, HeartbeatTimeout: 10 * time.Second, HeartbeatTTL: 2 * time.Second}
		dealer, peer := open(t, n, pattern.Dealer, beat), open(t, n, pattern.Dealer, socket.Options{})
		join(t.Context(), t, peer, dealer)
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := dealer.Stats().Disconnects + peer.Stats().Disconnects; got != 0 {
			t.Errorf("a minute idle with interval 1s, timeout 10s, TTL 2s: got %d disconnects, want 0", got)
		}
	})
}

// TestHeartbeatFullQueue: a peer whose messages we do not read, because our
// queue is full, must not be given up for it, however the moments fall at
// which there is some room.
func TestHeartbeatFullQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newMemNet()
		pull := open(t, n, pattern.Pull, socket.Options{RecvHWM: 2, HeartbeatInterval: time.Second, HeartbeatTimeout: time.Second})
		push := open(t, n, pattern.Push, socket.Options{})
		join(t.Context(), t, pull, push)
		var wg sync.WaitGroup
		ctx, cancel := context.WithCancel(t.Context())
		wg.Go(func() {
			for push.Send(ctx, make([]byte, 8)) == nil {
			}
		})
		for range 300 { // one message a second, at the moment of the heartbeat's look
			m, err := pull.Recv(ctx)
			if err != nil {
				t.Fatal(err)
			}
			m.Release()
			time.Sleep(time.Second)
		}
		if got := pull.Stats().Disconnects; got != 0 {
			t.Errorf("a slow receiver with a live peer: got %d disconnects, want 0", got)
		}
		cancel()
		wg.Wait()
	})
}

// TestReadOfNothing: a Read that returns 0, nil says that nothing happened,
// not that the stream has ended.
func TestReadOfNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newMemNet()
		n.hook = nil
		z := &zeroNet{memNet: n}
		s, err := socket.New(pattern.Pull, &socket.Options{Transports: []transport.Transport{z}})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		push := open(t, n, pattern.Push, socket.Options{})
		join(t.Context(), t, s, push)
		for range 10 {
			if err := push.Send(t.Context(), []byte("x")); err != nil {
				t.Fatal(err)
			}
			m, err := s.Recv(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			m.Release()
		}
		if got := s.Stats().Disconnects; got != 0 {
			t.Errorf("got %d disconnects, want 0", got)
		}
	})
}

// TestSendersAcrossBubbles: what a blocked Send waits with must not be shared
// between two runs on the fake clock.
func TestSendersAcrossBubbles(t *testing.T) {
	for range 3 {
		synctest.Test(t, func(t *testing.T) {
			push := open(t, newMemNet(), pattern.Push, socket.Options{})
			for range 4 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				err := push.Send(ctx, []byte("nobody is there"))
				cancel()
				if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ringwire.ErrClosed) {
					t.Fatalf("Send: got %v, want the deadline", err)
				}
			}
		})
	}
}
