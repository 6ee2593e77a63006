package pipe

import (
	"sync"
	"sync/atomic"

	"github.com/ringwire/ringwire/internal/msg"
)

// Reason is why a message was dropped.
type Reason uint8

// The reasons, in the order in which Stats lists them.
const (
	HWM Reason = iota
	PeerGone
	NoRoute
	Closed
	Oversize
	Conflated
	Malformed
	Stale
	Reasons // how many there are
)

var reasonNames = [Reasons]string{"hwm", "peer gone", "no route", "closed", "oversize", "conflated", "malformed envelope", "stale reply"}

func (r Reason) String() string { return reasonNames[r] }

// Drops counts dropped messages by reason.
type Drops [Reasons]int64

// Total is the sum over all reasons.
func (d *Drops) Total() int64 {
	var n int64
	for _, v := range d {
		n += v
	}
	return n
}

// sent counts messages towards the peer. Guarded by the send lock. At any
// moment when no call is in progress,
//
//	accepted = written + dropped + queued
//	written = confirmed + in flight + doubt
//
// where queued is what lies in the outbox or in a flush, confirmed is what the
// peer gave a receipt for or, by the end of the connection, answered, and doubt is what it did not while the connection
// lasted over which it was written.
type sent struct {
	accepted      int64
	acceptedBytes int64
	written       int64
	confirmed     int64
	doubt         int64
	dropped       Drops
	droppedBytes  int64
	closedBytes   int64 // the part of droppedBytes that was dropped as Closed
}

func (s *sent) drop(r Reason, msgs int, bytes int64) {
	s.dropped[r] += int64(msgs)
	s.droppedBytes += bytes
	if r == Closed {
		s.closedBytes += bytes
	}
}

// got counts messages from the peer:
//
//	arrived = returned + dropped + queued
//
// Messages that went through the queue are counted by the queue; direct are
// those that a receiver decoded itself. It is owned by the holder of the
// receive lock, who publishes it before each wait.
type got struct {
	direct    int64
	published atomic.Int64
	refused   atomic.Int64 // discarded by the intake
	late      atomic.Int64 // came while the socket was closing
	oversize  atomic.Int64 // ended their connection because they were too large

	mu      sync.Mutex
	dropped Drops // taken out by a receiver and not returned; guarded by mu
	buried  bool  // counted for the last time; guarded by mu
}

// Counts is a snapshot of one end, or a sum over several.
type Counts struct {
	Accepted, AcceptedBytes int64
	Written, InDoubt        int64
	Confirmed               int64
	SendQueued, SendBytes   int64
	SendDropped             Drops
	SendDroppedBytes        int64
	SendClosedBytes         int64

	Arrived, Returned int64
	RecvQueued        int64
	RecvDropped       Drops
}

// Add adds o to c.
func (c *Counts) Add(o *Counts) {
	c.Accepted += o.Accepted
	c.AcceptedBytes += o.AcceptedBytes
	c.Written += o.Written
	c.InDoubt += o.InDoubt
	c.Confirmed += o.Confirmed
	c.SendQueued += o.SendQueued
	c.SendBytes += o.SendBytes
	c.SendDroppedBytes += o.SendDroppedBytes
	c.SendClosedBytes += o.SendClosedBytes
	c.Arrived += o.Arrived
	c.Returned += o.Returned
	c.RecvQueued += o.RecvQueued
	for i := range c.SendDropped {
		c.SendDropped[i] += o.SendDropped[i]
		c.RecvDropped[i] += o.RecvDropped[i]
	}
}

// Counts returns the counters of e, exact when no call is in progress. Needs
// the send lock.
func (e *End) Counts() Counts {
	e.got.mu.Lock()
	defer e.got.mu.Unlock()
	return e.counts()
}

// Bury returns the counters for the last time if nothing can come from the peer
// any more and everything was received. A receiver may still drop what it has
// taken: that is counted by the group from then on. Needs the send lock.
func (e *End) Bury() (c Counts, done bool) {
	e.got.mu.Lock()
	defer e.got.mu.Unlock()
	fed := e.fed.Load() // before the counters: what came is then in them
	c = e.counts()
	e.got.buried = c.RecvQueued == 0 && !fed && !e.Connected()
	return c, e.got.buried
}

