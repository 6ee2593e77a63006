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
	wrote      int64 // bytes ever put in, see weight
	limit      int64 // most messages
	room       int64 // messages there surely is room for
	packing

	_ [64]byte // the two sides must not write the same cache line

	half   atomic.Int64 // half of the message bound: below it, a producer is woken
	slack  atomic.Int64 // most bytes taken out that the producer does not know of
	pushed atomic.Int64 // wrote, as last published; written by the producer
	popped atomic.Int64 // took, as last released; written by the consumer
	packed
	blocked atomic.Bool // the producer found no room and wants to know of some
	parting atomic.Bool // the peer has left: one message may exceed the budget

	// lazy is set while the consumer of an inproc lane is busy with what it
	// has: then the producer makes messages visible in batches. Written by the
	// consumer; it clears it before it says that there is nothing.
	lazy atomic.Bool

	space    park.Waiter         // where a connection's reader waits for room
	producer atomic.Pointer[End] // inproc: the end whose senders wait for room

	newest *newest // set when only the newest message is kept
	budget *budget // of all incoming queues of the socket; nil: none; set before the queue is shared
	listed bool    // among those who wait for it; guarded by its mu
	looks  bool    // the consumer may look again and again; set before it has the queue

	_ [64]byte

	// Owned by the consumer.
	took   int64  // bytes ever taken out
	paid   uint64 // slots given back to the budget
	streak int    // times in a row that the next message came at once
	unpacking
}

const (
	// batchMin is how many messages the consumer must have in front of it, or
	// how often in a row it must have waited for one no longer than nearLooks,
	// to let the producer batch; batchSize is how many it then stages at most.
	batchMin  = 32
	batchSize = 32
	nearLooks = 200 // a fraction of a microsecond
	// batchLooks is how often a consumer that has read its batch looks for the
	// next before it takes what is staged: a few microseconds.
	batchLooks = 6000
	// byteSlack is the part of the byte bound that may be taken out and not
	// released, and maxByteSlack the most.
	byteSlack    = 32
	maxByteSlack = 64 << 10
)

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
	q := new(Queue)
	if conflate {
		q.newest = new(newest)
	}
	q.ring.Init(0)
	q.setLimits(hwm, bytes)
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
	q.ring.Release()
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
	limit := limitFor(hwm, bytes)
	q.ring.SetLimit(limit)
	q.limit, q.room = int64(limit), 0
	q.half.Store(int64(limit / 2))
	q.limitBytes = bytes
	q.slack.Store(min(max(bytes/byteSlack, 1), maxByteSlack))
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
		if held := q.wrote - q.popped.Load(); held >= q.limitBytes {
			return nil
		}
	}
	if q.room <= 0 && !q.findRoom() {
		return nil
	}
	if q.budget != nil && q.budget.over(q) {
		return nil
	}
	return q.ring.Slot()
}

// findRoom counts how many messages there is room for.
func (q *Queue) findRoom() bool {
	if q.limit <= 0 {
		q.room = math.MaxInt64
		return true
	}
	q.room = q.limit - q.held()
	return q.room > 0
}

// slotFor is slot for a message of this weight.
func (q *Queue) slotFor(weight int64) *msg.Message {
	if !q.fits(weight) {
		q.blocked.Store(true) // before the second look: see popDone
		if !q.fits(weight) {
			return nil
		}
	}
	return q.slot()
}

// fits reports whether a message of this weight stays below the bound in bytes,
// which one may exceed if nothing else is queued.
func (q *Queue) fits(weight int64) bool {
	if q.limitBytes <= 0 || weight == 0 {
		return true
	}
	held := q.wrote - q.popped.Load()
	return held == 0 || held+weight <= q.limitBytes
}

// full reports whether slot would return nil.
func (q *Queue) full() bool { return q.slot() == nil }

// commit says that the slot was filled; publish makes it visible.
func (q *Queue) commit(m *msg.Message) {
	q.wrote += weight(m)
	q.room--
	q.ring.Commit()
}

// publish makes everything committed visible. Producer only.
func (q *Queue) publish() {
	q.closePack()
	if q.budget != nil {
		q.budget.used.Add(q.wrote - q.pushed.Load() + int64(q.ring.Staged())*slotSize)
	}
	if q.wrote != q.pushed.Load() {
		q.pushed.Store(q.wrote)
	}
	q.ring.Publish()
}

