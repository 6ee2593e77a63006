package pipe

type flight struct {
	msgs  int
	bytes int64
}

// HasOutput reports whether messages wait to be taken by a flush.
func (e *End) HasOutput() bool {
	e.group.mu.Lock()
	defer e.group.mu.Unlock()
	return e.out.msgs > 0 && !e.spoiled.Load()
}

// Take loads what is queued into b, whose last content was written whole.
// It reports whether there was anything. The caller holds the write token.
func (e *End) Take(b *Batch) bool {
	g := e.group
	g.mu.Lock()
	retired := e.retire(b)
	if e.out.msgs > 0 && !e.spoiled.Load() {
		b.load(&e.out)
		e.flight = flight{b.msgs, b.bytes}
	}
	g.mu.Unlock()
	if retired {
		g.changes.notify()
		g.roomIn(e)
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
	e.sent.doubt = e.sent.written // nothing of it was confirmed
	switch {
	case g.closed:
		e.DropQueued(Closed)
	case !e.config.Connecting || !e.attached:
		e.DropQueued(PeerGone)
	}
	g.mu.Unlock()
	g.changes.notify()
	g.roomIn(e)
}

// Queued reports whether messages wait to be written. Needs the send lock.
func (e *End) Queued() bool {
	if e.lane != nil {
		return !e.joined && e.lane.waiting() > 0
	}
	return e.out.msgs+e.flight.msgs > 0
}
