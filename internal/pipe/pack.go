package pipe

import (
	"sync/atomic"

	"github.com/ringwire/ringwire/internal/msg"
)

// While the consumer of an inproc lane is busy, the producer puts small
// messages together into packs, of which each takes one slot of the ring. What
// follows counts messages where the ring counts slots: a pack of n messages is
// n-1 more than its slot.

// packing is owned by the producer.
type packing struct {
	open  *msg.Message // the slot of the pack that is being filled, not committed
	count int          // messages in it
	more  uint64       // messages ever packed, less the slots they took
}

// packed is what each side tells the other.
type packed struct {
	moreShown atomic.Uint64 // more, as last published; written by the producer
	moreFreed atomic.Uint64 // moreTaken, as last released; written by the consumer
}

// unpacking is owned by the consumer.
type unpacking struct {
	at        int    // where the next message of the pack in front begins
	moreTaken uint64 // messages ever taken from packs, less the slots given back
}

// shown is how many messages were ever published.
func (q *Queue) shown() uint64 { return q.ring.Pushed() + q.moreShown.Load() }

// freed is how many of them the consumer gave back. It may be a few behind.
func (q *Queue) freed() uint64 { return q.ring.Popped() + q.moreFreed.Load() }

// consumed is how many of them were taken out. Consumer only.
func (q *Queue) consumed() uint64 { return q.ring.Consumed() + q.moreTaken }

// held is how many messages were put in and not given back. Producer only.
func (q *Queue) held() int64 {
	freed := q.freed() // first: it must not be ahead of what was put in
	return int64(q.ring.Committed() + q.more + uint64(q.count) - freed)
}

// pack puts a small body into the open pack, and reports whether there was
// room. Producer only.
func (q *Queue) pack(body []byte) bool {
	if q.open == nil || q.room <= 0 {
		slot := q.slot() // the open pack's, if there is one
		if slot == nil {
			return false
		}
		q.open = slot
	}
	q.open.Pack(body)
	q.room--
	q.count++
	return true
}

// closePack commits the open pack, if there is one.
func (q *Queue) closePack() {
	if q.open == nil {
		return
	}
	q.more += uint64(q.count) - 1
	q.open, q.count = nil, 0
	q.moreShown.Store(q.more)
	q.ring.Commit()
}

// unpack takes the next message out of the pack in slot, and reports whether the
// producer should be told. Consumer only.
func (q *Queue) unpack(slot, m *msg.Message) bool {
	q.moreTaken++
	if q.at = slot.Unpack(q.at, m); q.at > 0 {
		return false
	}
	slot.Reset()
	q.moreTaken-- // the slot counts as one
	q.ring.Advance()
	return true
}

// releasePacked tells the producer what was taken from packs. Consumer only.
func (q *Queue) releasePacked() {
	if q.moreTaken != q.moreFreed.Load() {
		q.moreFreed.Store(q.moreTaken)
	}
}
