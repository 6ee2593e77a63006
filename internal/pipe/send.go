package pipe

import "github.com/ringwire/ringwire/internal/msg"

// DropQueued throws away what waits to be written. Needs the send lock.
func (e *End) DropQueued(reason Reason) {
	defer e.spend()
	if reason == PeerGone && e.group.requeues && e.out.msgs > 0 && !e.group.closed {
		e.group.hold(e)
		return
	}
	n, bytes := e.out.drop()
	if e.lane != nil && !e.joined { // nobody reads the lane
		e.lane.drain(func(m *msg.Message) {
			n++
			bytes += int64(m.Size())
		})
	}
	if n > 0 {
		e.sent.drop(reason, n, bytes)
		e.group.changes.notify()
	}
}

// Withdraw takes back everything that was accepted for the peer, as if it had
// never been, and reports whether nothing of it had left. Needs the send lock.
func (e *End) Withdraw() bool {
	if e.lane != nil {
		if e.joined {
			return false
		}
		before := e.sent.dropped[Closed]
		bytes := e.sent.droppedBytes
		e.DropQueued(Closed)
		e.sent.accepted -= e.sent.dropped[Closed] - before
		e.sent.acceptedBytes -= e.sent.droppedBytes - bytes
		e.sent.closedBytes -= e.sent.droppedBytes - bytes
		e.sent.dropped[Closed], e.sent.droppedBytes = before, bytes
		return true
	}
	n, bytes := e.out.drop()
	e.sent.accepted -= int64(n)
	e.sent.acceptedBytes -= bytes
	e.spend()
	return n > 0 && e.flight.msgs == 0
}

// Full reports whether TrySend would refuse a message. Needs the send lock.
func (e *End) Full() bool {
	if e.dying() {
		return true
	}
	if e.config.Conflate {
		return false
	}
	if e.lane != nil {
		return e.lane.full()
	}
	n := e.out.msgs + e.flight.msgs
	if e.config.SendHWM > 0 && n >= e.config.SendHWM || e.group.broke() {
		return true
	}
	return e.config.SendHWMBytes > 0 && n > 0 && e.out.bytes+e.flight.bytes >= e.config.SendHWMBytes
}

// FullFor reports whether TrySend would refuse m. Needs the send lock.
func (e *End) FullFor(m *msg.Message) bool { return e.Full() || !e.fits(m) }

// fits reports whether m stays below the bound in bytes, which one message may
// exceed if it is alone.
func (e *End) fits(m *msg.Message) bool {
	if e.lane != nil {
		return e.lane.fits(laneWeight(m))
	}
	limit, used := e.config.SendHWMBytes, e.out.bytes+e.flight.bytes
	if limit <= 0 || used == 0 || e.config.Conflate {
		return true
	}
	if used <= limit/2 && limit > 1<<20 && m.Len() == 1 && len(m.Frame(0)) <= 1<<18 {
		return true // at a glance
	}
	const header = 9 // of a frame, at most
	return used+int64(m.Size()+header*m.Len()) <= limit
}

// dying reports whether the end will not outlive a connection that was given
// up.
func (e *End) dying() bool {
	return e.spoiled.Load() && (e.lane != nil || !e.config.Connecting)
}

// TrySend queues m for the peer, whole, and reports whether there was room.
// It copies what m only borrowed; large bodies that m owns move, so that m is
// afterwards either unchanged or empty. Needs the send lock.
func (e *End) TrySend(m *msg.Message) bool {
	if e.lane != nil {
		return e.sendLane(m)
	}
	if e.FullFor(m) {
		e.touch(true)
		return false
	}
	before := e.prepare()
	if before == 0 && m.Borrowed() && hasLarge(m) && e.claim() {
		e.out.putLent(m)
	} else {
		e.out.put(m)
	}
	e.account(before)
	return true
}

// claim takes the write token for the Send in progress, if nothing is being
// written: then a large body is written from where it is.
func (e *End) claim() bool {
	w := e.wire.Load()
	if e.claimed != nil || w == nil || !w.Claim() {
		return false
	}
	e.claimed = w
	e.touch(true)
	return true
}

// Keep copies what a Send in progress lent and what is not written. The caller
// holds the write token.
func (e *End) Keep(b *Batch) {
	g := e.group
	g.mu.Lock()
	defer g.mu.Unlock()
	if b.lent {
		b.keep()
	}
	if e.out.lent {
		keep(e.out.refs, func(*ref, []byte) {})
		e.out.lent = false
	}
}

