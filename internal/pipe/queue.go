package pipe

import (
	"math"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/ringwire/ringwire/internal/msg"
	"github.com/ringwire/ringwire/internal/park"
	"github.com/ringwire/ringwire/internal/ring"
)

// Queue carries whole messages from one goroutine at a time to another: from
// a connection's reader to the receivers of its socket, or, for inproc, from
// the senders of one socket to the receivers of another.
type Queue struct {
	ring ring.Ring[msg.Message]

	// Owned by the producer.
	limitBytes int64

	half    atomic.Int64 // half of the message bound: below it, a producer is woken
	pushed  atomic.Int64 // bytes ever pushed, see weight; written by the producer
	popped  atomic.Int64 // bytes ever popped; written by the consumer
	blocked atomic.Bool  // the producer found no room and wants to know of some

	space    park.Waiter         // where a connection's reader waits for room
	producer atomic.Pointer[End] // inproc: the end whose senders wait for room

	newest *newest // set when only the newest message is kept
}

// newest replaces the ring for a conflated pipe: a ring's producer cannot take
// back what the consumer has not read.
type newest struct {
	mu      sync.Mutex
	slot    msg.Message // owned by the producer
	m       msg.Message
	full    bool
	pushed  uint64
	popped  uint64
	dropped uint64
	moved   uint64 // pushed after they had gone through the ring
}

// limitFor is how many messages a queue may hold. One that is bounded by bytes
// alone still counts small messages, at what their slot takes.
func limitFor(hwm int, bytes int64) int {
	if hwm <= 0 && bytes > 0 {
		return int(min(bytes/msg.Small+1, math.MaxInt32))
	}
	return hwm
}

func newQueue(hwm int, bytes int64, conflate bool) *Queue {
	q := &Queue{limitBytes: bytes}
	if conflate {
		q.newest = new(newest)
	}
	q.ring.Init(limitFor(hwm, bytes))
	q.half.Store(int64(limitFor(hwm, bytes) / 2))
	q.space.Init()
	return q
}

// conflate makes a queue that nobody reads yet keep only the newest message.
func (q *Queue) conflate() {
	if q.newest != nil {
		return
	}
	q.newest = new(newest)
	for m := q.ring.Peek(); m != nil; m = q.ring.Peek() {
		q.newest.push(m)
		q.ring.Advance()
		q.newest.moved++
	}
}

// weight is what m counts towards the byte bound. Small bodies lie in the
// ring's own slots, whose number is bounded.
func weight(m *msg.Message) int64 {
	if _, ok := m.InlineBody(); ok {
		return 0
	}
	return int64(m.Size())
}

// setLimits changes the bounds. Producer only.
func (q *Queue) setLimits(hwm int, bytes int64) {
	q.ring.SetLimit(limitFor(hwm, bytes))
	q.half.Store(int64(limitFor(hwm, bytes) / 2))
	q.limitBytes = bytes
}

// slot is where the producer puts the next message, nil when there is no
// room. A nil is followed by a wake of the producer once half the queue has
// been read.
func (q *Queue) slot() *msg.Message {
	if m := q.trySlot(); m != nil {
		return m
	}
	q.blocked.Store(true) // before the second look: see popDone
	return q.trySlot()
}

func (q *Queue) trySlot() *msg.Message {
	if q.limitBytes > 0 {
		if held := q.pushed.Load() - q.popped.Load(); held >= q.limitBytes {
			return nil
		}
	}
	return q.ring.Slot()
}

// full reports whether slot would return nil.
func (q *Queue) full() bool { return q.slot() == nil }

// commit says that the slot was filled; publish makes it visible.
func (q *Queue) commit(m *msg.Message) {
	if w := weight(m); w > 0 {
		q.pushed.Add(w)
	}
	q.ring.Commit()
}

// pop moves the oldest message into m. Consumer only.
func (q *Queue) pop(m *msg.Message) bool {
	if q.newest != nil {
		return q.newest.pop(m)
	}
	slot := q.ring.Peek()
	if slot == nil {
		return false
	}
	w := weight(slot)
	slot.MoveTo(m)
	q.ring.Advance()
	if w > 0 {
		q.popped.Add(w)
	}
	if q.blocked.Load() {
		q.popDone()
	}
	return true
}

// popDone wakes the producer when half of the queue is free: waking it for
// every message would make the two take turns.
func (q *Queue) popDone() {
	if n := int64(q.ring.Len()); n > 0 && n > q.half.Load() {
		return
	}
	q.blocked.Store(false)
	q.space.Wake()
	if e := q.producer.Load(); e != nil {
		e.group.roomIn(e)
	}
}

// waitSpace sleeps until slot may succeed, or the socket is done; false says
// that cancel was ready first. Producer only, for a connection's reader.
func (q *Queue) waitSpace(cancel, done <-chan struct{}) bool {
	q.space.Arm()
	if q.slot() != nil {
		q.space.Disarm()
		return true
	}
	select {
	case <-q.space.C():
	case <-done:
		q.space.Disarm()
	case <-cancel:
		q.space.Disarm()
		return false
	}
	return true
}

// memory is about how many bytes the queued messages take. Any goroutine may
// call it.
func (q *Queue) memory() int64 {
	return int64(q.ring.Len())*int64(unsafe.Sizeof(msg.Message{})) + q.pushed.Load() - q.popped.Load()
}

// waiting is how many messages have not been popped.
func (q *Queue) waiting() int {
	n := q.ring.Len()
	if q.newest != nil && !q.empty() {
		n++
	}
	return n
}

// empty reports whether there is nothing to pop.
func (q *Queue) empty() bool {
	if q.newest != nil {
		q.newest.mu.Lock()
		defer q.newest.mu.Unlock()
		return !q.newest.full
	}
	return q.ring.Empty()
}

func (n *newest) push(m *msg.Message) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.pushed++
	if n.full {
		n.dropped++
	}
	n.full = true
	m.MoveTo(&n.m)
}

func (n *newest) pop(m *msg.Message) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.full {
		return false
	}
	n.full = false
	n.popped++
	n.m.MoveTo(m)
	return true
}
