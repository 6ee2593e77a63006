package pipe

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/ringwire/ringwire/internal/park"
)

// Sender is one blocked Send. Each has a waiter of its own, so that one
// announcement serves one goroutine.
type Sender struct {
	waiter park.Waiter
	spin   park.Spin
	end    *End // the end it waits for; nil: any
	queued bool // guarded by senders.mu
	next   *Sender
}

// senders are the blocked Sends of a group, in the order they came. Its lock
// is innermost: the consumer of an inproc queue takes it for a foreign group.
type senders struct {
	turns int // see park.Spin.Init; immutable

	n    atomic.Int32 // length of the list
	mu   sync.Mutex
	head *Sender
	tail *Sender
	free *Sender // spare ones; not a global pool, because their channels must stay in one testing/synctest bubble
}

// get returns a Sender that is not on the list.
func (l *senders) get() *Sender {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.free
	if s == nil {
		s = new(Sender)
		s.spin.Init(l.turns)
		return s
	}
	l.free, s.next = s.next, nil
	return s
}

func (l *senders) put(s *Sender) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.end = nil
	s.next, l.free = l.free, s
}

// Block registers the caller as waiting for room in end, nil for any. It
// needs the send lock, so that no room can come between the attempt that
// failed and the registration.
func (g *Group) Block(end *End) *Sender {
	s := g.senders.get()
	s.end = end
	s.waiter.Arm()
	g.senders.push(s)
	return s
}

// AwaitRoom sleeps until there may be room, the group is closed, or cancel is
// ready, which makes it return false. The Sender is used up.
func (g *Group) AwaitRoom(s *Sender, cancel <-chan struct{}) bool {
	ok := true
	s.spinWhileArmed(g)
	select {
	case <-s.waiter.C():
	case <-cancel:
		ok = false
		g.unblock(s)
	case <-g.done:
		g.unblock(s)
	}
	g.senders.put(s)
	return ok
}

// spins reports whether waiting may use a processor.
func (g *Group) spins() bool { return g.senders.turns >= 0 && runtime.GOMAXPROCS(0) > 1 }

// spinWhileArmed waits a little while for the wake: room often comes before a
// processor could be woken again.
func (s *Sender) spinWhileArmed(g *Group) {
	n := s.spin.Budget()
	if n == 0 {
		return
	}
	for range n {
		if !s.waiter.Armed() || g.Shut() {
			s.spin.Hit()
			return
		}
		park.Turn()
	}
	s.spin.Miss()
}

// Unblock is for a registration that was not needed after all.
func (g *Group) Unblock(s *Sender) {
	g.unblock(s)
	g.senders.put(s)
}

// unblock takes s off the list. A wake that s had got is passed on.
func (g *Group) unblock(s *Sender) {
	end := s.end
	g.senders.remove(s)
	if s.waiter.Disarm() {
		g.roomIn(end)
	}
}

// roomIn says that end has room again: the first sender that waits for it, or
// for any end, tries again; nil stands for every end.
func (g *Group) roomIn(end *End) bool {
	if end != nil && end.wantsRoom.Load() && end.wantsRoom.CompareAndSwap(true, false) {
		end.activate()
	}
	return g.senders.n.Load() > 0 && g.senders.wake(end)
}

// PassOn is called by a sender that was blocked and then succeeded: there may
// be room for the next one too.
//
// Everybody is woken: the first one may wait for an end that is full, and an
// inproc end says only once that it has room.
func (g *Group) PassOn() { g.Room() }

// Room says that things changed for every blocked sender, as when an end was
// attached or closed.
func (g *Group) Room() {
	for g.roomIn(nil) {
	}
}

func (l *senders) push(s *Sender) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.next, s.queued = nil, true
	if l.tail == nil {
		l.head = s
	} else {
		l.tail.next = s
	}
	l.tail = s
	l.n.Add(1)
}

// wake removes and wakes the first sender that end can serve. It wakes under
// the lock: a sender that gives up meanwhile either takes itself off first or
// finds the wake and passes it on.
func (l *senders) wake(end *End) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	var prev *Sender
	for s := l.head; s != nil; prev, s = s, s.next {
		if end == nil || s.end == nil || s.end == end {
			l.unlink(prev, s)
			s.waiter.Wake()
			return true
		}
	}
	return false
}

func (l *senders) remove(s *Sender) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !s.queued {
		return
	}
	var prev *Sender
	for x := l.head; x != nil; prev, x = x, x.next {
		if x == s {
			l.unlink(prev, s)
			return
		}
	}
}

func (l *senders) unlink(prev, s *Sender) {
	if prev == nil {
		l.head = s.next
	} else {
		prev.next = s.next
	}
	if l.tail == s {
		l.tail = prev
	}
	s.next, s.queued = nil, false
	l.n.Add(-1)
}
