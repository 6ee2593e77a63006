package pipe

import (
	"slices"
	"sync"
	"sync/atomic"
)

// Messages of one lane arrive in the order in which they were sent, though the lane
// outlives its connections: a peer that connects again comes as a new end, while
// what it sent before may still be queued at the old one. Which new end goes with
// which old one cannot be told. So an end that became ready after others had left
// waits until what those sent is received; ends that were there before are not held
// up.

// leavers are the ends that left something which was not received yet. They are
// added under the send lock and removed by the receiver.
type leavers struct {
	oldest atomic.Uint64 // End.left of the first; 0: none

	mu   sync.Mutex
	list []*End // in the order in which they left
}

func (l *leavers) add(e *End) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, e)
	l.oldest.Store(l.list[0].left.Load())
}

func (l *leavers) remove(e *End) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = slices.DeleteFunc(l.list, func(o *End) bool { return o == e })
	e.left.Store(0)
	var oldest uint64
	if len(l.list) > 0 {
		oldest = l.list[0].left.Load()
	}
	l.oldest.Store(oldest)
}

// Leave says that nothing will come from the peer of e but what is on its way, which
// its reader has not seen yet because there is no room. Needs the send lock.
func (e *End) Leave() {
	if !e.attached || e.left.Load() != 0 {
		return
	}
	e.leaving.Store(true)
	e.depart()
	// Others may wait for what is on its way, and have used up the budget: it comes
	// in message by message.
	q := e.in.Load()
	q.parting.Store(true)
	q.wakeProducer()
}

// orphan gives e, which is being detached, its place among those that left
// something. Needs the send lock.
func (e *End) orphan() {
	if e.left.Load() == 0 && e.active.Load() { // else there is nothing to receive
		e.depart()
	}
	e.leaving.Store(false)
	e.lookAgain()
}

func (e *End) depart() {
	e.group.departed++
	e.left.Store(e.group.departed)
	e.group.leavers.add(e)
}

// lookAgain has the receiver look at an end that left something, since nothing more
// may be on its way.
func (e *End) lookAgain() {
	if e.left.Load() == 0 {
		return
	}
	e.activate()
	if t := e.group.token.Load(); t != nil { // it waits in a poller, for others who wait for e
		if w := t.wire.Load(); w != nil {
			w.Recall()
		}
	}
}

// farewell lets those go on that wait for e, when nothing more can come from it and
// everything was received. Needs the receive lock.
func (e *End) farewell() {
	if e.left.Load() == 0 || e.leaving.Load() || e.fed.Load() { // before the queue: what came is then in it
		return
	}
	if e.in.Load().empty() {
		e.group.leavers.remove(e)
	}
}

// Waits reports whether something must be received first, of an end that left before
// e became ready. Needs the receive lock.
func (e *End) Waits() bool {
	oldest := e.group.leavers.oldest.Load()
	return oldest != 0 && oldest <= e.after.Load()
}