// pop moves the oldest message into m. Consumer only.
func (q *Queue) pop(m *msg.Message) bool {
	slot := q.ring.Peek()
	if slot == nil {
		if q.newest != nil {
			return q.newest.pop(m)
		}
		if slot = q.dry(); slot == nil {
			return false
		}
	}
	if q.move(slot, m) {
		q.release()
		if !q.lazy.Load() && q.ring.Ready() >= batchMin {
			q.stream()
		}
	}
	return true
}

// stream lets the producer of an inproc lane make messages visible in batches.
func (q *Queue) stream() {
	if q.producer.Load() != nil {
		q.lazy.Store(true)
	}
}

// move takes the message in slot out, and reports whether the producer should
// be told.
func (q *Queue) move(slot, m *msg.Message) bool {
	if slot.Packed() {
		return q.unpack(slot, m)
	}
	w := weight(slot)
	slot.MoveTo(m)
	q.took += w
	return q.ring.Advance() || w > 0 && q.took-q.popped.Load() >= q.slack.Load()
}

// drain calls f with every visible message. Unlike pop it takes no other
// socket's lock. Consumer only.
func (q *Queue) drain(f func(m *msg.Message)) {
	var m msg.Message
	if q.newest != nil {
		for q.newest.pop(&m) {
			f(&m)
		}
	}
	for slot := q.ring.Peek(); slot != nil; slot = q.ring.Peek() {
		q.move(slot, &m)
		f(&m)
	}
	q.release()
	m.Reset()
}

// release tells the producer what was taken out. Consumer only.
func (q *Queue) release() {
	q.ring.Release()
	q.releasePacked()
	var freed int64
	if q.budget != nil {
		slots := q.ring.Popped()
		freed = q.took - q.popped.Load() + int64(slots-q.paid)*slotSize
		q.paid = slots
	}
	if q.took != q.popped.Load() {
		q.popped.Store(q.took)
	}
	if freed > 0 {
		q.budget.free(freed)
	}
	if q.blocked.Load() {
		q.popDone()
	}
}

// dry is pop's second look, when nothing is visible.
func (q *Queue) dry() *msg.Message {
	q.release()
	if q.producer.Load() == nil {
		return nil
	}
	if q.lazy.Load() {
		if slot := q.look(batchLooks); slot != nil {
			return slot
		}
		q.collect()
		return q.ring.Peek()
	}
	slot := q.look(nearLooks)
	if slot == nil {
		q.streak = 0
		return nil
	}
	if q.streak++; q.streak == batchMin {
		q.streak = 0
		q.stream()
	}
	return slot
}

// look looks n times.
func (q *Queue) look(n int) *msg.Message {
	if !q.looks {
		return nil
	}
	for range n {
		if slot := q.ring.Peek(); slot != nil {
			return slot
		}
	}
	return nil
}

// collect ends the batches and makes visible what is staged. Consumer only; it
// takes the send lock of the producer's socket.
func (q *Queue) collect() {
	q.lazy.Store(false)
	g := q.producer.Load().group
	g.Lock()
	q.publish()
	g.Unlock()
}

// popDone wakes the producer when half of the queue is free: waking it for
// every message would make the two take turns.
func (q *Queue) popDone() {
	if n := int64(q.shown() - q.freed()); n > 0 && n > q.half.Load() {
		return
	}
	q.wakeProducer()
}

func (q *Queue) wakeProducer() {
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
	return int64(q.shown()-q.freed())*int64(unsafe.Sizeof(msg.Message{})) + q.pushed.Load() - q.popped.Load()
}

// waiting is how many messages have not been popped.
func (q *Queue) waiting() int {
	n := int(q.shown() - q.freed())
	if q.newest != nil && !q.newest.empty() {
		n++
	}
	return n
}

// empty reports whether there is nothing to pop. Consumer only.
func (q *Queue) empty() bool {
	if q.newest != nil {
		return q.newest.empty()
	}
	if !q.ring.Empty() {
		return false
	}
	if !q.lazy.Load() {
		return true
	}
	q.collect()
	return q.ring.Empty()
}

func (n *newest) empty() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return !n.full
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
