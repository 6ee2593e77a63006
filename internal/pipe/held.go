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
	return e.group.held.msgs > 0 && e.attached && e.ready && !e.spoiled.Load() && !e.Full()
}

// adopt takes what is held, as far as e has room. Needs the send lock.
func (e *End) adopt() {
	for e.adopts() {
		before := e.out.bytes
		e.group.held.moveFirst(&e.out)
		e.sent.accepted++
		e.sent.acceptedBytes += e.out.bytes - before
	}
}

// DropHeld throws away what is held. Needs the send lock.
func (g *Group) DropHeld(reason Reason) {
	if n, bytes := g.held.drop(); n > 0 {
		g.lost.accepted += int64(n)
		g.lost.acceptedBytes += bytes
		g.lost.drop(reason, n, bytes)
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
