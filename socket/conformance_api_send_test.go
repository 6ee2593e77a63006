package socket_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// The contracts of the public API that no RFC has: sending, Do, Flush and the
// end of a socket.

// TestSendBatch: it owns the first n that it reports; the others are the
// caller's, unchanged.
func TestSendBatch(t *testing.T) {
	confEach(t, func(e *confEnv) {
		at := e.Reserve()
		push, pull := e.New(pattern.Push, &socket.Options{SendHWM: 3}), e.New(pattern.Pull, nil)
		e.Connect(push, at)
		var batch []*ringwire.Message
		for i := range 5 {
			batch = append(batch, ringwire.NewMessage([]byte(fmt.Sprint(i)), []byte(confBig)))
		}
		ctx, cancel := context.WithTimeout(e.ctx, confBlocked)
		defer cancel()
		n, err := push.SendBatch(ctx, batch)
		if n != 3 || !errors.Is(err, context.DeadlineExceeded) {
			e.Fatalf("SendBatch = %d, %v, want 3, DeadlineExceeded", n, err)
		}
		for i, m := range batch[n:] {
			if m.Len() != 2 || string(m.Frame(0)) != fmt.Sprint(n+i) || string(m.Frame(1)) != confBig {
				e.Fatalf("message %d was changed, want it as it was", n+i)
			}
		}
		e.BindTo(pull, at)
		if k, err := push.SendBatch(e.ctx, batch[n:]); k != 2 || err != nil {
			e.Fatalf("SendBatch of the rest = %d, %v, want 2", k, err)
		}
		for i := range batch {
			e.Want(pull, fmt.Sprint(i), confBig)
		}
	})
}

// TestSendMessageOwnership: a SendMessage that fails leaves the message as it
// was.
func TestSendMessageOwnership(t *testing.T) {
	confEach(t, func(e *confEnv) {
		router := e.New(pattern.Router, nil)
		dealer := e.New(pattern.Dealer, &socket.Options{Identity: []byte("d")})
		at := e.Bind(router)
		m := ringwire.NewMessage([]byte("d"), []byte(confBig), nil)
		if err := router.SendMessage(e.ctx, m); !errors.Is(err, ringwire.ErrHostUnreachable) {
			e.Fatalf("SendMessage = %v, want ErrHostUnreachable", err)
		}
		e.Connect(dealer, at)
		e.WaitPeers(router, 1)
		if err := router.SendMessage(e.ctx, m); err != nil {
			e.Fatal(err)
		}
		e.Want(dealer, confBig, "")
	})
}

// TestDoConcurrent: calls wait for each other, and each gets its own reply.
func TestDoConcurrent(t *testing.T) {
	confEach(t, func(e *confEnv) {
		rep, req := e.New(pattern.Rep, nil), e.New(pattern.Req, nil)
		e.Join(rep, req)
		stop := confEcho(e, rep)
		defer stop()
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				for i := range 20 {
					ask := fmt.Sprintf("%d/%d", g, i)
					m, err := req.Do(e.ctx, []byte(ask))
					if err != nil {
						e.Errorf("Do(%s) = %v", ask, err)
						return
					}
					if got := string(m.Bytes()); got != ask {
						e.Errorf("Do(%s) = %q, want its own reply", ask, got)
					}
				}
			})
		}
		wg.Wait()
		if _, err := rep.Do(e.ctx, nil); !errors.Is(err, errors.ErrUnsupported) {
			e.Errorf("Do on a REP = %v, want ErrUnsupported", err)
		}
	})
}

// confEcho answers every request with itself until stop is called, which
// closes rep.
func confEcho(e *confEnv, rep *socket.Socket) (stop func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			m, err := rep.Recv(e.ctx)
			if err != nil || rep.SendMessage(e.ctx, m) != nil {
				return
			}
		}
	}()
	return func() { e.Close(rep); <-done }
}

// TestDoWithdraws: a Do that ends while its request is still queued takes it
// back: no peer ever sees it.
func TestDoWithdraws(t *testing.T) {
	confEach(t, func(e *confEnv) {
		at := e.Reserve()
		rep, req := e.New(pattern.Rep, nil), e.New(pattern.Req, nil)
		e.Connect(req, at)
		for range 3 {
			ctx, cancel := context.WithTimeout(e.ctx, confBlocked)
			if _, err := req.Do(ctx, []byte("too early")); !errors.Is(err, context.DeadlineExceeded) {
				e.Fatalf("Do without a peer = %v, want DeadlineExceeded", err)
			}
			cancel()
			if st := req.Stats(); st.SendQueued != 0 || st.Accepted != 0 {
				e.Errorf("accepted %d, queued %d, want 0 and 0", st.Accepted, st.SendQueued)
			}
		}
		e.BindTo(rep, at)
		stop := confEcho(e, rep)
		defer stop()
		m, err := req.Do(e.ctx, []byte("in time"))
		if err != nil || string(m.Bytes()) != "in time" {
			e.Fatalf("Do = %v, want the reply", err)
		}
		if n := rep.Stats().Returned; n != 1 {
			e.Errorf("the REP received %d requests, want 1", n)
		}
	})
}

