package pattern

import (
	"fmt"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/msg"
	"github.com/ringwire/ringwire/internal/pipe"
)

// Sub receives what its publishers send on the topics it subscribed to
// (RFC 29). Without a subscription it receives nothing.
var Sub = &Spec{name: "SUB", peers: []string{"PUB", "XPUB"}, receives: true, subscribes: true, noDup: true, make: newSub}

// XSub is Sub that can also send: a message that starts with a byte 1
// subscribes to the topic behind it, one that starts with a byte 0
// unsubscribes, any other goes to all publishers. It does not filter what it
// receives (RFC 29).
var XSub = &Spec{name: "XSUB", peers: []string{"PUB", "XPUB"}, sends: true, receives: true, subscribes: true, make: newXSub}

type sub struct {
	none
	fairQueue
	interests
	invert bool
}

func newSub(c *Config) Pattern {
	return &sub{fairQueue: fairQueue{group: c.Group}, invert: c.Invert}
}

func (s *sub) Attach(e *pipe.End) { s.interests.attach(e) }
func (s *sub) Detach(e *pipe.End) { s.interests.detach(e) }

// Ready sends the whole set of subscriptions: they are state of the socket,
// not messages of a connection.
func (s *sub) Ready(e *pipe.End) (*pipe.End, error) {
	s.announce(e)
	return nil, nil
}

// TryRecv filters again: a message may have been on its way when its topic was
// cancelled.
func (s *sub) TryRecv(m *msg.Message) error {
	for {
		e := s.tryRecv(m)
		if e == nil {
			return ringwire.ErrAgain
		}
		if s.matches(m.Frame(0)) != s.invert {
			return nil
		}
		e.DropReceived(pipe.NoRoute)
	}
}

// Inputs implements pipe.Inbox.
func (s *sub) Inputs() bool { return s.fairQueue.Inputs() }

// Settle implements pipe.Inbox.
func (s *sub) Settle() bool { return s.fairQueue.Settle() }

type xsub struct {
	none
	fairQueue
	interests
	overflow func(*pipe.End)
	shared   pipe.Shared
}

func newXSub(c *Config) Pattern {
	return &xsub{fairQueue: fairQueue{group: c.Group}, overflow: c.Overflow}
}

func (x *xsub) Attach(e *pipe.End) { x.interests.attach(e) }
func (x *xsub) Detach(e *pipe.End) { x.interests.detach(e) }

func (x *xsub) Ready(e *pipe.End) (*pipe.End, error) {
	x.announce(e)
	return nil, nil
}

// TrySend implements Pattern. It never waits: a publisher without room misses
// the message.
func (x *xsub) TrySend(m *msg.Message) (*pipe.End, error) {
	if topic, subscribe, ok := subscription(m); ok {
		if len(topic) > MaxTopic {
			return nil, fmt.Errorf("subscription of %d bytes, limit %d: %w", len(topic), MaxTopic, ringwire.ErrTooLarge)
		}
		if subscribe {
			x.Subscribe(string(topic))
		} else {
			x.Unsubscribe(string(topic)) // of an unknown topic: nothing to do, as in libzmq
		}
		return nil, nil
	}
	x.shared.Begin(m)
	n := 0
	for _, e := range x.ends {
		if !e.Ready() {
			continue
		}
		n++
		if !e.TrySendShared(&x.shared) {
			e.Drop(pipe.HWM, m)
			x.overflow(e)
		}
	}
	x.shared.End()
	if n == 0 {
		x.group.Drop(pipe.NoRoute, m)
	}
	return nil, nil
}

func (x *xsub) TryRecv(m *msg.Message) error {
	if x.tryRecv(m) == nil {
		return ringwire.ErrAgain
	}
	return nil
}

// Inputs implements pipe.Inbox.
func (x *xsub) Inputs() bool { return x.fairQueue.Inputs() }

// Settle implements pipe.Inbox.
func (x *xsub) Settle() bool { return x.fairQueue.Settle() }