// counts needs got.mu.
func (e *End) counts() Counts {
	s := &e.sent
	c := Counts{
		Accepted: s.accepted, AcceptedBytes: s.acceptedBytes,
		Written: s.written, InDoubt: s.doubt, Confirmed: s.confirmed,
		SendQueued: int64(e.out.msgs + e.flight.msgs), SendBytes: e.out.bytes + e.flight.bytes,
		SendDropped: s.dropped, SendDroppedBytes: s.droppedBytes, SendClosedBytes: s.closedBytes,
	}
	if e.lane != nil && !e.joined {
		c.SendQueued = int64(e.lane.waiting())
		c.SendBytes = s.acceptedBytes - s.droppedBytes
	}
	e.countLane(&c)

	direct := e.got.published.Load()
	q := e.in.Load()
	g := e.group
	g.counting.Add(1)
	if g.recv.TryLock() {
		direct = e.got.direct
		q.release()
		g.recv.Unlock()
		g.Settle() // for whoever could not while we had the lock
	}
	g.counting.Add(-1)
	// What is queued is derived from the same two numbers, or a message that is
	// received meanwhile would be in none of the three.
	popped := q.freed()
	pushed := q.shown()
	c.Arrived = int64(pushed-e.base) + direct
	c.Returned = int64(popped-e.base) + direct
	c.RecvQueued = int64(pushed - popped)
	if n := q.newest; n != nil {
		n.mu.Lock()
		c.Arrived += int64(n.pushed - n.moved)
		c.Returned += int64(n.popped) - int64(n.moved)
		c.RecvDropped[Conflated] += int64(n.dropped)
		if n.full {
			c.RecvQueued++
		}
		n.mu.Unlock()
	}
	refused := e.got.refused.Load()
	c.Arrived += refused
	c.RecvDropped[NoRoute] += refused
	oversize := e.got.oversize.Load()
	c.Arrived += oversize
	c.RecvDropped[Oversize] += oversize
	late := e.got.late.Load()
	c.Arrived += late
	c.RecvDropped[Closed] += late
	for i, n := range e.got.dropped {
		c.RecvDropped[i] += n
		c.Returned -= n
	}
	return c
}

// countLane derives what was written from an inproc lane: a message is
// written when it is in the queue of a peer.
func (e *End) countLane(c *Counts) {
	if e.lane == nil {
		return
	}
	c.Written = c.Accepted - c.SendQueued - c.SendDropped.Total()
	c.Confirmed = c.Written
}

// Exceeded counts a message over the size limits.
func (e *End) Exceeded() { e.got.oversize.Add(1) }

// Refuse counts a message that an intake discarded.
func (e *End) Refuse() { e.got.refused.Add(1) }

// DropReceived counts a message that was received and not returned to the
// application.
func (e *End) DropReceived(r Reason) {
	e.got.mu.Lock()
	defer e.got.mu.Unlock()
	if e.got.buried {
		e.group.late[r].Add(1)
		return
	}
	e.got.dropped[r]++
}

func (e *End) countBytes(n int64) {
	if counting {
		e.sent.acceptedBytes += n
	}
}

// Drop counts a message that was accepted and goes to no end. Needs the send
// lock.
func (g *Group) Drop(reason Reason, m *msg.Message) {
	size := int64(m.Size())
	g.lost.accepted++
	g.lost.acceptedBytes += size
	g.lost.drop(reason, 1, size)
}

// Lost returns the counters of the messages that belong to no end: sent to
// none, or received from one that was buried and dropped after that. Needs the
// send lock.
func (g *Group) Lost() Counts {
	l := &g.lost
	c := Counts{Accepted: l.accepted, AcceptedBytes: l.acceptedBytes, SendDropped: l.dropped, SendDroppedBytes: l.droppedBytes, SendClosedBytes: l.closedBytes}
	c.Accepted += int64(g.held.msgs)
	c.AcceptedBytes += g.held.bytes
	c.SendQueued, c.SendBytes = int64(g.held.msgs), g.held.bytes
	for i := range g.late {
		n := g.late[i].Load()
		c.RecvDropped[i] += n
		c.Returned -= n
	}
	return c
}

// Accepted is how many messages were accepted for the peer. Needs the send
// lock.
func (e *End) Accepted() int64 { return e.sent.accepted }

// Handled is how many of them were written or dropped. Needs the send lock.
func (e *End) Handled() int64 {
	if e.lane != nil {
		if e.joined {
			return e.sent.accepted
		}
		return e.sent.accepted - int64(e.lane.waiting())
	}
	return e.sent.written + e.sent.dropped.Total()
}