// TestDoLateReply: the reply to a Do that has ended is never taken for that of
// the next one, whichever side connects, and the next one works at once.
func TestDoLateReply(t *testing.T) {
	for _, bound := range []bool{false, true} {
		t.Run(fmt.Sprintf("bound=%v", bound), func(t *testing.T) {
			confEach(t, func(e *confEnv) {
				rep, req := e.New(pattern.Rep, nil), e.New(pattern.Req, nil)
				if bound {
					e.Join(req, rep)
				} else {
					e.Join(rep, req)
				}
				for i := range 5 {
					ctx, cancel := context.WithCancel(e.ctx)
					ended := make(chan error)
					go func() { _, err := req.Do(ctx, []byte("lost")); ended <- err }()
					e.Want(rep, "lost")
					cancel()
					if err := <-ended; !errors.Is(err, context.Canceled) {
						e.Fatalf("Do = %v, want Canceled", err)
					}
					ask := fmt.Sprint("kept ", i)
					got := make(chan string)
					go func() {
						m, err := req.Do(e.ctx, []byte(ask))
						if err != nil {
							got <- err.Error()
							return
						}
						got <- string(m.Bytes())
					}()
					e.Send(rep, "too late")
					e.Want(rep, ask)
					e.Send(rep, "re: "+ask)
					if re := <-got; re != "re: "+ask {
						e.Fatalf("round %d: Do(%s) = %q, want its own reply", i, ask, re)
					}
				}
			})
		})
	}
}

// TestQueueOfRawPeer: what the kernel has not taken when a peer that connected
// to us goes is dropped and counted, to the message.
func TestQueueOfRawPeer(t *testing.T) {
	confOn(t, "tcp", func(e *confEnv) {
		s := e.New(pattern.Push, &socket.Options{SendHWM: 10})
		raw := confDial(t, e.Bind(s))
		raw.handshake(1, "Socket-Type", "PULL")
		e.WaitPeers(s, 1)
		n := e.Fill(s, confBig)
		raw.close()
		e.Until("the peer is gone", func() bool { return len(s.Peers()) == 0 })
		st := s.Stats()
		if st.Accepted != int64(n) || st.SendDropped.PeerGone == 0 || st.SendDropped.PeerGone != st.SendDropped.Total() || st.SendDropped.PeerGone > 10 {
			e.Errorf("accepted %d, dropped %+v, want %d, and 1 to 10 with their peer", st.Accepted, st.SendDropped, n)
		}
		e.Accounts(s)
	})
}

// TestInDoubt: when a connection has ended, everything that was written to it is
// in doubt, because nothing in this version is a receipt.
func TestInDoubt(t *testing.T) {
	for _, scheme := range []string{"tcp", "ipc"} {
		t.Run(scheme, func(t *testing.T) {
			confOn(t, scheme, func(e *confEnv) {
				s, r := e.New(pattern.Push, nil), e.New(pattern.Pull, nil)
				e.Join(s, r)
				for range 5 {
					e.Send(s, "x")
					e.Want(r, "x")
				}
				e.Close(r)
				e.Until("the peer is gone", func() bool { return len(s.Peers()) == 0 })
				if st := s.Stats(); st.Written != 5 || st.InDoubt != 5 {
					e.Errorf("written %d, in doubt %d, want 5 and 5", st.Written, st.InDoubt)
				}
			})
		})
	}
}

// TestFlush: afterwards everything that was accepted is written, or accounted
// for as dropped.
func TestFlush(t *testing.T) {
	confEach(t, func(e *confEnv) {
		push, pull := e.New(pattern.Push, &socket.Options{Linger: confBlocked}), e.New(pattern.Pull, nil)
		at := e.Reserve()
		e.Connect(push, at)
		for range 10 {
			e.Send(push, confBig)
		}
		ctx, cancel := context.WithTimeout(e.ctx, confBlocked)
		defer cancel()
		if err := push.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
			e.Errorf("Flush without a peer = %v, want DeadlineExceeded", err)
		}
		e.BindTo(pull, at)
		done := make(chan error, 1)
		go func() { done <- push.Flush(e.ctx) }()
		for range 10 {
			e.Want(pull, confBig)
		}
		if err := <-done; err != nil {
			e.Errorf("Flush = %v, want nil", err)
		}
		if st := push.Stats(); st.Written != 10 || st.SendQueued != 0 {
			e.Errorf("written %d, queued %d, want 10 and 0", st.Written, st.SendQueued)
		}

		e.Close(pull)
		e.Until("the connection is lost", func() bool { return push.Stats().Peers == 0 })
		e.Send(push, "for nobody")
		go func() { done <- push.Flush(e.ctx) }()
		if err := push.Disconnect(at); err != nil {
			e.Fatal(err)
		}
		if err := <-done; err != nil { // dropped after the linger
			e.Errorf("Flush of a message that was dropped = %v, want nil", err)
		}
		e.Accounts(push)
	})
}

