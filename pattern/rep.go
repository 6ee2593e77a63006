package pattern

import (
	"fmt"
	"sync/atomic"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/msg"
	"github.com/ringwire/ringwire/internal/pipe"
)

// Rep receives requests from its peers in turn and sends each reply to the
// peer that asked (RFC 28). A request is only taken while its peer has room
// for the reply, so a reply is never refused.
var Rep = &Spec{name: "REP", peers: []string{"REQ", "DEALER"}, sends: true, receives: true, make: newRep}

type rep struct {
	none
	fairQueue

	// due says that a request was received and not answered: its owner is the
	// sender, before it the receiver.
	due      atomic.Bool
	from     *pipe.End
	epoch    uint32   // and the connection over which it came: the reply goes nowhere else
	envelope [][]byte // the request's frames up to the empty one
	store    []byte   // their bytes
}

func newRep(c *Config) Pattern { return &rep{fairQueue: fairQueue{group: c.Group, replies: true}} }

func (r *rep) Attach(*pipe.End) {}

// Lost drops the replies that the connection did not take: the next one is not
// the requester's.
func (r *rep) Lost(e *pipe.End) { e.DropQueued(pipe.PeerGone) }

func (r *rep) Detach(*pipe.End) {}

func (r *rep) TrySend(m *msg.Message) (*pipe.End, error) {
	if !r.due.Load() {
		return nil, fmt.Errorf("no request to reply to: %w", ringwire.ErrState)
	}
	e := r.from
	if e.Connection(r.epoch) {
		own := prefix(m, r.envelope)
		e.Reply(m)
		m.SetLead(own)
	} else {
		r.group.Drop(pipe.PeerGone, m)
	}
	r.from = nil
	r.due.Store(false)
	return nil, nil
}

func (r *rep) TryRecv(m *msg.Message) error {
	if r.due.Load() {
		return fmt.Errorf("the last request has no reply yet: %w", ringwire.ErrState)
	}
	for {
		e := r.tryRecv(m)
		switch {
		case e == nil:
			return ringwire.ErrAgain
		case !r.open(m):
			e.DropReceived(pipe.Malformed)
		default:
			r.from, r.epoch = e, e.Epoch()
			r.due.Store(true)
			return nil
		}
	}
}

// open moves the envelope of m aside, or reports that it has none.
func (r *rep) open(m *msg.Message) bool {
	n, size := 0, 0
	for ; n < m.Len(); n++ {
		size += len(m.Frame(n))
		if len(m.Frame(n)) == 0 {
			break
		}
	}
	if n+1 >= m.Len() {
		return false // no empty frame, or nothing behind it
	}
	r.envelope = r.envelope[:0]
	if cap(r.store) < size {
		r.store = make([]byte, 0, size)
	}
	r.store = r.store[:0]
	for i := range n + 1 {
		at := len(r.store)
		r.store = append(r.store, m.Frame(i)...)
		r.envelope = append(r.envelope, r.store[at:len(r.store):len(r.store)])
	}
	m.TrimFront(n + 1)
	return true
}

// Inputs implements pipe.Inbox.
func (r *rep) Inputs() bool { return r.fairQueue.Inputs() }

// Settle implements pipe.Inbox.
func (r *rep) Settle() bool { return r.fairQueue.Settle() }
