package pattern

import (
	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/msg"
	"github.com/ringwire/ringwire/internal/pipe"
)

// Dealer sends to its peers in turn and receives from them in turn, without
// adding or removing a frame (RFC 28).
var Dealer = &Spec{
	name: "DEALER", peers: []string{"REP", "DEALER", "ROUTER"},
	sends: true, receives: true, identifies: true, noDup: true, make: newDealer,
}

type dealer struct {
	none
	fairQueue
	balance loadBalance
	probe   bool
}

func newDealer(c *Config) Pattern {
	return &dealer{
		fairQueue: fairQueue{group: c.Group},
		balance:   loadBalance{immediate: c.Immediate},
		probe:     c.ProbeRouter,
	}
}

func (d *dealer) Attach(e *pipe.End) { d.balance.attach(e) }
func (d *dealer) Detach(e *pipe.End) { d.balance.detach(e) }

func (d *dealer) Ready(e *pipe.End) (*pipe.End, error) {
	if d.probe {
		sendProbe(e)
	}
	return nil, nil
}

// sendProbe queues the empty message that lets a ROUTER learn the identity of
// a peer which has not spoken (libzmq: ZMQ_PROBE_ROUTER).
func sendProbe(e *pipe.End) {
	var m msg.Message
	m.SetBody(nil)
	e.Reply(&m)
}

func (d *dealer) TrySend(m *msg.Message) (*pipe.End, error) {
	_, err := d.balance.trySend(m)
	return nil, err
}

func (d *dealer) TryRecv(m *msg.Message) error {
	if d.tryRecv(m) == nil {
		return ringwire.ErrAgain
	}
	return nil
}

// Inputs implements pipe.Inbox.
func (d *dealer) Inputs() bool { return d.fairQueue.Inputs() }

// Settle implements pipe.Inbox.
func (d *dealer) Settle() bool { return d.fairQueue.Settle() }
