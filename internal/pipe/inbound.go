package pipe

import (
	"context"

	"github.com/ringwire/ringwire/internal/msg"
	"github.com/ringwire/ringwire/internal/park"
)

// LockRecv takes the receive lock, or returns false when cancel was ready
// first.
func (g *Group) LockRecv(cancel <-chan struct{}) bool { return g.recv.Lock(cancel) }

// TryLockRecv takes the receive lock if no receiver has it.
func (g *Group) TryLockRecv() bool {
	for !g.recv.TryLock() {
		if g.counting.Load() == 0 {
			return false
		}
		park.Turn() // it may only be somebody who counts
	}
	return true
}

// UnlockRecv gives the receive lock back, and with it a read token that must
// not stay: whoever changed the group's ends meanwhile could not take it.
func (g *Group) UnlockRecv() {
	g.recv.Unlock()
	g.Settle()
}

// Settle returns a read token that does not belong to the single ready end, if
// the receive lock is free. If it is not, its holder settles after unlocking.
func (g *Group) Settle() {
	for {
		t := g.token.Load()
		if t == nil || t == g.single.Load() || !g.recv.TryLock() {
			return
		}
		if t := g.token.Load(); t != nil && t != g.single.Load() {
			t.returnToken()
		}
		g.recv.Unlock()
	}
}

// Token is the end whose connection callers read themselves, nil if none.
// Needs the receive lock. An end that is not the single one any more gives
// its token back first.
func (g *Group) Token() *End {
	t := g.token.Load()
	if t != nil && t != g.single.Load() {
		t.returnToken()
		return nil
	}
	return t
}

// ReturnToken gives the read token of e back, if it is out. Needs the receive
// lock.
func (g *Group) ReturnToken(e *End) {
	if g.token.Load() == e {
		e.returnToken()
	}
}

func (e *End) returnToken() {
	w := e.wire.Load()
	e.got.published.Store(e.got.direct)
	e.drained = false
	e.group.token.Store(nil)
	w.Return()
}

// Holds reports whether callers hold the read token of e.
func (g *Group) Holds(e *End) bool { return g.token.Load() == e }

// Offer hands the read token of e to the receivers, on the edge when the
// reader has just queued something and somebody waits: no system call is
// needed for it. It reports whether they took it; then the caller must not
// read until the wire's Return.
func (g *Group) Offer(e *End) bool {
	if e.intake != nil || !g.wanted.Load() || g.single.Load() != e || !g.token.CompareAndSwap(nil, e) {
		return false // an intake can have something for the receiver while it waits in the poller
	}
	g.wanted.Store(false)
	e.activate()
	g.receiver.Wake()
	return true
}

// Inbox is what a receiver looks into before it sleeps.
type Inbox interface {
	// Inputs reports whether an end that was not let go has something.
	Inputs() bool
	// Settle lets go of the ends that ran dry, and reports whether something
	// came in meanwhile.
	Settle() bool
}

// AwaitInput waits until there may be something to receive. It needs the receive
// lock and returns false when cancel was ready first. A closed group returns
// true.
func (g *Group) AwaitInput(in Inbox, spin *park.Spin, cancel <-chan struct{}) bool {
	g.awaited.Store(true)
	defer g.awaited.Store(false)
	if g.single.Load() != nil {
		g.wanted.Store(true)
		defer g.wanted.Store(false)
	}
	if n := spin.Budget(); n > 0 {
		for i := range n * looksPerTurn {
			if g.pending(in) {
				spin.Hit()
				return true
			}
			if i%(looksPerTurn*turnsAtOnce) == 0 {
				park.Turn()
			}
		}
		spin.Miss()
	}
	g.receiver.Arm()
	if in.Settle() || g.token.Load() != nil || g.Shut() {
		g.receiver.Disarm()
		return true
	}
	return g.receiver.Wait(cancel)
}

// A look costs a twentieth of a turn, and a turn may wake another processor that
// then looks for work: so of several turns at once all but one are looks.
const (
	looksPerTurn = 20
	turnsAtOnce  = 8
)

// spinners is how many connections' readers may look again before they sleep.
const spinners = 8

// Awaited reports whether it pays for a connection's own reader to look again
// before it sleeps: somebody waits for what it reads, and it is one of few.
func (g *Group) Awaited() bool {
	return g.awaited.Load() && g.ready.Load() <= spinners
}

// pending is the cheap look of a spinning receiver.
func (g *Group) pending(in Inbox) bool {
	return g.token.Load() != nil || g.nready.Load() > 0 || in.Inputs() || g.Shut()
}

// WakeReceiver makes a sleeping receiver look again, as when its pattern got
// something to return that is not in any end.
func (g *Group) WakeReceiver() { g.receiver.Wake() }

// TakeReady appends the ends that got something to read since the last call.
// Needs the receive lock.
func (g *Group) TakeReady(dst []*End) []*End {
	if g.nready.Load() == 0 {
		return dst
	}
	return g.takeReady(dst)
}

func (g *Group) takeReady(dst []*End) []*End {
	g.readyMu.Lock()
	defer g.readyMu.Unlock()
	dst = append(dst, g.readyNew...)
	clear(g.readyNew)
	g.readyNew = g.readyNew[:0]
	g.nready.Store(0)
	return dst
}

// activate lists e as having something to read and wakes the receiver, unless
// it is listed already: then the receiver will look at it before it sleeps.
func (e *End) activate() {
	if e.active.Load() || !e.active.CompareAndSwap(false, true) {
		return
	}
	g := e.group
	g.readyMu.Lock()
	g.readyNew = append(g.readyNew, e)
	g.nready.Store(int32(len(g.readyNew)))
	g.readyMu.Unlock()
	g.receiver.Wake()
}

