package pipe_test

import (
	"runtime"
	"testing"

	"github.com/ringwire/ringwire/internal/pipe"
)

// TestLargeBodiesAreCopiedOnce: large bodies that a Send only lends are copied
// into memory of their size, not into one that grows and is copied as it does.
func TestLargeBodiesAreCopiedOnce(t *testing.T) {
	const n, size = 300, 64 << 10
	g := pipe.NewGroup(false, 0)
	e := newEnd(g, pipe.Config{})
	g.Lock()
	defer g.Unlock()
	e.Attach()
	body := make([]byte, size)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range n {
		m := g.Scratch()
		m.Borrow([][]byte{body})
		if !e.TrySend(m) {
			t.Fatal("an end without bounds is full")
		}
	}
	runtime.ReadMemStats(&after)
	if got, most := after.TotalAlloc-before.TotalAlloc, uint64(n*size*5/4); got > most {
		t.Errorf("queueing %d bytes took %d bytes of memory, want at most %d", n*size, got, most)
	}
}
