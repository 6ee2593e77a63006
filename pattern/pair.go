package pattern

import (
	"fmt"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/msg"
	"github.com/ringwire/ringwire/internal/pipe"
)

// Pair talks to exactly one PAIR peer, both ways; others are refused while it
// has one (RFC 31).
var Pair = &Spec{name: "PAIR", peers: []string{"PAIR"}, sends: true, receives: true, make: newPair}

type pair struct {
	none
	fairQueue
	peer      *pipe.End // the one peer; guarded by the send lock
	waiting   []*pipe.End
	immediate bool
}

func newPair(c *Config) Pattern {
	return &pair{fairQueue: fairQueue{group: c.Group}, immediate: c.Immediate}
}

func (p *pair) Attach(e *pipe.End) {
	if p.peer == nil {
		p.peer = e
	} else {
		p.waiting = append(p.waiting, e)
	}
}

// Ready makes e the peer, unless another one is there and ready.
func (p *pair) Ready(e *pipe.End) (*pipe.End, error) {
	if p.peer == e {
		return nil, nil
	}
	if p.peer.Ready() || p.peer.Queued() {
		return nil, fmt.Errorf("a PAIR socket has one peer and this one has it: %w", ringwire.ErrRejected)
	}
	p.forget(e)
	p.waiting = append(p.waiting, p.peer)
	p.peer = e
	return nil, nil
}

func (p *pair) Detach(e *pipe.End) {
	if p.peer != e {
		p.forget(e)
		return
	}
	p.peer = nil
	if len(p.waiting) > 0 {
		p.peer = p.waiting[0]
		p.waiting = p.waiting[1:]
	}
}

func (p *pair) forget(e *pipe.End) {
	for i, x := range p.waiting {
		if x == e {
			p.waiting = append(p.waiting[:i], p.waiting[i+1:]...)
			return
		}
	}
}

func (p *pair) TrySend(m *msg.Message) (*pipe.End, error) {
	e := p.peer
	if e == nil || p.immediate && !e.Ready() || !e.TrySend(m) {
		return nil, ringwire.ErrAgain
	}
	return nil, nil
}

func (p *pair) TryRecv(m *msg.Message) error {
	if p.tryRecv(m) == nil {
		return ringwire.ErrAgain
	}
	return nil
}

// Inputs implements pipe.Inbox.
func (p *pair) Inputs() bool { return p.fairQueue.Inputs() }

// Settle implements pipe.Inbox.
func (p *pair) Settle() bool { return p.fairQueue.Settle() }