// Deactivate takes e off the list of those that have something to read. It
// returns false, and e stays listed with the caller, when something is there,
// or callers have just got its read token. Needs the receive lock.
func (e *End) Deactivate() bool {
	e.active.Store(false)
	if e.in.Load().empty() && e.group.token.Load() != e {
		e.farewell()
		return true
	}
	// Either we list it again, or its producer has just done so.
	return !e.active.CompareAndSwap(false, true)
}

// Unread is about how much memory the messages from the peer take that were
// not received.
func (e *End) Unread() int64 { return e.in.Load().memory() }

// Discard drops the messages from the peer that were not received, unless a
// receiver is at work, who may take them.
func (e *End) Discard(reason Reason) {
	if !e.group.recv.TryLock() {
		return
	}
	e.in.Load().drain(func(*msg.Message) { e.DropReceived(reason) })
	e.group.recv.Unlock()
}

// Readable reports whether messages from the peer are queued. Needs the
// receive lock.
func (e *End) Readable() bool { return !e.in.Load().empty() }

// Pause stops the receivers from looking at e until there is room towards it
// or its peer sends more. It returns false if there is room. Needs the receive
// lock; the fair queue must forget e.
func (e *End) Pause() bool {
	g := e.group
	g.mu.Lock()
	full := e.attached && e.Full()
	if full {
		e.wantsRoom.Store(true)
		e.active.Store(false)
	}
	g.mu.Unlock()
	if full {
		e.in.Load().release()
		g.ReturnToken(e)
	}
	return full
}

// Slot is where the connection's reader decodes the next message, nil when
// the queue is full. Needs the read token.
func (e *End) Slot() *msg.Message {
	if e.group.Shut() {
		return &e.waste // read on, so that the peer's close is seen
	}
	q := e.in.Load()
	if q.newest != nil {
		return &q.newest.slot
	}
	q.closePack()
	return q.slot()
}

// Pack queues a message of one short frame, and reports whether it did: else it
// must take the way through Slot. It becomes visible with Publish. Needs the read
// token.
func (e *End) Pack(body []byte) bool {
	if e.intake != nil || e.config.Conflate || e.group.Shut() {
		return false
	}
	q := e.in.Load()
	if !q.pack(body) {
		return false
	}
	if q.count >= batchSize {
		q.closePack()
	}
	return true
}

// Commit hands the message in the last Slot over; it becomes visible with
// Publish. An intake that consumes the message keeps it from the queue. Needs
// the read token.
func (e *End) Commit(m *msg.Message) (queued bool) {
	if m == &e.waste {
		e.got.late.Add(1)
		return false
	}
	if e.intake != nil && e.intake.Intake(e, m) {
		m.Reset()
		return false
	}
	q := e.in.Load()
	if q.newest != nil {
		q.newest.push(m)
	} else {
		q.commit(m)
	}
	return true
}

// Publish makes the committed messages visible to the receivers.
func (e *End) Publish() {
	q := e.in.Load()
	if q.newest == nil {
		q.publish()
	}
	e.activate()
}

// WaitSpace waits until Slot may succeed; false says that cancel was ready
// first. Needs the read token.
func (e *End) WaitSpace(cancel <-chan struct{}) bool {
	return e.in.Load().waitSpace(cancel, e.group.done)
}

// TryRecv moves the next message from the peer into m, whole, and reports
// whether there was one. Needs the receive lock.
func (e *End) TryRecv(m *msg.Message) bool {
	held := e.group.token.Load() == e
	if held && e.drained {
		return e.next(m)
	}
	q := e.in.Load()
	if q.pop(m) {
		e.viaQueue = true
		m.SetPeer(e.peer)
		if e.group.talks {
			e.group.converse(q.empty() && (!held || e.wire.Load().Drained()))
		}
		return true
	}
	// While callers hold the token nobody puts anything into the queue.
	e.drained = held
	if held {
		return e.next(m)
	}
	e.farewell()
	return false
}

// next decodes a message from the connection of e, whose token callers hold,
// and whose queue is drained.
func (e *End) next(m *msg.Message) bool {
	w := e.wire.Load()
	if !w.Next(m) {
		return false
	}
	e.viaQueue = false
	if counting {
		e.got.direct++
	}
	m.SetPeer(e.peer)
	if e.group.talks {
		// If Next returned the token, the message is still the last one.
		e.group.converse(w.Drained())
	}
	return true
}

// What a Send is, as far as the receiver can tell.
const (
	unasked int32 = iota
	early         // an answer, with more to be answered already here
	last          // the answer to the last message that was here: somebody waits
)

// converse notes whether the message just received was the last one there.
func (g *Group) converse(drained bool) {
	what := early
	if drained {
		what = last
	}
	if g.conversation.Load() != what {
		g.conversation.Store(what)
	}
}

func (g *Group) endConversation() {
	if g.conversation.Load() != unasked {
		g.conversation.Store(unasked)
	}
}

// Fill reads from the connection of e, whose token callers hold. Needs the
// receive lock.
func (e *End) Fill(ctx context.Context, block bool) error {
	e.got.published.Store(e.got.direct)
	w := e.wire.Load()
	if e.postponed.Load() {
		e.postponed.Store(false)
		w.Flush()
	}
	err := w.Fill(ctx, block)
	if e.group.talks {
		e.filled.Store(now())
	}
	return err
}
