package pattern

import (
	"fmt"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/msg"
	"github.com/ringwire/ringwire/internal/pipe"
)

// Pub sends each message to every peer that subscribed to a prefix of its
// first frame. A subscriber without room misses it (RFC 29).
var Pub = &Spec{name: "PUB", peers: []string{"SUB", "XSUB"}, sends: true, noDup: true, make: newPub}

// XPub is Pub with the subscriptions received as messages, a byte 1
// (subscribe) or 0 (unsubscribe) before the topic, and with whatever else the
// subscribers send (RFC 29).
var XPub = &Spec{name: "XPUB", peers: []string{"SUB", "XSUB"}, sends: true, receives: true, make: newXPub}

type pub struct {
	none
	fan     fanOut
	welcome []byte
}

func newPub(c *Config) Pattern {
	p := new(pub)
	p.init(c)
	return p
}

func (p *pub) init(c *Config) {
	p.fan = fanOut{group: c.Group, invert: c.Invert, noDrop: c.NoDrop, oldest: c.DropOldest, overflow: c.Overflow, most: c.MaxTopics}
	if c.Invert {
		p.fan.filter.Disable()
	}
	p.welcome = c.Welcome
}

func (p *pub) Attach(*pipe.End) {}

// Ready sends the welcome message; a subscriber receives it if it subscribes
// to a prefix of it.
func (p *pub) Ready(e *pipe.End) (*pipe.End, error) {
	if p.welcome != nil {
		var m msg.Message
		m.SetBody(p.welcome)
		e.Reply(&m)
	}
	return nil, nil
}

// Lost forgets the subscriptions: the peer sends them again.
func (p *pub) Lost(e *pipe.End) { p.forget(e) }

func (p *pub) Detach(e *pipe.End) { p.fan.leave(e) }

// Sweep implements Publisher.
func (p *pub) Sweep() (more bool) {
	return p.fan.sweep(func(*pipe.End, string, bool) {})
}

func (p *pub) forget(e *pipe.End) {
	for topic := range topicsOf(e).set {
		p.fan.remove(e, topic)
	}
	e.Data = nil
}

func (p *pub) TrySend(m *msg.Message) (*pipe.End, error) {
	if e := p.fan.send(m); e != nil {
		return e, ringwire.ErrAgain
	}
	return nil, nil
}

// Intake implements pipe.Intake: subscriptions in the message form, which
// peers of ZMTP 3.0 use, and XSUB applications on any connection. Everything
// else is discarded, since a PUB cannot receive.
func (p *pub) Intake(e *pipe.End, m *msg.Message) bool {
	if topic, subscribe, ok := subscription(m); ok {
		p.PeerSubscription(e, topic, subscribe)
	} else {
		e.Refuse()
	}
	return true
}

// subscription reads the message form of a subscription.
func subscription(m *msg.Message) (topic []byte, subscribe, ok bool) {
	if m.Len() == 0 {
		return nil, false, false
	}
	f := m.Frame(0)
	if len(f) == 0 || f[0] > 1 {
		return nil, false, false
	}
	return f[1:], f[0] == 1, true
}

// PeerSubscription implements pipe.Intake.
func (p *pub) PeerSubscription(e *pipe.End, topic []byte, subscribe bool) {
	if refuseTopic(e, topic) {
		return
	}
	g := e.Group()
	g.Lock()
	if !e.Attached() {
		g.Unlock()
		return
	}
	ok := true
	if !subscribe {
		p.fan.remove(e, string(topic))
	} else if ok = p.fan.admits(e, string(topic)); ok {
		p.fan.add(e, string(topic))
	}
	g.Notify()
	g.Unlock()
	if !ok {
		p.fan.refuse(e)
	}
}

func refuseTopic(e *pipe.End, topic []byte) bool {
	if len(topic) <= MaxTopic {
		return false
	}
	e.Close(fmt.Errorf("subscription of %d bytes, limit %d: %w", len(topic), MaxTopic, ringwire.ErrTooLarge))
	return true
}

// Subscribers implements Publisher.
func (p *pub) Subscribers(topic string) int { return p.fan.count(topic) }

// Topics implements Publisher.
func (p *pub) Topics(e *pipe.End) int { return len(topicsOf(e).set) }

// Unmatched implements Publisher.
func (p *pub) Unmatched() int64 { return p.fan.filter.unmatched.Load() }

// Filter implements Publisher.
func (p *pub) Filter() *Filter { return &p.fan.filter }

// SubscribePeer implements Publisher.
func (p *pub) SubscribePeer(e *pipe.End, topic string) { p.fan.add(e, topic) }

// UnsubscribePeer implements Publisher.
func (p *pub) UnsubscribePeer(e *pipe.End, topic string) { p.fan.remove(e, topic) }
