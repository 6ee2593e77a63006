// Package pipe is where the user's side of a socket meets the wire's side.
// What a pattern sees is an End: one peer, with a bounded queue towards it
// and a bounded queue from it. Behind the end is either a connection, which
// session serves through the Wire interface, or, for inproc, the end of
// another socket. Ends of one socket share a Group.
//
// Who owns what:
//
//   - The send lock (Group.Lock) makes its holder the one producer of every
//     outgoing queue. It also guards the set of ends and their state. It is
//     never held across a system call, a wait or user code.
//   - The receive lock (Group.LockRecv) makes its holder the one consumer of
//     every incoming queue. It is kept while its holder waits; everybody else
//     who wants it can be cancelled.
//   - The producer of an incoming queue is the holder of the connection's read
//     token, or for inproc whoever holds the send lock of the peer socket.
//
// Lock order: receive lock, then send lock; a subscriber's send lock, then its
// inproc publisher's. Nothing else takes two of them.
package pipe

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/ringwire/ringwire/internal/msg"
	"github.com/ringwire/ringwire/internal/park"
)

// Group is what all ends of one socket share.
type Group struct {
	done chan struct{} // closed by Close
	shut atomic.Bool   // the same, cheaper to look at

	// Guarded by mu, the send lock.
	mu      sync.Mutex
	scratch msg.Message // Send's frames on their way through the pattern
	ends    []*End      // attached
	touched []*End      // ends that the send in progress gave something to flush
	spare   []*End      // recycled storage of touched
	errands []errand    // recycled storage of what is to be done for them
	closed  bool
	lost    sent // messages that went to no end

	departed   uint64  // ends that ever left something, see orphan.go; guarded by mu
	requeues   bool    // what was queued for a connection that is gone is held; immutable
	held       outbox  // see held.go; guarded by mu
	sendBudget int64   // bytes queued in all ends; 0: no bound; immutable
	sendUsed   int64   // guarded by mu
	recvBudget *budget // nil: no bound; immutable

	// served is when something was last written, or given to others to write.
	served atomic.Int64

	talks bool // the socket both sends and receives; immutable

	_ [64]byte // the receiving side writes what follows, the sending side what is above

	// conversation is what a Recv says about the Send that follows. Written by
	// either side.
	conversation atomic.Int32

	// Receiving. recv is the receive lock, receiver the place where its holder
	// sleeps.
	recv     park.Lock
	receiver park.Waiter
	counting atomic.Int32        // calls that take the receive lock for a moment, to count
	awaited  atomic.Bool         // a receiver waits for input
	wanted   atomic.Bool         // the receiver sleeps and would take a read token
	single   atomic.Pointer[End] // the one ready end, if it is a connection; written under mu
	token    atomic.Pointer[End] // the end whose read token callers hold; set by its reader, cleared under recv

	ready atomic.Int32 // ends that are ready; written under mu

	// Ends that got something to read since the receiver last looked.
	readyMu  sync.Mutex
	readyNew []*End
	nready   atomic.Int32
	leavers  leavers

	late [Reasons]atomic.Int64 // dropped by a receiver after the end was buried

	senders senders
	changes changes
}

// NewGroup returns an empty group. A socket that both sends and receives
// talks: a Send after a Recv may be an answer. Blocked senders spin for the
// given number of turns before they sleep, see park.Spin.Init.
func NewGroup(talks bool, turns int) *Group {
	g := &Group{done: make(chan struct{}), talks: talks, senders: senders{turns: turns}}
	g.recv.Init()
	return g
}

// Lock takes the send lock.
func (g *Group) Lock() { g.mu.Lock() }

// Unlock gives the send lock back and leaves what was touched for the next
// UnlockAndFlush.
func (g *Group) Unlock() { g.mu.Unlock() }

// Scratch is a message for the holder of the send lock.
func (g *Group) Scratch() *msg.Message { return &g.scratch }

