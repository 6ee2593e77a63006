package pipe

// What was queued for a peer that is gone, and of which no byte was written, may
// go to another peer: nobody can have received it. A group that requeues holds
// it until a connection has room, and gives it to whichever flushes first. It
// counts as queued, and as accepted by no end until one takes it.

// Requeue makes g hold what was queued for connections that are gone for good.
// It must be called before g is shared.
func (g *Group) Requeue() { g.requeues = true }

// Held is how many messages are held. Needs the send lock.
func (g *Group) Held() int { return g.held.msgs }

// hold takes what is queued in e, which is gone, and has others look. Needs the
// send lock.
func (g *Group) hold(e *End) {
	e.sent.accepted -= int64(e.out.msgs)
	e.sent.acceptedBytes -= e.out.bytes
	g.spendHeld(e.out.bytes)
	g.held.append(&e.out)
	g.changes.notify()
	for _, other := range g.ends {
		if other != e && other.wire.Load() != nil {
			other.Prod()
		}
	}
}

// adopts reports whether e would take something that is held. Needs the send
// lock.
func (e *End) adopts() bool {
	if e.group.held.msgs == 0 || !e.attached || !e.ready || e.spoiled.Load() || e.lane != nil {
		return false
	}
	n := e.out.msgs + e.flight.msgs // what is held is in the budget already
	return (e.config.SendHWM <= 0 || n < e.config.SendHWM) &&
		(e.config.SendHWMBytes <= 0 || n == 0 || e.out.bytes+e.flight.bytes < e.config.SendHWMBytes)
}

// adopt takes what is held, as far as e has room. Needs the send lock.
func (e *End) adopt() {
	for e.adopts() {
		before := e.out.bytes
		e.group.held.moveFirst(&e.out)
		e.sent.accepted++
		e.sent.acceptedBytes += e.out.bytes - before
		e.group.spendHeld(before - e.out.bytes)
		e.spend()
	}
}

// spendHeld notes that so many more bytes are held. Needs the send lock.
func (g *Group) spendHeld(n int64) {
	if g.sendBudget > 0 {
		g.sendUsed += n
	}
}

// DropHeld throws away what is held. Needs the send lock.
func (g *Group) DropHeld(reason Reason) {
	if n, bytes := g.held.drop(); n > 0 {
		g.lost.accepted += int64(n)
		g.lost.acceptedBytes += bytes
		g.lost.drop(reason, n, bytes)
		g.spendHeld(-bytes)
		g.changes.notify()
	}
}

// moveFirst moves the first message behind what is in to. There must be one.
func (o *outbox) moveFirst(to *outbox) {
	end, n := messageEnd(o.buf.B, o.head, o.refs)
	b := to.open()
	bytes := int64(end - o.head)
	for _, r := range o.refs[:n] {
		bytes += int64(len(r.body))
		r.at += len(b.B) - o.head
		to.refs = append(to.refs, r)
	}
	b.B = append(b.B, o.buf.B[o.head:end]...)
	to.msgs++
	to.bytes += bytes
	clear(o.refs[:n])
	o.refs = o.refs[n:]
	o.head = end
	o.msgs--
	o.bytes -= bytes
	if o.msgs == 0 {
		o.drop()
	}
}
