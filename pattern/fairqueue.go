package pattern

import (
	"github.com/ringwire/ringwire/internal/msg"
	"github.com/ringwire/ringwire/internal/pipe"
)

// hotMax is how many ends that ran dry a fairQueue goes on looking at before
// it lets go of them one by one. Looking again costs a load; letting go costs
// the next message of that peer a lock and a wake.
const hotMax = 8

// fairQueue takes one message from each peer in turn, of those that have any
// (RFC 28, 29, 30: fair queuing). Owned by the holder of the receive lock.
type fairQueue struct {
	group *pipe.Group
	hot   []*pipe.End // ends that had something when we last knew
	next  int

	replies bool // take only from ends that have room for a reply; immutable
}

// tryRecv moves the next message into m and returns whose it was, nil if
// there is none.
func (f *fairQueue) tryRecv(m *msg.Message) *pipe.End {
	f.hot = f.group.TakeReady(f.hot)
	waiting := false
	// An end that is let go leaves its place to the last one, which may have had its
	// turn: then it is looked at again, and nobody is passed over.
	for i, n := 0, len(f.hot); i < n && len(f.hot) > 0; i++ {
		if f.next >= len(f.hot) {
			f.next = 0
		}
		e := f.hot[f.next]
		if e.Waits() {
			waiting = true
			f.next++
			continue
		}
		if f.replies && e.Pause() {
			f.remove(f.next)
			n++
			continue
		}
		if e.TryRecv(m) {
			f.next++
			return e
		}
		if len(f.hot) > hotMax && !f.group.Holds(e) {
			if f.letGo(f.next) {
				n++
				continue
			}
		}
		f.next++
	}
	if waiting && f.Inputs() {
		return f.tryRecv(m) // the end that they waited for was found to be done
	}
	return nil
}

// letGo stops looking at the end at index i, unless it just got something.
func (f *fairQueue) letGo(i int) bool {
	if !f.hot[i].Deactivate() {
		return false
	}
	f.remove(i)
	return true
}

func (f *fairQueue) remove(i int) {
	last := len(f.hot) - 1
	f.hot[i] = f.hot[last]
	f.hot[last] = nil
	f.hot = f.hot[:last]
}

// Inputs implements pipe.Inbox.
func (f *fairQueue) Inputs() bool {
	for _, e := range f.hot {
		if e.Readable() && !e.Waits() {
			return true
		}
	}
	return false
}

// Settle implements pipe.Inbox.
func (f *fairQueue) Settle() bool {
	f.hot = f.group.TakeReady(f.hot)
	waiting := false
	for i := len(f.hot) - 1; i >= 0; i-- {
		if f.hot[i].Waits() {
			waiting = true // we are woken when the end that it waits for is done
		} else if !f.letGo(i) {
			return true
		}
	}
	// We may have found it to be done just now. Then the end that waited must be let
	// go, too, even if it has nothing: else what comes next wakes nobody.
	return waiting && !f.allWait()
}

func (f *fairQueue) allWait() bool {
	for _, e := range f.hot {
		if !e.Waits() {
			return false
		}
	}
	return true
}
