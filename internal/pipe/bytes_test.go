package pipe_test

import (
	"testing"

	"github.com/ringwire/ringwire/internal/pipe"
)

// TestByteBound: what is queued stays below the bound in bytes, which one message
// may exceed if it is alone, on a connection and over inproc.
func TestByteBound(t *testing.T) {
	const bound = 10_000
	for _, lane := range []bool{false, true} {
		g := pipe.NewGroup(false, -1)
		e := newEnd(g, pipe.Config{SendHWMBytes: bound, Connecting: lane})
		g.Lock()
		e.Attach()
		if lane {
			e.NewLane()
		}
		send := func(size int) bool {
			m := g.Scratch()
			m.Borrow([][]byte{make([]byte, size)})
			ok := e.TrySend(m)
			m.Reset()
			return ok
		}
		if !send(bound - 1000) {
			t.Fatal("no room in an empty queue")
		}
		if send(2000) {
			t.Errorf("lane %v: a message that exceeds the bound is taken behind another", lane)
		}
		if !send(500) {
			t.Errorf("lane %v: a message that fits is refused", lane)
		}
		if c := e.Counts(); c.SendBytes > bound {
			t.Errorf("lane %v: %d bytes are queued, bound %d", lane, c.SendBytes, bound)
		}
		e.DropQueued(pipe.Closed)
		if !send(2 * bound) {
			t.Errorf("lane %v: a large message is refused by an empty queue", lane)
		}
		g.Unlock()
	}
}
