package pattern

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/msg"
	"github.com/ringwire/ringwire/internal/pipe"
)

// Router puts the sender's identity in front of every message it receives and
// sends each message to the peer that its first frame names (RFC 28).
var Router = &Spec{
	name: "ROUTER", peers: []string{"REQ", "DEALER", "ROUTER"},
	sends: true, receives: true, identifies: true, make: newRouter,
}

var errNoBody = errors.New("ringwire: a ROUTER message needs the peer's identity and at least one more frame")

type router struct {
	none
	fairQueue
	identities
	drop  bool // DropUnroutable
	probe bool
}

func newRouter(c *Config) Pattern {
	return &router{
		fairQueue:  fairQueue{group: c.Group},
		identities: newIdentities(c.Handover),
		drop:       c.DropUnroutable,
		probe:      c.ProbeRouter,
	}
}

func (r *router) Attach(*pipe.End) {}

func (r *router) Ready(e *pipe.End) (*pipe.End, error) {
	older, err := r.identify(e)
	if older == nil && err == nil && r.probe {
		sendProbe(e)
	}
	return older, err
}

func (r *router) Detach(e *pipe.End) { r.forget(e) }

// TrySend implements Pattern. Nothing of m is changed before it is certain
// that the peer has room.
func (r *router) TrySend(m *msg.Message) (*pipe.End, error) {
	if m.Len() < 2 {
		return nil, errNoBody
	}
	e := r.find(m.Frame(0))
	if e == nil {
		if r.drop {
			r.group.Drop(pipe.NoRoute, m)
			return nil, nil
		}
		return nil, fmt.Errorf("identity %q: %w", clip(m.Frame(0)), ringwire.ErrHostUnreachable)
	}
	if e.FullFor(m) {
		if r.drop {
			e.Drop(pipe.HWM, m)
			return nil, nil
		}
		e.Prod()
		return e, ringwire.ErrAgain
	}
	m.TrimFront(1)
	e.TrySend(m)
	return nil, nil
}

func (r *router) TryRecv(m *msg.Message) error {
	e := r.tryRecv(m)
	if e == nil {
		return ringwire.ErrAgain
	}
	m.SetLead(e.Route())
	return nil
}

// Inputs implements pipe.Inbox.
func (r *router) Inputs() bool { return r.fairQueue.Inputs() }

// Settle implements pipe.Inbox.
func (r *router) Settle() bool { return r.fairQueue.Settle() }

// identities maps the identities of peers to their ends. Guarded by the send
// lock; an end's own identity is published for receivers.
type identities struct {
	ends     map[string]*pipe.End
	counter  uint32
	handover bool
}

func newIdentities(handover bool) identities {
	return identities{ends: make(map[string]*pipe.End), counter: rand.Uint32(), handover: handover}
}

func (t *identities) find(identity []byte) *pipe.End { return t.ends[string(identity)] }

// identify enters e under the identity its peer announced, or under one made
// up: a zero byte and a number, as libzmq does. An identity that another end
// has is a conflict for the caller to settle, unless newcomers take over.
func (t *identities) identify(e *pipe.End) (older *pipe.End, err error) {
	id := e.Info.Identity
	if e.Assigned() {
		return nil, nil // ConnectPeer's name holds whatever the peer calls itself
	}
	if len(id) > 0 && id[0] == 0 {
		return nil, fmt.Errorf("identity %q starts with a zero byte: %w", id, ringwire.ErrProtocol)
	}
	if len(id) == 0 {
		if route := e.Route(); route != nil && route[0][0] == 0 {
			return nil, nil // reconnected: keeps the number it had
		}
		id = t.next()
	}
	if other := t.ends[string(id)]; other != nil && other != e {
		if other.Info.Principal != e.Info.Principal {
			return nil, fmt.Errorf("identity %q is that of another principal: %w", id, ringwire.ErrRejected)
		}
		if !t.handover {
			return other, nil
		}
		t.forget(other)
		other.SetRoute(t.next())
		t.ends[string(other.Route()[0])] = other
		other.Condemn(fmt.Errorf("identity %q was taken over: %w", id, ringwire.ErrRejected))
	}
	t.enter(e, id)
	return nil, nil
}

func (t *identities) next() []byte {
	for {
		t.counter++
		id := binary.BigEndian.AppendUint32([]byte{0}, t.counter)
		if t.ends[string(id)] == nil {
			return id
		}
	}
}

func (t *identities) enter(e *pipe.End, id []byte) {
	t.forget(e)
	e.SetRoute(id)
	t.ends[string(id)] = e
}

func (t *identities) forget(e *pipe.End) {
	if route := e.Route(); route != nil && t.ends[string(route[0])] == e {
		delete(t.ends, string(route[0]))
	}
}

// Assign implements Addresser.
func (t *identities) Assign(e *pipe.End, identity []byte) error {
	if t.ends[string(identity)] != nil {
		return fmt.Errorf("identity %q is in use: %w", identity, ringwire.ErrRejected)
	}
	t.enter(e, identity)
	e.Assign()
	return nil
}
