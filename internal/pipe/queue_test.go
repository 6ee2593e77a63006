package pipe_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"

	"github.com/ringwire/ringwire/internal/msg"
	"github.com/ringwire/ringwire/internal/pipe"
)

// TestQueueBounds: by messages, and by bytes, of which one message may exceed
// the bound.
func TestQueueBounds(t *testing.T) {
	for _, row := range []struct {
		hwm   int
		bytes int64
		size  int
		want  int
	}{
		{5, 0, 1000, 5}, {5, 1 << 20, 1000, 5}, {100, 5000, 1000, 5}, {100, 4999, 1000, 5}, {100, 5001, 1000, 6},
		{100, 10, 1000, 1}, {1, 10, 1000, 1}, {0, 5000, 1000, 5}, {0, 920, 10, 11},
	} {
		g := pipe.NewGroup(false, 0)
		e := newEnd(g, pipe.Config{RecvHWM: row.hwm, RecvHWMBytes: row.bytes})
		n := 0
		for ; n < 1000; n++ {
			slot := e.Slot()
			if slot == nil {
				break
			}
			slot.SetBody(make([]byte, row.size))
			e.Commit(slot)
			e.Publish()
		}
		if n != row.want {
			t.Errorf("%d messages, %d bytes: took %d messages of %d, want %d", row.hwm, row.bytes, n, row.size, row.want)
		}
	}
}

// TestWaitSpace: a reader that waits for room is woken when half the queue
// was read, and by a cancel.
func TestWaitSpace(t *testing.T) {
	for _, hwm := range []int{1, 2, 3, 10} {
		synctest.Test(t, func(t *testing.T) {
			g := pipe.NewGroup(false, 0)
			e := newEnd(g, pipe.Config{RecvHWM: hwm})
			produced := 0
			done := make(chan struct{})
			const total = 100
			go func() {
				defer close(done)
				for produced < total {
					slot := e.Slot()
					for slot == nil {
						if !e.WaitSpace(nil) {
							t.Error("WaitSpace without a cancel: got false")
							return
						}
						slot = e.Slot()
					}
					slot.SetBody([]byte{byte(produced)})
					e.Commit(slot)
					e.Publish()
					produced++
				}
			}()
			g.LockRecv(nil)
			var m msg.Message
			for i := range total {
				synctest.Wait() // the producer has filled the queue and sleeps
				if !e.TryRecv(&m) || m.Bytes()[0] != byte(i) {
					t.Fatalf("bound %d: message %d is not there", hwm, i)
				}
			}
			g.UnlockRecv()
			<-done
			for slot := e.Slot(); slot != nil; slot = e.Slot() {
				e.Commit(slot)
			}
			cancelled := make(chan struct{})
			close(cancelled)
			if e.WaitSpace(cancelled) {
				t.Error("WaitSpace of a full queue with a cancel that is ready: got true")
			}
		})
	}
}

// TestLaneModel: an inproc pipe under random sends and receives both ways,
// before and after the peer is there, with the accounting of both ends.
func TestLaneModel(t *testing.T) {
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 6))
		hwm := 1 + r.IntN(4)
		groups := [2]*pipe.Group{pipe.NewGroup(true, 0), pipe.NewGroup(true, 0)}
		config := pipe.Config{SendHWM: hwm, RecvHWM: hwm, Connecting: true}
		var ends [2]*pipe.End
		ends[0] = newEnd(groups[0], config)
		ends[0].NewLane()
		groups[0].Lock()
		ends[0].Attach()
		groups[0].Unlock()
		join := func() {
			groups[0].Lock()
			ends[1] = ends[0].Accept(groups[1], pipe.Config{SendHWM: hwm, RecvHWM: hwm}, nil, nil)
			ends[1].Link(ends[0])
			ends[0].Link(ends[1])
			connect(ends[0], nil)
			groups[0].Unlock()
			groups[1].Lock()
			ends[1].Attach()
			connect(ends[1], nil)
			groups[1].Unlock()
		}
		var pending [2][]string // towards the other side
		var accepted, returned [2]int64
		for step := range 60 {
			side := r.IntN(2)
			if ends[1] == nil && r.IntN(10) == 0 {
				join()
			}
			e, g := ends[side], groups[side]
			if e == nil {
				continue
			}
			if r.IntN(2) == 0 {
				body := fmt.Sprint(seed, " ", step)
				if step%5 == 0 {
					body += string(make([]byte, 5000))
				}
				var m msg.Message
				m.Own([][]byte{[]byte(body)})
				bound := 2 * hwm
				if ends[1] == nil {
					bound = hwm
				}
				g.Lock()
				got := e.TrySend(&m)
				g.Unlock()
				if want := len(pending[side]) < bound; got != want {
					t.Fatalf("seed %d, step %d: TrySend with %d of %d queued: got %v", seed, step, len(pending[side]), bound, got)
				}
				if got {
					pending[side] = append(pending[side], body)
					accepted[side]++
				}
			} else {
				var m msg.Message
				g.LockRecv(nil)
				got := e.TryRecv(&m)
				g.UnlockRecv()
				from := pending[1-side]
				if want := len(from) > 0; got != want {
					t.Fatalf("seed %d, step %d: TryRecv with %d queued: got %v", seed, step, len(from), got)
				}
				if got {
					if string(m.Bytes()) != from[0] {
						t.Fatalf("seed %d, step %d: got %.20q, want %.20q", seed, step, m.Bytes(), from[0])
					}
					pending[1-side] = from[1:]
					returned[side]++
				}
			}
			for i, e := range ends {
				if e == nil {
					continue
				}
				groups[i].Lock()
				c := e.Counts()
				groups[i].Unlock()
				queued := int64(0)
				if ends[1] == nil {
					queued = int64(len(pending[i]))
				}
				if c.Accepted != accepted[i] || c.SendQueued != queued || c.Written != accepted[i]-queued ||
					c.Returned != returned[i] || c.RecvQueued != int64(len(pending[1-i])) || c.Arrived != c.Returned+c.RecvQueued {
					t.Fatalf("seed %d, step %d, end %d: got %+v, want accepted %d, queued %d, returned %d, to be received %d", seed, step, i, c, accepted[i], queued, returned[i], len(pending[1-i]))
				}
			}
		}
	}
}
