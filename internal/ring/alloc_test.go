//go:build !race

package ring

import "testing"

// TestSteadyStateDoesNotAllocate is built without the race detector, under which
// allocation counts mean nothing.
func TestSteadyStateDoesNotAllocate(t *testing.T) {
	for _, depth := range []int{1, 16, 32, 33, 200, 1000} {
		var r Ring[message]
		r.Init(1000)
		var in, out message
		seq := uint64(0)
		// Up to depth and back to nothing, published in batches of three.
		oscillate := func() {
			for i := range depth {
				in.seq = seq + uint64(i)
				in.moveTo(r.Slot())
				r.Commit()
				if i%3 == 2 {
					r.Publish()
				}
			}
			r.Publish()
			for range depth {
				r.Peek().moveTo(&out)
				r.Advance()
				if out.seq != seq {
					t.Fatalf("depth %d: got message %d, want %d", depth, out.seq, seq)
				}
				seq++
			}
		}
		for range 4 {
			oscillate()
		}
		// AllocsPerRun rounds down, so one run is many rounds: a single
		// allocation among them shows. It counts those of the whole process,
		// and the runtime makes one now and then: the least of three counts
		// is the ring's.
		count := func() float64 {
			return testing.AllocsPerRun(1, func() {
				for range 100_000 / depth {
					oscillate()
				}
			})
		}
		if got := min(count(), count(), count()); got != 0 {
			t.Errorf("depth 0..%d: got %v allocations in %d messages, want 0", depth, got, 100_000)
		}
	}
}
