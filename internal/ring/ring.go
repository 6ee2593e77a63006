// Package ring carries values from one goroutine to another: a bounded queue
// for exactly one producer and one consumer, without locks.
//
// Values live in slots and never leave them by assignment. The producer gets a
// pointer to the next free slot, fills it, and hands it over; the consumer gets
// a pointer to the oldest unread slot, moves the content out, and gives the slot
// back, soon. This suits a message that owns buffers: both sides swap buffers with the
// slot, and nothing is copied or allocated.
//
// Storage follows use. A ring that never carried a value holds no slots, one
// with a limit of 1000 does not allocate 1000 of them, and what a burst needed
// is let go by the traffic after it.
//
// The package does not wait. Slot and Peek return nil at once, and what to do
// then (spin, park, report a full queue) is the caller's business. It does not
// support a second producer or a second consumer; the caller serialises them.
//
// Start reading at [Ring]; chunk.go has the storage.
package ring

import (
	"math"
	"sync/atomic"
)

// pad keeps what lies before it and what lies after it at least one cache line
// apart, whatever the alignment of the whole, which Go does not promise beyond 8
// bytes.
//
// Measured with BenchmarkStream, 64 messages a batch, and BenchmarkPingPong, on
// two amd64 cores (best of 14 interleaved runs, ns per operation):
//
//	no padding, two groups (producer with tail, consumer with head)   22.0   189
//	64 bytes, the same two groups                                     11.8   177
//	64 bytes, four groups as below                                     9.6   126
//	128 bytes, four groups                                             9.3   126
//
// 128 bytes, against the prefetch of neighbouring lines, is within the noise.
type pad [64]byte

// Ring is a bounded single-producer single-consumer queue of slots.
//
// A zero Ring is empty and has the limit 0, so it takes nothing; call Init
// before use. A Ring must not be copied after that. Slot, Commit, Publish and
// SetLimit belong to the producer: one goroutine at a time, each ordered after
// the one before (by a lock, say). Peek and Advance belong to the consumer in
// the same way. The other methods are for anyone.
//
// Slots are numbered by two counters that only grow: tail counts the slots
// published, head the slots done with. They wrap at 2^64, and only differences
// are ever compared. A slot with number n has one owner at any time:
//
//   - the producer, while n is tail or more: free, or filled and staged;
//   - the consumer, while n is from head up to, not including, tail;
//   - the producer again, once n is below head.
//
// Publish stores tail, and that store hands over every slot committed so far.
// The load of tail in Peek receives them: a consumer that saw the new tail sees
// all that was written before the store. Release stores head, which hands back
// every slot advanced so far, together with everything the consumer did to it.
// The load of head in Slot receives them. No other synchronisation exists, and
// none is needed: these are the only two words that both sides touch, apart from
// the slots and the links between chunks, and those change hands together with
// the slots (see chunk).
//
// Each side keeps the last value it saw of the other's counter and reads the
// real one only when that runs out. An old value errs on the safe side, because
// counters only grow: the producer sees a fuller ring than there is, the
// consumer an emptier one. Neither reports "full" or "empty" before it has
// looked at the real counter.
//
// An atomic store costs as much as everything else here together, and takes the
// cache line away from the other side. So the producer publishes when it likes,
// and the consumer releases on its own once in a while: see Advance.
type Ring[T any] struct {
	// atomic: written by the producer in Publish, read by everyone.
	tail atomic.Uint64

	_ pad

	// atomic: written by the consumer in Release, read by everyone.
	head atomic.Uint64

	_ pad

	// atomic: written by the producer in SetLimit, read by the consumer.
	every atomic.Uint64 // most slots advanced and not released

	// owned by the producer
	limit    uint64    // most slots staged and published at once
	staged   uint64    // number of the next slot to commit; tail after the next Publish
	fillEnd  uint64    // number of the first slot past the chunk being filled
	seenHead uint64    // head, as last loaded
	fill     *chunk[T] // holds slot staged, unless staged is fillEnd
	storage  storage

	_ pad

	// owned by the consumer, except that the producer puts the first chunk into
	// drain before it publishes the first slot
	read     uint64    // number of the next slot to read; head after the next Release
	due      uint64    // value of read at which Advance releases
	readable uint64    // slots up to here are published and in drain
	drainEnd uint64    // number of the first slot past drain
	seenTail uint64    // tail, as last loaded
	drain    *chunk[T] // holds slot read, unless read is drainEnd

	_ pad
}

// Init empties the ring and sets its limit: how many slots may be committed and
// not yet advanced. A limit of zero or less means no limit. No storage is
// allocated before the first Slot. Init must happen before the ring is shared.
func (r *Ring[T]) Init(limit int) {
	r.initAt(limit, 0)
}

// initAt is Init with both counters at start. Tests use it to reach the wrap.
func (r *Ring[T]) initAt(limit int, start uint64) {
	r.tail.Store(start)
	r.head.Store(start)

	r.SetLimit(limit)
	r.staged, r.fillEnd, r.seenHead = start, start, start
	r.fill, r.storage = nil, storage{}

	r.read, r.readable, r.seenTail = start, start, start
	r.due = start
	r.drainEnd = chunkStart(start) + chunkSlots
	r.drain = nil
}