// Reply queues m whether or not there is room: it answers a message that was
// only taken from the peer while there was. Needs the send lock.
func (e *End) Reply(m *msg.Message) {
	if e.lane != nil {
		e.sendLane(m)
		return
	}
	before := e.prepare()
	e.out.put(m)
	e.account(before)
}

// prepare makes room for the next message when only the newest is kept, and
// returns how many bytes are queued.
func (e *End) prepare() int64 {
	if e.config.Conflate && e.out.msgs > 0 {
		e.sent.drop(Conflated, e.out.msgs, e.out.bytes)
		e.out.drop()
	}
	return e.out.bytes
}

// account notes one more message in the outbox, which had before bytes.
func (e *End) account(before int64) {
	if counting {
		e.sent.accepted++
		e.sent.acceptedBytes += e.out.bytes - before
	}
	e.spend()
	switch {
	case e.out.bytes >= FlushSize || e.group.conversation.Load() == last:
		e.touch(true)
	case before == 0:
		// Somebody must see to it that it is written; while more is queued
		// behind it, that is still taken care of.
		e.touch(false)
	}
}

// DropOldest makes room by dropping the message that waited longest, and
// reports whether it could: what a flush has taken, or an inproc peer can
// already see, is not taken back. Needs the send lock.
func (e *End) DropOldest() bool {
	if e.lane != nil || e.out.msgs == 0 {
		return false
	}
	e.sent.drop(HWM, 1, e.out.dropOldest())
	e.spend()
	return true
}

// Drop counts a message that was meant for this peer and will not be sent.
// Needs the send lock.
func (e *End) Drop(reason Reason, m *msg.Message) {
	e.sent.accepted++
	size := int64(m.Size())
	e.sent.acceptedBytes += size
	e.sent.drop(reason, 1, size)
}

// Prod has what is queued flushed, because a sender found no room.
func (e *End) Prod() { e.touch(true) }

func (e *End) touch(inline bool) {
	if inline {
		e.inline = true
	}
	if !e.touched {
		e.touched = true
		e.group.touched = append(e.group.touched, e)
	}
}

// Condemn has the connection closed for the given reason once the send lock
// is given back with UnlockAndFlush. Needs the send lock.
func (e *End) Condemn(reason error) {
	e.condemned = reason
	e.touch(false)
}

// errand is what is to be done for a touched end without the send lock.
type errand struct {
	inline    bool
	claimed   Wire // whose write token we hold
	condemned error
}

func (e *End) untouch() errand {
	x := errand{inline: e.inline, condemned: e.condemned}
	if e.claimed != nil {
		x.claimed, e.claimed = e.claimed.Wire, nil
	}
	e.touched, e.inline, e.condemned = false, false, nil
	return x
}

// postpone leaves an answer to be written together with those that follow: the
// receiver, who holds the read token and has more to be answered, writes them at
// the latest when it reads again. It does so only for one that answers quickly.
func (e *End) postpone(x errand) bool {
	g := e.group
	if g.conversation.Load() != early || g.token.Load() != e || x != (errand{}) {
		return false
	}
	t := now()
	if t-g.served.Load() > quietTime && t-e.filled.Load() > quietTime {
		return false
	}
	w := e.wire.Load()
	if w == nil || !w.Postpone() {
		return false
	}
	e.postponed.Store(true)
	g.served.Store(t)
	return true
}

// serve does an errand: writes what is queued, now or soon. quiet says that it
// is not the beginning of a stream.
func (e *End) serve(x errand, quiet bool) {
	if x.claimed != nil {
		e.group.endConversation()
		x.claimed.FlushClaimed()
	}
	w := e.wire.Load()
	switch {
	case x.claimed != nil && x.condemned == nil:
	case x.condemned != nil:
		e.owner.Drop(x.condemned)
	case w == nil:
	case x.inline:
		e.group.endConversation()
		if e.postponed.Load() {
			e.postponed.Store(false)
		}
		w.Flush()
	default:
		w.Serve(quiet)
	}
}

// Flush writes what is queued without waiting for more.
func (e *End) Flush() { e.serve(errand{inline: true}, true) }

// Subscribe tells the peer about a subscription. Needs the send lock.
func (e *End) Subscribe(topic string, subscribe bool) {
	if e.link != nil {
		if in := e.link.intake; in != nil {
			in.PeerSubscription(e.link, []byte(topic), subscribe)
		}
		return
	}
	if w := e.wire.Load(); w != nil {
		w.Subscription(topic, subscribe)
		e.touch(true)
	}
}

// Passed is how many messages there was room for. Needs the send lock.
func (e *End) Passed() int64 { return e.sent.accepted - e.sent.dropped[HWM] }
