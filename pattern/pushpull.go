package pattern

import (
	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/msg"
	"github.com/ringwire/ringwire/internal/pipe"
)

// Push sends each message to one of its PULL peers, in turn, and waits when
// none has room (RFC 30).
var Push = &Spec{name: "PUSH", peers: []string{"PULL"}, sends: true, make: newPush}

// Pull receives from its PUSH peers, one message from each in turn (RFC 30).
var Pull = &Spec{name: "PULL", peers: []string{"PUSH"}, receives: true, make: newPull}

type push struct {
	none
	discard
	balance loadBalance
}

func newPush(c *Config) Pattern {
	return &push{balance: loadBalance{immediate: c.Immediate}}
}

func (p *push) Attach(e *pipe.End) { p.balance.attach(e) }
func (p *push) Detach(e *pipe.End) { p.balance.detach(e) }

func (p *push) TrySend(m *msg.Message) (*pipe.End, error) {
	_, err := p.balance.trySend(m)
	return nil, err
}

type pull struct {
	none
	fairQueue
}

func newPull(c *Config) Pattern { return &pull{fairQueue: fairQueue{group: c.Group}} }

func (p *pull) Attach(*pipe.End) {}
func (p *pull) Detach(*pipe.End) {}

func (p *pull) TryRecv(m *msg.Message) error {
	if p.tryRecv(m) == nil {
		return ringwire.ErrAgain
	}
	return nil
}

// Inputs implements pipe.Inbox.
func (p *pull) Inputs() bool { return p.fairQueue.Inputs() }

// Settle implements pipe.Inbox.
func (p *pull) Settle() bool { return p.fairQueue.Settle() }