// SetLimit changes the limit for the slots to come; zero or less means no limit.
// A ring that holds more than a new, lower limit keeps what it holds and takes
// nothing until enough of it was consumed. Producer only.
func (r *Ring[T]) SetLimit(limit int) {
	r.limit = math.MaxUint64
	if limit > 0 {
		r.limit = uint64(limit)
	}
	r.every.Store(min(max(r.limit/slack, 1), chunkSlots))
}

// slack is the part of the limit that may be advanced and not released: a ring
// of the limit 1000 may look up to 31 slots fuller than it is, one of up to 63
// is exact.
const slack = 32

// Slot returns the next free slot, or nil if the limit is reached, counting
// committed slots whether published or not. Until Commit, Slot returns the same
// slot again. Producer only.
//
// The slot is as the consumer left it one lap ago, or zero: it is not cleared in
// between, so that T can keep buffers in it. The producer may change it at will
// until it calls Publish.
func (r *Ring[T]) Slot() *T {
	if r.staged-r.seenHead >= r.limit || r.staged == r.fillEnd {
		return r.findSlot()
	}
	return &r.fill.slots[r.staged%chunkSlots]
}

// findSlot is Slot when the ring looks full or the chunk is used up.
func (r *Ring[T]) findSlot() *T {
	if r.staged-r.seenHead >= r.limit {
		r.seenHead = r.head.Load()
		if r.staged-r.seenHead >= r.limit {
			return nil
		}
	}
	if r.staged == r.fillEnd {
		r.nextChunk()
	}
	return &r.fill.slots[r.staged%chunkSlots]
}

// Commit marks the slot that Slot returned as filled. It stays private to the
// producer until Publish. Producer only, and only after Slot returned a slot.
func (r *Ring[T]) Commit() {
	if r.staged == r.fillEnd {
		panic("ring: Commit without a slot: call Slot first, and Commit only if it did not return nil")
	}
	r.staged++
}

// Publish makes every committed slot visible to the consumer, with one atomic
// store. Producer only.
func (r *Ring[T]) Publish() {
	r.tail.Store(r.staged)
}

// Peek returns the oldest unread slot, or nil if no slot is published. Until
// Advance, Peek returns the same slot again. Consumer only.
func (r *Ring[T]) Peek() *T {
	if r.read == r.readable {
		return r.findUnread()
	}
	return &r.drain.slots[r.read%chunkSlots]
}

// findUnread is Peek when the ring looks empty or the chunk is used up.
func (r *Ring[T]) findUnread() *T {
	if r.read == r.seenTail {
		r.seenTail = r.tail.Load()
		if r.read == r.seenTail {
			return nil
		}
		r.due = r.read + min(r.every.Load(), r.seenTail-r.read)
	}
	// A slot past drain was published, so its link is there to be followed.
	if r.read == r.drainEnd {
		r.drain = r.drain.next
		r.drainEnd += chunkSlots
	}
	r.readable = r.read + min(r.seenTail-r.read, r.drainEnd-r.read)
	return &r.drain.slots[r.read%chunkSlots]
}

// Advance says that the consumer is done with the slot that Peek returned: it
// must have moved the content out and must not touch the slot afterwards. The
// slot is not cleared: what it still refers to stays alive until the producer
// fills it again, so T drops what must not be kept when it is moved. Consumer
// only, and only after Peek returned a slot.
//
// The slot goes back to the producer with the next Release. Advance calls it, and
// then returns true, when a 32nd of the limit waits for it, or 32 slots do, and
// when there is nothing more that the consumer knows of.
func (r *Ring[T]) Advance() (released bool) {
	if r.read == r.readable {
		panic("ring: Advance without a slot: call Peek first, and Advance only if it did not return nil")
	}
	r.read++
	if r.read != r.due {
		return false
	}
	r.release()
	return true
}

// Release gives every slot advanced so far back to the producer, and reports
// whether there were any that it did not have. Consumer only.
func (r *Ring[T]) Release() bool {
	if r.head.Load() == r.read {
		return false
	}
	r.release()
	return true
}

func (r *Ring[T]) release() {
	r.head.Store(r.read)
	r.due = r.read + min(r.every.Load(), r.seenTail-r.read)
}

// Staged returns how many slots were committed and not yet published. Producer
// only.
func (r *Ring[T]) Staged() int { return int(r.staged - r.tail.Load()) }

// Committed returns how many slots were committed since Init. Producer only.
func (r *Ring[T]) Committed() uint64 { return r.staged }

// Ready returns how many slots the consumer is known to have in front of it;
// there may be more. Consumer only.
func (r *Ring[T]) Ready() int { return int(r.seenTail - r.read) }

// Consumed returns how many slots were advanced since Init, released or not.
// Consumer only.
func (r *Ring[T]) Consumed() uint64 { return r.read }

// Len returns how many slots are published and not yet released. To the
// producer and to the consumer, and while neither is at work, the number is
// exact. To anyone else it may include slots that were released during the call.
func (r *Ring[T]) Len() int {
	// Head first: the other way round, head could overtake the tail just read.
	head := r.head.Load()
	return int(r.tail.Load() - head)
}

// Empty reports whether no slot is published and not yet advanced. Consumer
// only.
func (r *Ring[T]) Empty() bool { return r.tail.Load() == r.read }

// Pushed returns how many slots were published since Init.
func (r *Ring[T]) Pushed() uint64 { return r.tail.Load() }

// Popped returns how many slots were released since Init.
func (r *Ring[T]) Popped() uint64 { return r.head.Load() }
