package session

import (
	"context"
	"sync/atomic"
	"time"
)

// leaseTime is how long a receiver may keep the read token without reading.
// It bounds how late a PING is answered while nobody is in Recv; renewing it
// costs a timer in this interval, not one per message.
const leaseTime = 5 * time.Millisecond

// lease brings the read token back to the reader goroutine.
type lease struct {
	s     *Session
	alarm alarm
	armed atomic.Bool // the timer runs
	seen  uint64      // fills at the last tick; owned by tick
}

func (l *lease) init(s *Session) {
	l.s, l.alarm.after, l.alarm.of = s, leaseTime, l
}

// arm starts the lease if it does not run: the token was handed over, or a
// receiver left the poller.
func (l *lease) arm() {
	if !l.armed.Load() && l.armed.CompareAndSwap(false, true) {
		l.alarm.set()
	}
}

func (l *lease) tick() {
	g, e := l.s.group, l.s.end
	if !g.Holds(e) {
		l.disarm()
		return
	}
	if n := l.s.fills.Load(); n != l.seen {
		l.seen = n
		l.alarm.set()
		return
	}
	if g.TryLockRecv() {
		g.ReturnToken(e)
		l.armed.Store(false)
		g.UnlockRecv()
		return
	}
	// Somebody is in Recv. While it waits in the poller it reads for us, and
	// arms the lease again when it leaves.
	l.armed.Store(false)
	if !l.s.inPoll.Load() {
		l.arm()
	}
}

// disarm stops the lease, unless the token was handed over meanwhile.
func (l *lease) disarm() {
	l.armed.Store(false)
	if l.s.group.Holds(l.s.end) {
		l.arm()
	}
}

// cancellation makes a context recall the receiver that waits in the poller.
// A registration is kept for the next wait with the same context. It is owned
// by the holder of the receive lock.
type cancellation struct {
	done <-chan struct{}
	stop func() bool
}

func (c *cancellation) register(ctx context.Context, s *Session) {
	done := ctx.Done()
	if done == nil || done == c.done {
		return
	}
	c.forget()
	c.done, c.stop = done, context.AfterFunc(ctx, s.Recall)
}

// forget ends the registration: it was used up, or is for another context.
func (c *cancellation) forget() {
	if c.stop != nil {
		c.stop()
	}
	c.done, c.stop = nil, nil
}
