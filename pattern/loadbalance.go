package pattern

import (
	"slices"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/msg"
	"github.com/ringwire/ringwire/internal/pipe"
)

// loadBalance sends each message to the next peer in turn that has room
// (RFC 28: round robin; RFC 30). With none it would block. Guarded by the send
// lock.
type loadBalance struct {
	ends      []*pipe.End
	next      int
	immediate bool   // only to peers whose handshake is complete
	watch     bool   // note arrived; immutable
	arrived   uint64 // what had come from the chosen peer before it could see the message
}

func (l *loadBalance) attach(e *pipe.End) { l.ends = append(l.ends, e) }

func (l *loadBalance) detach(e *pipe.End) {
	if i := slices.Index(l.ends, e); i >= 0 {
		l.ends = slices.Delete(l.ends, i, i+1)
		if l.next > i {
			l.next--
		}
	}
}

// trySend queues m at the next peer with room and returns that peer.
func (l *loadBalance) trySend(m *msg.Message) (*pipe.End, error) {
	for range l.ends {
		if l.next >= len(l.ends) {
			l.next = 0
		}
		e := l.ends[l.next]
		l.next++
		if l.immediate && !e.Ready() {
			continue
		}
		if l.watch {
			l.arrived = e.Arrived()
		}
		if e.TrySend(m) {
			return e, nil
		}
	}
	return nil, ringwire.ErrAgain
}
