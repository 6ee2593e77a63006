package session_test

import (
	"context"
	"encoding/binary"
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
)

// everyFault runs scenario again and again, each time with the next Read or
// Write call of the network failing and its connection closed, until a run
// has not so many calls. A scenario that hangs is a deadlock that synctest
// reports.
func everyFault(t *testing.T, scenario func(t *testing.T, n *memNet)) {
	for at := int64(1); ; at++ {
		var calls atomic.Int64
		ok := t.Run(fmt.Sprint(at), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newMemNet()
				n.hook = func(c *memConn, write bool) error {
					if calls.Add(1) != at {
						return nil
					}
					c.Close()
					return errInjected
				}
				scenario(t, n)
			})
		})
		if !ok || t.Failed() {
			t.Fatalf("failed with the fault at call %d", at)
		}
		if calls.Load() < at {
			if at < 10 {
				t.Fatalf("only %d calls: nothing was tested", calls.Load())
			}
			return
		}
	}
}

func numbered(n uint32, size int) []byte {
	return binary.BigEndian.AppendUint32(make([]byte, 0, size+4), n)[:size+4]
}

// TestFaultPushPull: what was queued and not begun goes out on the next
// connection; what was given to a connection that broke may be lost, and then
// is in doubt. Nothing is repeated or out of order.
func TestFaultPushPull(t *testing.T) {
	everyFault(t, func(t *testing.T, n *memNet) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		pull, push := open(t, n, pattern.Pull, socket.Options{RecvHWM: 3}), open(t, n, pattern.Push, socket.Options{SendHWM: 3})
		if _, err := pull.Bind("mem://x"); err != nil {
			t.Fatal(err)
		}
		if err := push.Connect("mem://x"); err != nil {
			t.Fatal(err)
		}
		const total = 24
		sizes := []int{0, 100, 3000, 40_000}
		var wg sync.WaitGroup
		wg.Go(func() {
			for i := range uint32(total) {
				if err := push.Send(ctx, numbered(i, sizes[i%4]), []byte("second")); err != nil {
					t.Error(err)
				}
			}
			// The last one must arrive however often the connection breaks.
			for ctx.Err() == nil {
				if push.Send(ctx, numbered(total, 0), []byte("second")) != nil {
					return
				}
				time.Sleep(time.Second)
			}
		})
		next, lost := uint32(0), int64(0)
		for next <= total {
			m, err := pull.Recv(ctx)
			if err != nil {
				t.Fatalf("waiting for %d: %v; push %+v, pull %+v", next, err, push.Stats(), pull.Stats())
			}
			if m.Len() != 2 || string(m.Frame(1)) != "second" {
				t.Fatalf("a message of %d frames, want 2", m.Len())
			}
			got := binary.BigEndian.Uint32(m.Frame(0))
			if got < next || got > total || got < total && len(m.Frame(0)) != 4+sizes[got%4] {
				t.Fatalf("got message %d of %d bytes, want %d or later", got, len(m.Frame(0)), next)
			}
			lost += int64(got - next)
			next = got + 1
			m.Release()
		}
		cancel()
		wg.Wait()
		push.Close()
		pull.Close()
		balance(t, "push", push)
		balance(t, "pull", pull)
		st := push.Stats()
		if lost > st.InDoubt+st.SendDropped.Total() {
			t.Errorf("%d messages are lost, %d in doubt, %d dropped: want each explained", lost, st.InDoubt, st.SendDropped.Total())
		}
	})
}

// TestFaultReqRep: every Do returns its own reply, or an error by its
// deadline, and after the fault it works again.
func TestFaultReqRep(t *testing.T) {
	everyFault(t, func(t *testing.T, n *memNet) {
		rep, req := open(t, n, pattern.Rep, socket.Options{}), open(t, n, pattern.Req, socket.Options{})
		if _, err := rep.Bind("mem://x"); err != nil {
			t.Fatal(err)
		}
		if err := req.Connect("mem://x"); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			for {
				m, err := rep.Recv(t.Context())
				if err != nil {
					return
				}
				if err := rep.SendMessage(t.Context(), m); err != nil && !errors.Is(err, ringwire.ErrClosed) {
					t.Errorf("reply: %v", err)
					return
				}
			}
		})
		failed := 0
		for i := range uint32(12) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			m, err := req.Do(ctx, numbered(i, int(i)*500))
			cancel()
			if err != nil {
				if failed++; !errors.Is(err, context.DeadlineExceeded) {
					t.Fatalf("request %d: %v", i, err)
				}
				continue
			}
			if got := binary.BigEndian.Uint32(m.Bytes()); got != i {
				t.Fatalf("request %d got the reply to %d", i, got)
			}
			m.Release()
		}
		if failed > 1 {
			t.Errorf("%d requests failed with one fault, want at most 1", failed)
		}
		rep.Close()
		req.Close()
		wg.Wait()
		balance(t, "req", req)
		balance(t, "rep", rep)
	})
}

// TestFaultPubSub: the subscription is made again on each connection.
func TestFaultPubSub(t *testing.T) {
	everyFault(t, func(t *testing.T, n *memNet) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		pub, sub := open(t, n, pattern.Pub, socket.Options{}), open(t, n, pattern.Sub, socket.Options{})
		if err := sub.Subscribe("topic"); err != nil {
			t.Fatal(err)
		}
		if _, err := pub.Bind("mem://x"); err != nil {
			t.Fatal(err)
		}
		if err := sub.Connect("mem://x"); err != nil {
			t.Fatal(err)
		}
		if err := pub.WaitSubscribers(ctx, "topic", 1); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			for i := uint32(0); ctx.Err() == nil; i++ {
				pub.Send(ctx, []byte("other"), numbered(i, 10))
				if err := pub.Send(ctx, []byte("topic"), numbered(i, 100)); err != nil && ctx.Err() == nil {
					t.Errorf("publish: %v", err)
				}
				time.Sleep(100 * time.Millisecond)
			}
		})
		next := uint32(0)
		for range 20 {
			m, err := sub.Recv(ctx)
			if err != nil {
				t.Fatalf("%v; pub %+v, sub %+v", err, pub.Stats(), sub.Stats())
			}
			if m.Len() != 2 || string(m.Frame(0)) != "topic" || len(m.Frame(1)) != 104 {
				t.Fatalf("got %d frames, the first %q", m.Len(), m.Frame(0))
			}
			got := binary.BigEndian.Uint32(m.Frame(1))
			if got < next {
				t.Fatalf("got %d, want %d or later", got, next)
			}
			next = got + 1
			m.Release()
		}
		cancel()
		wg.Wait()
		pub.Close()
		sub.Close()
		balance(t, "pub", pub)
		balance(t, "sub", sub)
	})
}
