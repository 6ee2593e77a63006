package pipe

import "github.com/ringwire/ringwire/internal/msg"

// NewLane gives e a queue towards a peer in this process that is not there
// yet. Until Join its bound is the sender's own. Needs the send lock, or an e
// that nobody else knows.
func (e *End) NewLane() {
	e.lane = newQueue(e.config.SendHWM, e.config.SendHWMBytes, e.config.Conflate)
	e.lane.producer.Store(e)
}

// Accept makes the end of group that faces e, which connects and has a lane:
// what e has queued is there to be received at once. Messages towards e go
// into its incoming queue. Needs e's send lock; nobody knows the new end.
func (e *End) Accept(group *Group, config Config, intake Intake, owner Owner) *End {
	far := NewEnd(group, config, intake, owner)
	e.lane.setLimits(sum(e.config.SendHWM, config.RecvHWM), sumBytes(e.config.SendHWMBytes, config.RecvHWMBytes))
	e.lane.looks = group.spins()
	e.lane.charge(group.recvBudget)
	far.in.Store(e.lane)
	far.base = e.lane.consumed()
	far.lane = e.in.Load()
	if config.Conflate {
		e.lane.conflate()
		far.lane.conflate()
	}
	far.lane.setLimits(sum(config.SendHWM, e.config.RecvHWM), sumBytes(config.SendHWMBytes, e.config.RecvHWMBytes))
	far.lane.producer.Store(far)
	return far
}

// Link makes peer the one that e's messages go to. Needs the send lock of e.
func (e *End) Link(peer *End) {
	e.link, e.joined = peer, true
	peer.fed.Store(true)
}

// Unlink ends that and returns who it was, nil if nobody. Needs the send lock
// of e.
func (e *End) Unlink() *End {
	peer := e.link
	e.link = nil
	e.ShowStaged()
	if peer != nil {
		peer.fed.Store(false) // after what was staged
		peer.lookAgain()
	}
	return peer
}

// Renounce undoes Accept for e, which never was ready: what is in the lane is
// not ours. Needs the send lock of e.
func (e *End) Renounce() {
	if e.link != nil {
		e.link.fed.Store(false)
		e.link.lookAgain()
	}
	e.link = nil
	e.lane = newQueue(e.config.SendHWM, e.config.SendHWMBytes, e.config.Conflate)
	e.in.Store(newQueue(e.config.RecvHWM, e.config.RecvHWMBytes, e.config.Conflate))
	e.base = 0
}

// Withhold undoes it for the end that connects. Needs the send lock of e.
func (e *End) Withhold() {
	if e.link != nil {
		e.link.fed.Store(false)
		e.link.lookAgain()
	}
	e.link, e.joined = nil, false
	e.lane.setLimits(e.config.SendHWM, e.config.SendHWMBytes)
}

// Owner is whom e belongs to.
func (e *End) Owner() Owner { return e.owner }

// sum adds two bounds, of which either may be none.
func sum(a, b int) int {
	if a <= 0 || b <= 0 {
		return 0
	}
	return a + b
}

func sumBytes(a, b int64) int64 {
	if a <= 0 || b <= 0 {
		return 0
	}
	return a + b
}

// sendLane queues m in the lane. Needs the send lock.
func (e *End) sendLane(m *msg.Message) bool {
	q, peer := e.lane, e.link
	if e.dying() {
		return false
	}
	if peer != nil && peer.intake != nil && peer.intake.Intake(peer, m) {
		if counting {
			e.sent.accepted++
		}
		return true
	}
	if q.newest != nil {
		var c msg.Message
		if m.Borrowed() {
			c.CopyFrom(m)
		} else {
			m.MoveTo(&c)
		}
		q.newest.push(&c)
	} else if !e.put(m) {
		return false
	}
	if counting {
		e.sent.accepted++
	}
	if !q.lazy.Load() && peer != nil && peer.open.Load() {
		peer.activate()
	}
	return true
}

// put queues m in the lane's ring.
func (e *End) put(m *msg.Message) bool {
	q := e.lane
	lazy := q.lazy.Load()
	if body, ok := smallBody(m); ok && lazy {
		if !q.pack(body) {
			q.publish()
			return false
		}
		e.countBytes(int64(len(body)))
		if !m.Borrowed() {
			m.Reset()
		}
		if q.count >= batchSize {
			q.publish()
		}
		return true
	}
	q.closePack()
	slot := q.slotFor(laneWeight(m))
	if slot == nil {
		q.publish()
		return false
	}
	if body, ok := m.BorrowedBody(); ok {
		slot.SetBody(body)
		e.countBytes(int64(len(body)))
	} else {
		e.countBytes(int64(m.Size()))
		if m.Borrowed() {
			slot.CopyFrom(m)
		} else {
			m.MoveTo(slot)
		}
	}
	q.commit(slot)
	if !lazy || q.ring.Staged() >= batchSize {
		q.publish()
	}
	return true
}

// laneWeight is the weight that m will have in a lane.
func laneWeight(m *msg.Message) int64 {
	if body, ok := m.BorrowedBody(); ok && len(body) <= msg.Small {
		return 0
	}
	return weight(m)
}

// smallBody returns the body of a message that can be packed.
func smallBody(m *msg.Message) ([]byte, bool) {
	if body, ok := m.BorrowedBody(); ok {
		return body, len(body) <= msg.Small
	}
	return m.InlineBody()
}

// ShowStaged makes visible to an inproc peer what is staged for it. Needs the
// send lock.
func (e *End) ShowStaged() {
	if e.lane != nil {
		e.lane.publish()
	}
}

// Linked is the inproc peer of e, nil if there is none. Needs the send lock.
func (e *End) Linked() *End { return e.link }
