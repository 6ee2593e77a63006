package pattern

import (
	"container/list"
	"sync"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/msg"
	"github.com/ringwire/ringwire/internal/pipe"
)

// xpub is pub whose subscriptions are received.
type xpub struct {
	pub
	fairQueue
	verbose  bool // tell every subscribe
	verboser bool // and every unsubscribe
	manual   bool // tell, and leave it to the application to apply
	notices  notices
}

func newXPub(c *Config) Pattern {
	x := &xpub{
		fairQueue: fairQueue{group: c.Group},
		verbose:   c.Verbose || c.Verboser,
		verboser:  c.Verboser,
		manual:    c.Manual,
	}
	x.init(c)
	x.notices.perPeer, x.notices.manual = c.Manual || x.verbose, c.Manual
	return x
}

// Lost tells the application that a peer's topics are no longer wanted, as if
// it had cancelled them.
func (x *xpub) Lost(e *pipe.End) { x.forget(e) }

// Sweep implements Publisher. It tells what Lost tells.
func (x *xpub) Sweep() (more bool) {
	more = x.fan.sweep(func(e *pipe.End, topic string, last bool) {
		if last || x.verboser || x.manual {
			x.notices.put(e, topic, false)
		}
	})
	x.group.WakeReceiver()
	return more
}

func (x *xpub) forget(e *pipe.End) {
	for topic := range topicsOf(e).set {
		if _, last := x.fan.remove(e, topic); last || x.verboser || x.manual {
			x.notices.put(e, topic, false)
		}
	}
	e.Data = nil
	x.group.WakeReceiver()
}

// Intake implements pipe.Intake.
func (x *xpub) Intake(e *pipe.End, m *msg.Message) bool {
	topic, subscribe, ok := subscription(m)
	if ok {
		x.PeerSubscription(e, topic, subscribe)
	}
	return ok
}

// PeerSubscription implements pipe.Intake.
func (x *xpub) PeerSubscription(e *pipe.End, topic []byte, subscribe bool) {
	if refuseTopic(e, topic) {
		return
	}
	g := e.Group()
	g.Lock()
	if !e.Attached() {
		g.Unlock()
		return
	}
	ok := x.admits(e, string(topic), subscribe)
	if ok && x.tell(e, string(topic), subscribe) {
		x.notices.put(e, string(topic), subscribe)
	}
	g.Notify()
	g.WakeReceiver()
	g.Unlock()
	if !ok {
		x.fan.refuse(e)
	}
}

// admits reports whether the peer may ask for this: an application that applies
// subscriptions itself and does not receive must not have to remember any number.
func (x *xpub) admits(e *pipe.End, topic string, subscribe bool) bool {
	if !x.manual {
		return !subscribe || x.fan.admits(e, topic)
	}
	o, known := x.notices.of(e, topic)
	return known || x.fan.within(e, o.notices, o.bytes+int64(len(topic)))
}

// tell applies a subscription, unless that is left to the application, and
// reports whether the application hears of it.
func (x *xpub) tell(e *pipe.End, topic string, subscribe bool) bool {
	if x.manual {
		return true
	}
	if subscribe {
		_, first := x.fan.add(e, topic)
		return first || x.verbose
	}
	removed, last := x.fan.remove(e, topic)
	return last || removed && x.verboser
}

func (x *xpub) TryRecv(m *msg.Message) error {
	if x.notices.take(m) || x.tryRecv(m) != nil {
		return nil
	}
	return ringwire.ErrAgain
}

// Inputs implements pipe.Inbox.
func (x *xpub) Inputs() bool { return x.notices.any() || x.fairQueue.Inputs() }

// Settle implements pipe.Inbox.
func (x *xpub) Settle() bool { return x.fairQueue.Settle() || x.notices.any() }

// notices are subscriptions that the application has not received. One that
// undoes another which was not received takes it away instead of queueing, so
// there are never more than topics that somebody knows.
type notices struct {
	perPeer bool // peers are told apart; immutable
	manual  bool // the application applies subscriptions; immutable

	mu    sync.Mutex
	queue list.List // of notice, oldest first
	at    map[noticeKey]*list.Element
	owed  map[*msg.Peer]owed // to the application, of each peer, if it applies subscriptions itself
}

type owed struct {
	notices int
	bytes   int64 // of their topics
}

type noticeKey struct {
	peer  *msg.Peer // nil unless peers are told apart
	topic string
}

type notice struct {
	key       noticeKey
	peer      *msg.Peer
	subscribe bool
}

func (n *notices) put(e *pipe.End, topic string, subscribe bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	key := noticeKey{topic: topic}
	if n.perPeer {
		key.peer = e.Peer()
	}
	if old, ok := n.at[key]; ok {
		if old.Value.(notice).subscribe == subscribe {
			return
		}
		n.remove(old)
		if !subscribe || !n.manual {
			return
		}
		// The end of a connection has taken away what the application had applied:
		// it must hear of the topic again.
	}
	if n.at == nil {
		n.at = make(map[noticeKey]*list.Element)
	}
	n.at[key] = n.queue.PushBack(notice{key, e.Peer(), subscribe})
	if n.manual {
		if n.owed == nil {
			n.owed = make(map[*msg.Peer]owed)
		}
		o := n.owed[e.Peer()]
		n.owed[e.Peer()] = owed{o.notices + 1, o.bytes + int64(len(topic))}
	}
}

func (n *notices) remove(at *list.Element) {
	note := n.queue.Remove(at).(notice)
	delete(n.at, note.key)
	if n.manual {
		o := n.owed[note.peer]
		if o.notices == 1 {
			delete(n.owed, note.peer)
		} else {
			n.owed[note.peer] = owed{o.notices - 1, o.bytes - int64(len(note.key.topic))}
		}
	}
	if len(n.at) == 0 {
		n.at = nil // a map keeps the room it once needed
	}
}

// of is what waits of the peer of e, if the application applies subscriptions, and
// whether this topic does.
func (n *notices) of(e *pipe.End, topic string) (o owed, known bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	_, known = n.at[noticeKey{e.Peer(), topic}]
	return n.owed[e.Peer()], known
}

func (n *notices) any() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.queue.Len() > 0
}

// take makes m the oldest notice.
func (n *notices) take(m *msg.Message) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	first := n.queue.Front()
	if first == nil {
		return false
	}
	note := first.Value.(notice)
	n.remove(first)
	body := make([]byte, 1, 1+len(note.key.topic))
	if note.subscribe {
		body[0] = 1
	}
	m.SetBody(append(body, note.key.topic...))
	m.SetPeer(note.peer)
	return true
}
