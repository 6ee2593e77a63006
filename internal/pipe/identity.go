package pipe

// Route is the identity of the peer as lead frames of a message, nil if it has
// none yet. The frames are never changed.
func (e *End) Route() [][]byte {
	if r := e.route.Load(); r != nil {
		return *r
	}
	return nil
}

// SetRoute gives the peer an identity. Needs the send lock.
func (e *End) SetRoute(identity []byte) {
	r := [][]byte{append([]byte(nil), identity...)}
	e.route.Store(&r)
}

// Assign notes that the identity was chosen on our side and holds whatever the
// peer announces. Needs the send lock.
func (e *End) Assign() { e.assigned = true }

// Assigned reports whether Assign was called. Needs the send lock.
func (e *End) Assigned() bool { return e.assigned }

// Spoil makes what still comes over the current connection stale. Needs the
// send lock.
func (e *End) Spoil() { e.spoiled.Store(true) }

// Fresh ends what Spoil began: a new connection. Needs the send lock.
func (e *End) Fresh() { e.spoiled.Store(false) }

// Spoiled reports whether the current connection was given up.
func (e *End) Spoiled() bool { return e.spoiled.Load() }

// Arrived is how many messages ever came into the incoming queue.
func (e *End) Arrived() uint64 { return e.in.Load().ring.Pushed() }

// Before reports whether the message that TryRecv returned last was among the
// first n of the incoming queue. Needs the receive lock.
func (e *End) Before(n uint64) bool { return e.viaQueue && e.in.Load().ring.Popped() <= n }