// UnlockAndFlush gives the send lock back and then serves the ends that were
// touched under it.
func (g *Group) UnlockAndFlush() {
	switch len(g.touched) {
	case 0:
		g.mu.Unlock()
	case 1:
		e := g.touched[0]
		x := e.untouch()
		g.touched = g.touched[:0]
		g.mu.Unlock()
		if x.inline {
			e.serve(x, false)
			return
		}
		if e.postpone(x) {
			return
		}
		e.serve(x, g.quiet())
		g.served.Store(now())
	default:
		// Another Send may touch ends while these are flushed, so the list
		// changes hands.
		list := g.touched
		g.touched, g.spare = g.spare[:0], nil
		errands := g.errands[:0]
		g.errands = nil
		for _, e := range list {
			errands = append(errands, e.untouch())
		}
		g.mu.Unlock()
		quiet := g.quiet()
		for i, e := range list {
			e.serve(errands[i], quiet && i < quietMost)
			list[i], errands[i] = nil, errand{}
		}
		g.served.Store(now())
		g.mu.Lock()
		g.spare, g.errands = list[:0], errands[:0]
		g.mu.Unlock()
	}
}

// quietTime is how long nobody may have had anything to write for a message
// to count as one that comes alone: below, it is the beginning of a stream.
const quietTime = int64(20 * time.Microsecond)

// quietMost is how many connections a message that comes alone is written to at
// once: with more, their writers share the work.
const quietMost = 32

// quiet reports whether the sender, as far as can be told, does nothing but
// send a message now and then.
func (g *Group) quiet() bool { return now()-g.served.Load() > quietTime }

// start is the origin of the times that groups keep.
var start = time.Now()

func now() int64 { return int64(time.Since(start)) }

// Done is closed when the group is.
func (g *Group) Done() <-chan struct{} { return g.done }

// Shut reports whether Close was called, on the receiving side.
func (g *Group) Shut() bool { return g.shut.Load() }

// Closed reports whether Close was called. Needs the send lock.
func (g *Group) Closed() bool { return g.closed }

// Close makes every waiter leave and every later send fail. It reports
// whether this call was the first.
func (g *Group) Close() bool {
	g.mu.Lock()
	first := !g.closed
	if first {
		g.closed = true
		g.shut.Store(true)
		close(g.done)
	}
	g.mu.Unlock()
	g.receiver.Wake()
	if t := g.token.Load(); t != nil {
		t.Recall()
	}
	return first
}

// Ends returns the attached ends. Needs the send lock; the slice is the
// group's own.
func (g *Group) Ends() []*End { return g.ends }

// attach adds e. Needs the send lock.
func (g *Group) attach(e *End) {
	e.index = len(g.ends)
	g.ends = append(g.ends, e)
	g.changes.notify()
}

// detach removes e. Needs the send lock.
func (g *Group) detach(e *End) {
	last := len(g.ends) - 1
	g.ends[e.index] = g.ends[last]
	g.ends[e.index].index = e.index
	g.ends[last] = nil
	g.ends = g.ends[:last]
	g.changes.notify()
}

// reshape finds out anew which end is the only ready one. Needs the send lock.
// It returns an end whose read token must come back to its reader: the caller
// calls Recall on it after unlocking, if it is not nil.
func (g *Group) reshape() (recall *End) {
	var one *End
	for _, e := range g.ends {
		if g.ready.Load() != 1 {
			break
		}
		if e.ready && !e.retired && e.wire.Load() != nil {
			one = e
		}
	}
	if g.single.Load() != one {
		g.single.Store(one)
	}
	g.changes.notify()
	if t := g.token.Load(); t != nil && t != one {
		return t
	}
	return nil
}

// Wait registers for the next change of the group: an end attached, ready,
// lost or detached, messages written or dropped. It is for calls that are not
// on the path of a message. Register, look, then wait on the channel.
func (g *Group) Wait() <-chan struct{} { return g.changes.wait() }

// Notify tells everybody in Wait to look again.
func (g *Group) Notify() { g.changes.notify() }

// changes is a broadcast that costs an atomic load while nobody listens.
type changes struct {
	listening atomic.Bool
	mu        sync.Mutex
	ch        chan struct{}
}

func (c *changes) wait() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ch == nil {
		c.ch = make(chan struct{})
		c.listening.Store(true)
	}
	return c.ch
}

func (c *changes) notify() {
	if !c.listening.Load() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ch != nil {
		close(c.ch)
		c.ch = nil
		c.listening.Store(false)
	}
}
