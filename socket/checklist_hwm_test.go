package socket_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// libzmq's tests of high-water marks and timeouts.

// TestHWMInproc is libzmq's test_hwm: over inproc the two limits add up, and
// before there is a peer only the sender's own counts. -1 is no limit.
func TestHWMInproc(t *testing.T) {
	const none = 10000 // sent without reaching a limit
	for _, c := range []struct{ send, recv, want int }{
		{0, 0, 2000}, {1, 1, 2}, {5, 7, 12}, {-1, 1, none}, {1, -1, none}, {-1, -1, none}, {0, 1, 1001},
	} {
		for _, connectFirst := range []bool{false, true} {
			t.Run(fmt.Sprintf("send=%d,recv=%d,connectFirst=%v", c.send, c.recv, connectFirst), func(t *testing.T) {
				confOn(t, "inproc", func(e *confEnv) {
					push := e.New(pattern.Push, &socket.Options{SendHWM: c.send})
					pull := e.New(pattern.Pull, &socket.Options{RecvHWM: c.recv})
					at := e.Reserve()
					if connectFirst {
						e.Connect(push, at)
						e.BindTo(pull, at)
					} else {
						e.BindTo(push, at)
						e.Connect(pull, at)
					}
					e.WaitPeers(push, 1)
					n := 0
					for n < none && push.TrySend([]byte("x")) == nil {
						n++
					}
					if n != c.want {
						t.Fatalf("%d messages in flight, want %d", n, c.want)
					}
					for range n {
						e.Want(pull, "x")
					}
					e.WantNone(pull)
					e.Send(push, "and again")
					e.Want(pull, "and again")
				})
			})
		}
	}
}

// TestHWMBeforeBind: before the bind a connecting socket has its own limit,
// and closing it then is clean.
func TestHWMBeforeBind(t *testing.T) {
	confEach(t, func(e *confEnv) {
		push := e.New(pattern.Push, &socket.Options{SendHWM: 3, NoLinger: true})
		e.Connect(push, e.Reserve())
		if n := e.Fill(push, "x"); n != 3 {
			e.Errorf("%d messages queued, want 3", n)
		}
		var unsent *ringwire.UnsentError
		if err := push.Close(); !errors.As(err, &unsent) || unsent.Messages != 3 {
			e.Errorf("Close = %v, want 3 unsent messages", err)
		}
	})
}

// TestHWMBytes: the bound on bytes holds whatever the one on messages is, but
// one message may exceed it when nothing else is queued.
func TestHWMBytes(t *testing.T) {
	confEach(t, func(e *confEnv) {
		push := e.New(pattern.Push, &socket.Options{SendHWM: -1, SendHWMBytes: 150 << 10})
		e.Connect(push, e.Reserve())
		if n := e.Fill(push, confBig); n != 2 {
			e.Errorf("%d messages of 64 KiB queued with a bound of 150 KiB, want 2", n)
		}
		other := e.New(pattern.Push, &socket.Options{SendHWM: -1, SendHWMBytes: 10})
		e.Connect(other, e.Reserve())
		if n := e.Fill(other, confBig); n != 1 {
			e.Errorf("%d messages of 64 KiB queued with a bound of 10 bytes, want 1", n)
		}
	})
}

// TestHWMPubSub is libzmq's test_hwm_pubsub: what fits below the limits is not
// dropped, a publisher that may not drop waits, and what was read makes room.
func TestHWMPubSub(t *testing.T) {
	confEach(t, func(e *confEnv) {
		const hwm, first, second = 11024, 9999, 1100
		p := e.New(pattern.XPub, &socket.Options{SendHWM: hwm})
		s := e.New(pattern.Sub, &socket.Options{RecvHWM: hwm})
		e.Subscribe(s, "")
		e.Join(p, s)
		e.WaitSubscribers(p, "", 1)
		for _, n := range []int{first, second} {
			for i := range n {
				if err := p.TrySend([]byte(strconv.Itoa(i))); err != nil {
					e.Fatal(err)
				}
			}
			for i := range n {
				e.Want(s, strconv.Itoa(i))
			}
		}
		if d := p.Stats().SendDropped; d.Total() != 0 {
			e.Errorf("dropped %+v, want nothing", d)
		}
	})
}

// TestXPubNoDrop is libzmq's test_xpub_nodrop, and the blocking half of
// test_hwm_pubsub: with XPubNoDrop, also on a PUB, a full subscriber makes the
// publisher wait, and nothing is lost; another subscriber gets no message
// twice.
func TestXPubNoDrop(t *testing.T) {
	for name, opts := range map[string]socket.Options{
		"XPubNoDrop": {SendHWM: 10, XPubNoDrop: true},
		"FullBlock":  {SendHWM: 10, OnFull: socket.FullBlock},
	} {
		for _, pub := range []*pattern.Spec{pattern.XPub, pattern.Pub} {
			t.Run(name+"/"+pub.Name(), func(t *testing.T) {
				confEach(t, func(e *confEnv) {
					p := e.New(pub, &opts)
					slow, fast := e.New(pattern.Sub, &socket.Options{RecvHWM: 10}), e.New(pattern.Sub, nil)
					for _, s := range []*socket.Socket{slow, fast} {
						e.Subscribe(s, "")
					}
					e.Join(p, slow, fast)
					e.WaitSubscribers(p, "", 2)
					n := e.Fill(p, confBig)
					done := make(chan error, 1)
					go func() { done <- p.Send(e.ctx, []byte("last")) }()
					for range n {
						e.Want(slow, confBig)
					}
					e.Want(slow, "last")
					for range n {
						e.Want(fast, confBig)
					}
					e.Want(fast, "last")
					if err := <-done; err != nil {
						t.Errorf("the Send that waited = %v, want nil", err)
					}
					if d := p.Stats().SendDropped.Total(); d != 0 {
						t.Errorf("%d messages dropped, want 0", d)
					}
				})
			})
		}
	}
}

