package pipe

import "slices"

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
	r := [][]byte{slices.Clip(append([]byte(nil), identity...))}
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

// Lives reports whether the end outlives its connections, so that what came
// over an earlier one may still be there: a connecting stream.
func (e *End) Lives() bool { return e.lane == nil && e.config.Connecting }

// Fresh ends what Spoil began: a new connection. Needs the send lock.
func (e *End) Fresh() { e.spoiled.Store(false) }

// Spoiled reports whether the current connection was given up.
func (e *End) Spoiled() bool { return e.spoiled.Load() }

// Arrived is how many messages ever came into the incoming queue.
func (e *End) Arrived() uint64 { return e.in.Load().shown() }

// Epoch numbers the connection over which the message came that TryRecv
// returned last; 0 if that connection is gone. Needs the receive lock.
func (e *End) Epoch() uint32 {
	if e.lane == nil && e.Before(e.floor.Load()) {
		return 0
	}
	return e.epoch.Load()
}

// Connection reports whether the end's current connection is number epoch.
// Needs the send lock.
func (e *End) Connection(epoch uint32) bool {
	return e.attached && e.ready && e.epoch.Load() == epoch
}

// Before reports whether the message that TryRecv returned last was among the
// first n of the incoming queue. Needs the receive lock.
func (e *End) Before(n uint64) bool { return e.viaQueue && e.in.Load().consumed() <= n }
