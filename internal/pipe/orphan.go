package pipe

// Messages of one lane arrive in the order in which they were sent, though the lane
// outlives its connections: a peer that connects again comes as a new end, while
// what it sent before may still be queued at the old one. Which new end goes with
// which old one cannot be told. So an end that became ready after others had left
// waits until what those sent is received; ends that were there before are not held
// up.

// Leave says that nothing will come from the peer of e but what is on its way, which
// its reader has not seen yet because the queue is full. Needs the send lock.
func (e *End) Leave() {
	if e.attached && e.left.Load() == 0 {
		e.leaving.Store(true)
		e.depart()
	}
}

// orphan gives e, which is being detached, its place among those that left
// something. Needs the send lock.
func (e *End) orphan() {
	if e.left.Load() == 0 && e.active.Load() { // else there is nothing to receive
		e.depart()
	}
	e.leaving.Store(false)
	if !e.active.Load() {
		e.buried() // the receiver has let go of it
	}
}

func (e *End) depart() {
	e.group.departed++
	e.left.Store(e.group.departed)
	e.group.orphans.Add(1)
}

// buried ends that: everything was received.
func (e *End) buried() {
	if n := e.left.Load(); n != 0 && e.left.CompareAndSwap(n, 0) {
		e.group.orphans.Add(-1)
	}
}

// Waits reports whether one of others left before e became ready, and something of
// it must be received first. Needs the receive lock.
func (e *End) Waits(others []*End) bool {
	if e.group.orphans.Load() == 0 {
		return false
	}
	after := e.after.Load()
	for _, o := range others {
		if n := o.left.Load(); n != 0 && n <= after && (o.leaving.Load() || o.Readable()) {
			return true
		}
	}
	return false
}