// TestConflate is libzmq's test_conflate: only the newest message is kept.
func TestConflate(t *testing.T) {
	confEach(t, func(e *confEnv) {
		opts := &socket.Options{Conflate: true}
		push, pull := e.New(pattern.Push, opts), e.New(pattern.Pull, opts)
		e.Join(pull, push)
		const n = 100
		for i := range n {
			e.Send(push, strconv.Itoa(i))
		}
		if err := push.Flush(e.ctx); err != nil {
			e.Fatal(err)
		}
		e.Until("the last one has arrived", func() bool {
			st := pull.Stats()
			return st.Arrived+push.Stats().SendDropped.Conflated == n
		})
		e.Want(pull, strconv.Itoa(n-1))
		e.WantNone(pull)
		e.Accounts(push)
		e.Accounts(pull)
	})
}

// TestImmediate is libzmq's test_immediate. Without Immediate messages are
// balanced into the queue of an endpoint that nobody answers at; with it they
// go to ready peers only, a Send without one waits, and goes on when there is
// one again.
func TestImmediate(t *testing.T) {
	confEach(t, func(e *confEnv) {
		const n = 10
		for _, immediate := range []bool{false, true} {
			push, pull := e.New(pattern.Push, &socket.Options{Immediate: immediate}), e.New(pattern.Pull, nil)
			e.Connect(push, e.Reserve(), e.Bind(pull))
			e.WaitPeers(push, 1)
			for i := range n {
				e.Send(push, strconv.Itoa(i))
			}
			want := n
			if !immediate {
				want = n / 2
			}
			for range want {
				e.Recv(pull)
			}
			e.WantNone(pull)
			e.Until(fmt.Sprintf("Immediate %v: %d messages are queued, at the dead endpoint", immediate, n-want), func() bool {
				return push.Stats().SendQueued == int64(n-want)
			})
		}

		at := e.Reserve()
		push, pull := e.New(pattern.Push, &socket.Options{Immediate: true}), e.New(pattern.Pull, nil)
		e.Connect(push, at)
		e.WantFull(push, "nobody yet")
		e.BindTo(pull, at)
		e.Send(push, "first")
		e.Want(pull, "first")
		e.Close(pull)
		e.Until("the connection is lost", func() bool { return push.Stats().Peers == 0 })
		e.WantFull(push, "nobody again")
		again := e.New(pattern.Pull, nil)
		e.BindTo(again, at)
		e.Send(push, "second")
		e.Want(again, "second")
	})
}

// TestTimeout is libzmq's test_timeo: a call that waits ends with its context,
// not before, and a message that comes in time ends it earlier.
func TestTimeout(t *testing.T) {
	confOn(t, "inproc", func(e *confEnv) {
		pull, push := e.New(pattern.Pull, nil), e.New(pattern.Push, nil)
		at := e.Bind(pull)
		began := time.Now()
		ctx, cancel := context.WithTimeout(e.ctx, 250*time.Millisecond)
		defer cancel()
		if _, err := pull.Recv(ctx); !errors.Is(err, context.DeadlineExceeded) {
			e.Errorf("Recv = %v, want DeadlineExceeded", err)
		}
		if d := time.Since(began); d != 250*time.Millisecond { // synctest's time
			e.Errorf("Recv took %v, want 250ms", d)
		}
		began = time.Now()
		ctx, cancel = context.WithTimeout(e.ctx, 250*time.Millisecond)
		defer cancel()
		if err := push.Send(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
			e.Errorf("Send = %v, want DeadlineExceeded", err)
		}
		if d := time.Since(began); d != 250*time.Millisecond {
			e.Errorf("Send took %v, want 250ms", d)
		}
		if _, err := pull.TryRecv(); !errors.Is(err, ringwire.ErrAgain) {
			e.Errorf("TryRecv = %v, want ErrAgain", err)
		}
		time.AfterFunc(100*time.Millisecond, func() {
			push.Connect(at)
			push.Send(e.ctx, []byte("in time"))
		})
		began = time.Now()
		e.Want(pull, "in time")
		if d := time.Since(began); d != 100*time.Millisecond {
			e.Errorf("Recv took %v, want 100ms", d)
		}
	})
	for _, scheme := range []string{"tcp", "ipc"} {
		t.Run(scheme, func(t *testing.T) {
			confOn(t, scheme, func(e *confEnv) {
				pull, push := e.New(pattern.Pull, nil), e.New(pattern.Push, nil)
				e.Join(pull, push)
				for range 3 { // the connection survives it, whoever reads it
					ctx, cancel := context.WithTimeout(e.ctx, time.Millisecond)
					if _, err := pull.Recv(ctx); !errors.Is(err, context.DeadlineExceeded) {
						e.Errorf("Recv = %v, want DeadlineExceeded", err)
					}
					cancel()
					e.Send(push, "after")
					e.Want(pull, "after")
				}
			})
		})
	}
}
