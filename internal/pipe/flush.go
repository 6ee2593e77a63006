package pipe

type flight struct {
	msgs  int
	bytes int64
}

// HasOutput reports whether messages wait to be taken by a flush.
func (e *End) HasOutput() bool {
	e.group.mu.Lock()
	defer e.group.mu.Unlock()
	return e.out.msgs > 0 && !e.spoiled.Load() || e.adopts()
}

// Take loads what is queued into b, whose last content was written whole.
// It reports whether there was anything. The caller holds the write token.
func (e *End) Take(b *Batch) bool {
	g := e.group
	g.mu.Lock()
	retired := e.retire(b)
	b.before = e.sent.written
	if g.held.msgs > 0 {
		e.adopt()
	}
	if e.out.msgs > 0 && !e.spoiled.Load() {
		b.load(&e.out)
		e.flight = flight{b.msgs, b.bytes}
	}
	e.spend()
	g.mu.Unlock()
	if retired {
		g.changes.notify()
		g.roomAfter(e)
	}
	return !b.Empty()
}

// retire counts the messages of b as written.
func (e *End) retire(b *Batch) bool {
	n := b.msgs
	e.sent.written += int64(n)
	e.flight = flight{}
	b.release()
	return n > 0
}

// Abandon is called when the connection ended with b partly written. The
// messages of which no byte was written stay queued, first in line, for an
// end that survives its connections.
func (e *End) Abandon(b *Batch) {
	g := e.group
	g.mu.Lock()
	if b.Loaded() {
		var rest outbox
		n, _ := b.unsent(&rest)
		e.sent.written += int64(n)
		e.flight = flight{}
		if e.spoiled.Load() {
			// What was given up must not go out on the next connection.
			n, bytes := rest.drop()
			e.sent.drop(Stale, n, bytes)
		}
		if rest.msgs > 0 {
			rest.append(&e.out)
			e.out = rest
		}
		b.release()
	}
	unconfirmed := e.sent.written - e.sent.confirmed - e.sent.doubt
	if ask := e.config.Unanswered; ask != nil {
		unanswered := min(ask(e, unconfirmed), unconfirmed)
		e.sent.confirmed += unconfirmed - unanswered
		unconfirmed = unanswered
	}
	e.sent.doubt += unconfirmed
	switch {
	case g.closed:
		e.DropQueued(Closed)
	case !e.config.Connecting || !e.attached:
		e.DropQueued(PeerGone)
	}
	e.spend()
	g.mu.Unlock()
	g.changes.notify()
	g.roomAfter(e)
}

// roomAfter says that e has room again; with a budget, that every end has.
func (g *Group) roomAfter(e *End) {
	g.roomIn(e)
	if g.sendBudget == 0 {
		return
	}
	g.mu.Lock()
	var others []*End
	for _, o := range g.ends {
		if o != e && (o.wantsRoom.Load() || g.held.msgs > 0 && o.adopts()) {
			others = append(others, o)
		}
	}
	g.mu.Unlock()
	for _, o := range others {
		g.roomIn(o)
		if o.HasOutput() {
			o.Flush() // what is held has room now
		}
	}
	g.Room()
}

// Confirm notes a receipt: the peer has taken in the first mark messages that
// were written to it, but for those in doubt.
func (e *End) Confirm(mark int64) {
	g := e.group
	g.mu.Lock()
	e.sent.confirmed = max(e.sent.confirmed, mark-e.sent.doubt)
	g.mu.Unlock()
	g.changes.notify()
}

// Queued reports whether messages wait to be written. Needs the send lock.
func (e *End) Queued() bool {
	if e.lane != nil {
		return !e.joined && e.lane.waiting() > 0
	}
	return e.out.msgs+e.flight.msgs > 0
}
