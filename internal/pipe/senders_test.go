package pipe_test

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwire/ringwire/internal/msg"
	"github.com/ringwire/ringwire/internal/pipe"
)

// TestSwallowedWakePassedOn: room wakes one sender; when that one gives up at
// the same moment, the next must get it.
func TestSwallowedWakePassedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 300 {
			g := pipe.NewGroup(false, 0)
			cancel := make(chan struct{})
			var first, second atomic.Int32
			g.Lock()
			a := g.Block(nil)
			b := g.Block(nil)
			g.Unlock()
			go func() {
				if !g.AwaitRoom(a, cancel) {
					first.Store(2)
					return
				}
				first.Store(1)
			}()
			go func() {
				g.AwaitRoom(b, nil)
				second.Store(1)
			}()
			synctest.Wait()
			go close(cancel)
			go g.PassOn()
			synctest.Wait()
			// One of them must have had the wake; a passes it on if it gave up.
			if first.Load() == 2 && second.Load() != 1 {
				t.Fatal("the first sender gave up and the wake is gone")
			}
			g.Close()
			synctest.Wait()
			if second.Load() != 1 {
				t.Fatal("Close does not end AwaitRoom")
			}
		}
	})
}

// TestUnblockPassesOn: a registration that was not needed had got a wake.
func TestUnblockPassesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := pipe.NewGroup(false, 0)
		e := newEnd(g, pipe.Config{})
		other := newEnd(g, pipe.Config{})
		g.Lock()
		a, c, b := g.Block(e), g.Block(other), g.Block(e)
		g.Unlock()
		g.PassOn() // for a, the first in line
		done := make(chan bool, 2)
		go func() { done <- g.AwaitRoom(b, nil) }()
		synctest.Wait()
		g.Unblock(a)
		synctest.Wait()
		select {
		case <-done:
		default:
			t.Fatal("the wake of a sender that did not need it was not passed to the next for the same end")
		}
		g.Unblock(c)
	})
}

// TestSendersUnderPressure: senders with random patience on one end with
// little room. Nobody waits while there is room, nothing is lost.
func TestSendersUnderPressure(t *testing.T) {
	g := pipe.NewGroup(false, 0)
	e := newEnd(g, pipe.Config{SendHWM: 2, Connecting: true})
	g.Lock()
	e.Attach()
	g.Unlock()
	const senders, each = 4, 3000
	var sent, gaveUp atomic.Int64
	var wg sync.WaitGroup
	for id := range senders {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(id), 5))
			for n := 0; n < each; {
				var m msg.Message
				m.SetBody([]byte("x"))
				g.Lock()
				ok := e.TrySend(&m)
				if ok {
					g.Unlock()
					g.PassOn()
					sent.Add(1)
					n++
					continue
				}
				s := g.Block(e)
				g.Unlock()
				cancel := make(chan struct{})
				var timer *time.Timer
				if r.IntN(2) == 0 {
					timer = time.AfterFunc(time.Duration(r.IntN(100))*time.Microsecond, func() { close(cancel) })
				}
				if !g.AwaitRoom(s, cancel) {
					gaveUp.Add(1)
				}
				if timer != nil {
					timer.Stop()
				}
			}
		})
	}
	stop := make(chan struct{})
	go func() { wg.Wait(); close(stop) }()
	var b pipe.Batch
	guard := time.After(time.Minute)
	for over := false; !over; {
		select {
		case <-stop:
			over = true
		case <-guard:
			t.Fatalf("hangs after %d of %d messages", sent.Load(), senders*each)
		default:
		}
		if !e.Take(&b) {
			time.Sleep(time.Microsecond)
			continue
		}
		for !b.Empty() {
			b.Advance(len(b.Pieces()[0]))
		}
	}
	e.Take(&b)
	g.Lock()
	defer g.Unlock()
	if c := e.Counts(); c.Accepted != senders*each || c.Written != senders*each {
		t.Errorf("got %+v, want %d accepted and written; %d gave up a wait", c, senders*each, gaveUp.Load())
	}
}