// TestCloseUnsent: Close says exactly how many messages, and how many bytes as
// SendHWMBytes counts them, it has thrown away; they are counted as dropped.
func TestCloseUnsent(t *testing.T) {
	for name, end := range map[string]func(s *socket.Socket) error{
		"Close":    (*socket.Socket).Close,
		"Shutdown": func(s *socket.Socket) error { return s.Shutdown(confDone) },
	} {
		t.Run(name, func(t *testing.T) {
			confEach(t, func(e *confEnv) {
				s := e.New(pattern.Push, &socket.Options{NoLinger: true})
				e.Connect(s, e.Reserve())
				for range 3 {
					e.Send(s, "12345", "", "678")
				}
				e.Send(s, confBig)
				err := end(s)
				var unsent *ringwire.UnsentError
				if !errors.As(err, &unsent) {
					e.Fatalf("%s = %v, want an *UnsentError", name, err)
				}
				want := 3*8 + int64(len(confBig))
				if e.scheme != "inproc" {
					want += 3*3*2 + 9 // nine short frame headers and a long one
				}
				if unsent.Messages != 4 || unsent.Bytes != want {
					e.Errorf("%s threw away %d messages of %d bytes, want 4 of %d", name, unsent.Messages, unsent.Bytes, want)
				}
				if d := s.Stats().SendDropped; d.Closed != 4 || d.Total() != 4 {
					e.Errorf("dropped %+v, want 4 at the close", d)
				}
				e.Accounts(s)
				if !errors.Is(s.Send(e.ctx, nil), net.ErrClosed) {
					e.Error("Send after Close is not net.ErrClosed")
				}
			})
		})
	}
}

// TestCloseLingers: Close waits for at most Linger, and delivers what it can
// before.
func TestCloseLingers(t *testing.T) {
	confOn(t, "inproc", func(e *confEnv) {
		s := e.New(pattern.Push, &socket.Options{Linger: 300 * time.Millisecond})
		e.Connect(s, e.Reserve())
		e.Send(s, "x")
		began := time.Now()
		var unsent *ringwire.UnsentError
		if err := s.Close(); !errors.As(err, &unsent) {
			e.Errorf("Close = %v, want an *UnsentError", err)
		}
		if d := time.Since(began); d != 300*time.Millisecond { // synctest's time
			e.Errorf("Close took %v, want 300ms", d)
		}
	})
	confEach(t, func(e *confEnv) {
		const n = 200
		at := e.Reserve()
		s := e.New(pattern.Push, nil)
		e.Connect(s, at)
		for i := range n {
			e.Send(s, fmt.Sprint(i), confBig)
		}
		done := make(chan error, 1)
		go func() { done <- s.Shutdown(e.ctx) }()
		pull := e.New(pattern.Pull, nil)
		e.BindTo(pull, at)
		for i := range n {
			e.Want(pull, fmt.Sprint(i), confBig)
		}
		if err := <-done; err != nil {
			e.Errorf("Shutdown = %v, want nil: all was delivered", err)
		}
	})
}

// TestOnFull: what a publisher does with a message for a full subscriber.
func TestOnFull(t *testing.T) {
	confEach(t, func(e *confEnv) {
		p := e.New(pattern.Pub, &socket.Options{SendHWM: 4, OnFull: socket.FullDisconnect})
		s := e.New(pattern.Sub, &socket.Options{RecvHWM: 4, ReconnectMin: -1})
		e.Subscribe(s, "")
		e.Join(p, s)
		e.WaitSubscribers(p, "", 1)
		confOverflow(e, p)
		e.Until("the slow subscriber is disconnected", func() bool { return p.Stats().Peers == 0 })
		e.Accounts(p)
	})
	for _, scheme := range []string{"tcp", "ipc"} { // over inproc the peer can see the oldest already
		t.Run("FullDropOldest/"+scheme, func(t *testing.T) {
			confOn(t, scheme, func(e *confEnv) {
				p := e.New(pattern.Pub, &socket.Options{SendHWM: 4, OnFull: socket.FullDropOldest})
				s := e.New(pattern.Sub, &socket.Options{RecvHWM: 4})
				e.Subscribe(s, "")
				e.Join(p, s)
				e.WaitSubscribers(p, "", 1)
				sent := 0
				for p.Stats().SendDropped.HWM < 20 {
					e.Send(p, fmt.Sprintf("%06d", sent), confBig)
					sent++
				}
				last := ""
				for range int64(sent) - p.Stats().SendDropped.HWM {
					last = e.Recv(s)[0]
				}
				if want := fmt.Sprintf("%06d", sent-1); last != want {
					e.Errorf("the last message received is number %s, want the newest, %s", last, want)
				}
				e.Accounts(p)
			})
		})
	}
}
