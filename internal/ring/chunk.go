package ring

// chunkSlots is how many slots are allocated at a time. It is a power of two, so
// that the place of a slot in its chunk follows from its number, also where the
// numbers wrap.
//
// Measured with BenchmarkStream, 64 messages a batch, on two amd64 cores (best of
// five interleaved runs, ns per message): 8 slots 10.6, 16 slots 10.0, 32 slots
// 9.6, 64 slots 9.5, 128 slots 9.5. More than 32 gains nothing, and two chunks is
// what a ring in quiet use holds.
const chunkSlots = 32

// chunk is a piece of the ring's storage. The chunks of a ring form a circle.
// The producer fills one (fill), the consumer empties one (drain), and going
// round from fill one finds first the chunks that are free, then drain, then the
// chunks that wait to be emptied, up to fill again.
//
// When the producer has used up fill, it goes on to the next chunk if that is
// free. If not, it puts a new chunk between the two. So the circle grows to what
// the traffic needs, and in steady state nothing is allocated.
//
// A chunk is free when head is past the first slot of the chunk that followed
// it: one more than its last slot. At that point the consumer has not only
// emptied the chunk, it has also read its link, which it does on its way to the
// slot after. With one less, the chunk could be filled again, and its link
// changed by an insertion, while the consumer has yet to follow the old link;
// it would skip everything in between.
//
// The link of a chunk is a plain field. The producer writes it only in the chunk
// that it is about to leave, before it publishes any slot of the next one. The
// consumer reads it only after it saw such a slot published, so the store of
// tail orders the two. The write after that comes a lap later, when the producer
// has found the chunk free, so the store of head orders it after the read.
type chunk[T any] struct {
	slots [chunkSlots]T
	next  *chunk[T] // written by the producer while it fills this chunk, read as above
	start uint64    // owned by the producer: number of the first slot
}

// chunkStart returns the number of the first slot in the chunk of slot n.
func chunkStart(n uint64) uint64 {
	return n &^ (chunkSlots - 1)
}

// storage says how many chunks the ring holds and how many it needs. It belongs
// to the producer.
//
// The ring looks at its need over a window of chunks filled. If it needed less
// than half of what it holds, it lets chunks go until it holds half more than it
// needed, one each time it goes on to the next chunk. A queue that keeps rising
// and falling shows its full need within a window, because a window is twice
// round the circle, so it keeps what it holds.
type storage struct {
	held    int // chunks in the circle
	peak    int // most chunks in use at once in this window
	window  int // chunks to fill until the window ends
	surplus int // chunks to let go
}

// minWindow is the shortest window, in chunks filled: 256 are 8192 messages, so
// that a ring of few chunks does not judge by a moment. A burst after more than
// that allocates again, which is then at most one chunk per 256 messages.
const minWindow = 256

// nextChunk moves fill to the chunk for slot staged. The caller has seen that
// fill is used up, or that there is none yet.
func (r *Ring[T]) nextChunk() {
	s := &r.storage
	if r.fill == nil {
		r.fill = new(chunk[T])
		r.fill.next = r.fill
		// The consumer does not look at drain before it saw a slot published.
		r.drain = r.fill
		s.held, s.window = 1, minWindow
	} else {
		// Loaded even when the next chunk is known to be free: an old head would
		// make every chunk look needed, and the ring would never shrink.
		r.seenHead = r.head.Load()
		r.fill = r.chunkAfter(r.fill)
	}
	r.fill.start = chunkStart(r.staged)
	r.fillEnd = r.fill.start + chunkSlots
	r.measure()
}

// chunkAfter returns the free chunk after last, which is used up. It inserts one
// if there is none, and takes one out if there are too many.
func (r *Ring[T]) chunkAfter(last *chunk[T]) *chunk[T] {
	s := &r.storage
	next := last.next
	if !r.free(next) {
		inserted := new(chunk[T])
		inserted.next = next
		last.next = inserted
		s.held++
		s.surplus = 0
		return inserted
	}
	if s.surplus > 0 && r.free(next.next) {
		s.surplus--
		s.held--
		next = next.next
		last.next = next
	}
	return next
}

// free reports whether the consumer has emptied c and read its link. The chunk
// being filled is never free.
func (r *Ring[T]) free(c *chunk[T]) bool {
	return int64(r.seenHead-(c.start+chunkSlots)) > 0
}

// measure notes how many chunks are in use, and at the end of a window decides
// how many to let go.
func (r *Ring[T]) measure() {
	s := &r.storage
	// From the chunk of the last slot advanced, which the consumer may not have
	// left, to fill.
	used := int((r.fill.start-chunkStart(r.seenHead-1))/chunkSlots) + 1
	s.peak = max(s.peak, used)
	s.window--
	if s.window > 0 {
		return
	}
	s.surplus = 0
	if s.held > 2*s.peak {
		s.surplus = s.held - (s.peak + s.peak/2)
	}
	s.peak = 0
	s.window = max(minWindow, 2*s.held)
}
