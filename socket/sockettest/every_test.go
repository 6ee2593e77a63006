package sockettest_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/sockettest"
)

// TestSocketEveryOffset: the first connection is cut at every offset of either
// direction, through the handshake and messages of several sizes.
func TestSocketEveryOffset(t *testing.T) {
	for _, way := range [][2]string{{"push", "pull"}, {"pull", "push"}} {
		last := int64(300)
		if way[0] == "pull" {
			last = 120 // it sends a handshake only
		}
		for cut := int64(1); cut <= last; cut++ {
			synctest.Test(t, func(t *testing.T) {
				n := sockettest.NewNetwork(1)
				n.SetOneWay(way[0], way[1], sockettest.Link{ResetAfter: cut})
				var dials atomic.Int64
				n.Hook(func(op sockettest.Op) error {
					if op.Kind == sockettest.OpDial && dials.Add(1) == 2 {
						n.SetOneWay(way[0], way[1], sockettest.Link{})
					}
					return nil
				})
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				p := newPipeline(t, n, socket.Options{})
				sent := later(func() error { return p.send(ctx, 0, 10) })
				for p.next < 10 {
					if _, err := p.recv(ctx); err != nil {
						// The last may be lost: then nothing comes any more.
						if st := p.push.Stats(); st.InDoubt == 0 {
							t.Errorf("%s cut at %d: waiting for %d: %v: %+v", way[0], cut, p.next, err, st)
						}
						break
					}
				}
				if err := <-sent; err != nil {
					t.Error(err)
				}
				p.balance(t)
			})
		}
	}
}

// TestSocketEveryOperation: each operation on the network fails once.
func TestSocketEveryOperation(t *testing.T) {
	broken := errors.New("broken")
	for at := int64(1); ; at++ {
		var seen atomic.Int64
		synctest.Test(t, func(t *testing.T) {
			n := sockettest.NewNetwork(1)
			n.Hook(func(op sockettest.Op) error {
				seen.Store(max(seen.Load(), op.N))
				if op.N == at {
					return broken
				}
				return nil
			})
			ctx, cancel := context.WithCancel(t.Context())
			p := newPipeline(t, n, socket.Options{SendHWM: 3, RecvHWM: 3})
			var wg sync.WaitGroup
			wg.Go(func() {
				if err := p.send(ctx, 0, 20); err != nil {
					t.Errorf("fault at %d: %v", at, err)
				}
				for ctx.Err() == nil && p.send(ctx, 20, 21) == nil {
					time.Sleep(time.Second)
				}
			})
			for p.next <= 20 {
				if _, err := p.recv(ctx); err != nil {
					t.Fatalf("fault at %d, waiting for %d: %v", at, p.next, err)
				}
			}
			cancel()
			wg.Wait()
			p.balance(t)
		})
		if t.Failed() {
			t.Fatalf("failed with the fault at operation %d", at)
		}
		if seen.Load() < at {
			if at < 10 {
				t.Fatalf("only %d operations: nothing was tested", seen.Load())
			}
			return
		}
	}
}
