package ring

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

var (
	stressMessages = flag.Int("ring.messages", 50_000, "messages per cell of the stress test")
	stressSeed     = flag.Uint64("ring.seed", 0, "seed of the stress and history tests; 0: a new one")
)

// seedFor returns the seed of a test, which its failures print.
func seedFor(t testing.TB) uint64 {
	t.Helper()
	if *stressSeed != 0 {
		return *stressSeed
	}
	return rand.Uint64()
}

// TestStress numbers the messages and checks every one: order, losses and
// duplicates are counted exactly. A longer run:
//
//	go test ./internal/ring -run TestStress -ring.messages 5000000
func TestStress(t *testing.T) {
	for _, procs := range []int{1, 2, 4} {
		for _, limit := range []int{1, 2, 31, 32, 33, 1000, 0} {
			t.Run(fmt.Sprintf("procs=%d/limit=%d", procs, limit), func(t *testing.T) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
				messages := uint64(*stressMessages)
				if testing.Short() {
					messages /= 4
				}
				stress(t, limit, messages, seedFor(t))
			})
		}
	}
}

// stress sends messages through one ring, in random batches on both sides, while
// a third goroutine reads the counters. The producer lowers its limit and raises
// it again, so that the storage shrinks and grows under the consumer.
func stress(t *testing.T, limit int, messages, seed uint64) {
	var r Ring[entry]
	start := uint64(math.MaxUint64) - messages/2 // the counters wrap half-way
	r.initAt(limit, start)
	var consumed atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() { produce(&r, limit, messages, rand.New(rand.NewPCG(seed, 1))) })
	wg.Go(func() { observe(t, &r, start, messages, &consumed, seed) })
	got := consume(&r, messages, rand.New(rand.NewPCG(seed, 2)))
	consumed.Store(true)
	wg.Wait()

	if want := (tally{received: messages}); got != want {
		t.Errorf("seed %d: got %+v, want %+v", seed, got, want)
	}
	if slot := r.Peek(); slot != nil {
		t.Errorf("seed %d: got entry %d after the last, want none", seed, slot.seq)
	}
	if pushed, popped := r.Pushed()-start, r.Popped()-start; pushed != messages || popped != messages {
		t.Errorf("seed %d: got %d pushed, %d popped, want %d each", seed, pushed, popped, messages)
	}
	circle(t, &r)
}

func produce(r *Ring[entry], limit int, messages uint64, random *rand.Rand) {
	const phase = 3 * minWindow * chunkSlots // enough to shrink
	batch, low := 0, false
	for seq := range messages {
		if seq%phase == phase-1 {
			low = !low
			r.SetLimit(limit)
			if low && (limit == 0 || limit > chunkSlots) {
				r.SetLimit(1 + random.IntN(chunkSlots))
			}
		}
		for !push(r, seq) {
			r.Publish()
			runtime.Gosched()
		}
		if batch--; batch <= 0 {
			r.Publish()
			batch = random.IntN(50)
		}
	}
	r.Publish()
}

// tally is what arrived, by kind of fault.
type tally struct {
	received, lost, repeated, torn uint64
}

func consume(r *Ring[entry], messages uint64, random *rand.Rand) tally {
	var got tally
	var next uint64
	batch, idle := 0, 0
	// A lost message would leave the loop waiting for ever: give up when nothing
	// more came though the producer has published everything.
	last := r.Popped() + messages
	for next < messages {
		slot := r.Peek()
		if slot == nil {
			if idle++; idle > 1000 && r.Pushed() == last && r.Empty() {
				break
			}
			runtime.Gosched()
			continue
		}
		idle = 0
		switch {
		case slot.torn():
			got.torn++
		case slot.seq < next:
			got.repeated++
		default:
			got.lost += slot.seq - next
			got.received++
			next = slot.seq + 1
		}
		slot.set(math.MaxUint64) // ours until Advance; the race detector watches
		r.Advance()
		if batch--; batch <= 0 {
			runtime.Gosched()
			batch = random.IntN(100)
		}
	}
	got.lost += messages - next
	return got
}

// observe reads the counters as a monitor would, until the messages are through.
func observe(t *testing.T, r *Ring[entry], start, messages uint64, consumed *atomic.Bool, seed uint64) {
	var pushedBefore, poppedBefore uint64
	for !consumed.Load() {
		popped, pushed := r.Popped()-start, r.Pushed()-start
		if popped > pushed || pushed > messages || pushed < pushedBefore || popped < poppedBefore {
			t.Errorf("seed %d: got %d popped, %d pushed, after %d, %d, want none to fall and popped <= pushed <= %d",
				seed, popped, pushed, poppedBefore, pushedBefore, messages)
			return
		}
		if got := r.Len(); got < 0 {
			t.Errorf("seed %d: got length %d, want no less than 0", seed, got)
			return
		}
		pushedBefore, poppedBefore = pushed, popped
		runtime.Gosched()
	}
}
