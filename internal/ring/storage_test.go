package ring

import "testing"

// circle counts the chunks by walking round them, and checks the count that the
// producer keeps.
func circle(t testing.TB, r *Ring[entry]) int {
	t.Helper()
	if r.fill == nil {
		return 0
	}
	chunks, hasDrain := 1, r.fill == r.drain
	for c := r.fill.next; c != r.fill; c = c.next {
		chunks++
		hasDrain = hasDrain || c == r.drain
	}
	if chunks != r.storage.held {
		t.Fatalf("got %d chunks in the circle, want %d as counted", chunks, r.storage.held)
	}
	if !hasDrain {
		t.Fatalf("the chunk of the consumer is not among the %d in the circle", chunks)
	}
	return chunks
}

// chunksFor is the most chunks that a depth can ask for: it may begin within one
// and end within another, and the one before is held until its link was read.
func chunksFor(depth int) int {
	return (depth+chunkSlots-1)/chunkSlots + 2
}

func TestIdleRingHoldsNoChunk(t *testing.T) {
	var r Ring[entry]
	r.Init(1000)
	r.Peek()
	r.Publish()
	if got := circle(t, &r); got != 0 {
		t.Errorf("got %d chunks before the first Slot, want 0", got)
	}
	r.Slot()
	if got := circle(t, &r); got != 1 {
		t.Errorf("got %d chunks after the first Slot, want 1 and not what the limit allows", got)
	}
}

func TestStorageFollowsDepth(t *testing.T) {
	for _, depth := range []int{1, 2, 31, 32, 33, 100, 1000} {
		var r Ring[entry]
		r.Init(1000)
		var pushed, popped uint64
		for range 20_000 / depth {
			mustPush(t, &r, pushed, pushed+uint64(depth)-1)
			pushed += uint64(depth)
			mustPop(t, &r, popped, pushed-1)
			popped = pushed
			if got, want := circle(t, &r), chunksFor(depth); got > want {
				t.Fatalf("depth %d: got %d chunks after %d messages, want %d or fewer", depth, got, pushed, want)
			}
		}
	}
}

func TestStorageShrinksAfterBurst(t *testing.T) {
	const burst = 10_000
	var r Ring[entry]
	r.Init(0)
	mustPush(t, &r, 0, burst-1)
	full := circle(t, &r)
	if got, want := full, (burst+chunkSlots-1)/chunkSlots; got != want {
		t.Errorf("got %d chunks for %d messages, want %d", got, burst, want)
	}
	mustPop(t, &r, 0, burst-1)
	if got := circle(t, &r); got != full {
		t.Errorf("got %d chunks after the drain, want still %d: only the producer lets chunks go", got, full)
	}
	// Two windows to judge by and one to let go, each twice round the circle.
	seq := uint64(burst)
	for range 3 * 2 * full * chunkSlots {
		mustPush(t, &r, seq, seq)
		mustPop(t, &r, seq, seq)
		seq++
	}
	if got, want := circle(t, &r), 4; got > want {
		t.Errorf("got %d chunks after a burst of %d and %d messages one at a time, want %d or fewer",
			got, burst, seq-burst, want)
	}
	// The ring still works, and grows again.
	mustPush(t, &r, seq, seq+burst)
	mustPop(t, &r, seq, seq+burst)
	circle(t, &r)
}

// TestSecondBurstStopsShrinking lets a burst arrive while chunks are being let
// go: what the ring still holds must be used, not dropped on the way.
func TestSecondBurstStopsShrinking(t *testing.T) {
	const burst = 10_000
	var r Ring[entry]
	r.Init(0)
	mustPush(t, &r, 0, burst-1)
	mustPop(t, &r, 0, burst-1)
	seq := uint64(burst)
	for r.storage.surplus == 0 {
		mustPush(t, &r, seq, seq)
		mustPop(t, &r, seq, seq)
		seq++
	}
	mustPush(t, &r, seq, seq+2*burst-1)
	if got := r.storage.surplus; got != 0 {
		t.Errorf("got %d chunks still to be let go in a burst, want 0", got)
	}
	mustPop(t, &r, seq, seq+2*burst-1)
	circle(t, &r)
}

// TestSteadyOscillationKeepsItsChunks is the other half: a queue that rises and
// falls must not let chunks go on the way down and allocate them on the way up.
func TestSteadyOscillationKeepsItsChunks(t *testing.T) {
	for _, depth := range []uint64{40, 200, 1000, 5000} {
		var r Ring[entry]
		r.Init(0)
		var seq uint64
		held := 0
		for round := range 100_000 / int(depth) {
			mustPush(t, &r, seq, seq+depth-1)
			mustPop(t, &r, seq, seq+depth-1)
			seq += depth
			got := circle(t, &r)
			if got < held || got > chunksFor(int(depth)) {
				t.Fatalf("depth %d, round %d: got %d chunks, want from %d, held before, to %d",
					depth, round, got, held, chunksFor(int(depth)))
			}
			held = got
		}
	}
}

// TestChunkIsHeldUntilItsLinkIsRead stops the consumer at the very end of a
// chunk. Everything in it was read, but not its link; were the chunk filled
// again, the next insertion would change that link and the consumer would skip
// what was published in between.
func TestChunkIsHeldUntilItsLinkIsRead(t *testing.T) {
	var r Ring[entry]
	r.Init(0)
	mustPush(t, &r, 0, 2*chunkSlots-1)
	mustPop(t, &r, 0, chunkSlots-1)
	drained := r.drain
	mustPush(t, &r, 2*chunkSlots, 3*chunkSlots)
	if r.fill == drained {
		t.Error("got the chunk back whose link the consumer has not read, want a new one")
	}
	mustPush(t, &r, 3*chunkSlots+1, 5*chunkSlots)
	mustPop(t, &r, chunkSlots, 5*chunkSlots)
}
