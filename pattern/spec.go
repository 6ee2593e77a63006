// Package pattern has the eleven socket types, which are what socket.New takes:
// [Req] and [Rep], [Dealer] and [Router] for requests and replies; [Pub],
// [Sub], [XPub] and [XSub] for topics; [Push] and [Pull] for pipelines; [Pair]
// for two that only talk to each other. A user of the library needs nothing
// else from here.
//
// For those who work on it: a pattern decides who gets a message and whose
// message is next, one file per socket type, on a few shared strategies (load
// balance, fair queue, fan-out, identity map). A pattern answers at once. It never blocks, never starts a goroutine, never
// flushes and knows neither time nor the network: the socket waits, the
// session writes. It does keep the state of its protocol, such as whether a
// REQ owes a reply, and it is where a message can be dropped, with a reason.
//
// Locks: Attach, Ready, Lost, Detach, TrySend and the subscription calls are
// made with the send lock of the group held, TryRecv, Ready and Settle of the
// inbox with the receive lock. State that both sides use is atomic.
package pattern

import (
	"errors"
	"slices"

	"github.com/ringwire/ringwire/internal/msg"
	"github.com/ringwire/ringwire/internal/pipe"
)

// Spec describes a socket type. The values of this package are all there are.
type Spec struct {
	name       string
	peers      []string // socket types it talks to (RFC 23, 28 to 31)
	sends      bool
	receives   bool
	subscribes bool
	identifies bool // announces its identity in the handshake
	noDup      bool // a second Connect to the same endpoint is ignored
	make       func(*Config) Pattern
}

// Name is the socket type's name on the wire, such as "PUSH".
func (s *Spec) Name() string { return s.name }

// String is the name.
func (s *Spec) String() string { return s.name }

// Peers lists the names of the socket types that this one talks to.
func (s *Spec) Peers() []string { return slices.Clone(s.peers) }

// Sends reports whether Send is possible.
func (s *Spec) Sends() bool { return s.sends }

// Receives reports whether Recv is possible.
func (s *Spec) Receives() bool { return s.receives }

// Subscribes reports whether Subscribe and Unsubscribe are possible.
func (s *Spec) Subscribes() bool { return s.subscribes }

// Identifies reports whether the socket announces an identity: REQ, DEALER
// and ROUTER do.
func (s *Spec) Identifies() bool { return s.identifies }

// IgnoresDuplicate reports whether a second Connect to the same endpoint does
// nothing, as for DEALER, SUB, PUB and REQ in libzmq.
func (s *Spec) IgnoresDuplicate() bool { return s.noDup }

// Talks reports whether a socket type with the given name is a peer.
func (s *Spec) Talks(name string) bool { return slices.Contains(s.peers, name) }

// New makes the pattern of one socket.
func (s *Spec) New(c *Config) Pattern { return s.make(c) }

// Config is what a pattern needs of the socket's options.
type Config struct {
	Group          *pipe.Group
	Immediate      bool
	DropUnroutable bool
	Handover       bool
	ProbeRouter    bool
	ReqRelaxed     bool
	ReqCorrelate   bool
	Verbose        bool
	Verboser       bool
	Manual         bool
	NoDrop         bool
	Invert         bool
	DropOldest     bool
	Welcome        []byte
	MaxTopics      int             // of one peer; no more than zero: no limit
	Overflow       func(*pipe.End) // a message for this end was dropped: it is full
}

// Pattern is one socket's routing. See the package comment for the locks.
type Pattern interface {
	// Attach makes e available; what is sent to it is queued.
	Attach(e *pipe.End)
	// Ready is called after each handshake with e's peer. It may name an
	// older end with the same identity: then e is not taken, and the caller
	// asks again when that one is gone. An error refuses the peer.
	Ready(e *pipe.End) (older *pipe.End, err error)
	// Lost is called when e's connection ended and another may follow.
	Lost(e *pipe.End)
	// Detach is called when e is gone for good.
	Detach(e *pipe.End)

	// TrySend queues m. With ErrAgain, which leaves m as it was, wait is the
	// end that must get room first, nil if any will do.
	TrySend(m *msg.Message) (wait *pipe.End, err error)
	// TryRecv moves the next message into m, or returns ErrAgain.
	TryRecv(m *msg.Message) error

	pipe.Inbox
}

// Subscriber is a pattern that subscribes.
type Subscriber interface {
	Subscribe(topic string)
	Unsubscribe(topic string) error
	// Subscribed reports whether there is any subscription.
	Subscribed() bool
}

// Publisher is a pattern that knows its subscribers.
type Publisher interface {
	pipe.Intake
	// Subscribers counts the peers that would receive topic.
	Subscribers(topic string) int
	// Topics counts the subscriptions of one peer.
	Topics(e *pipe.End) int
	// Unmatched counts the messages that nobody had subscribed to.
	Unmatched() int64
	// Filter tells what need not be sent.
	Filter() *Filter
	// Sweep removes some subscriptions of peers that were detached, and reports
	// whether there are more. The caller gives the send lock back in between:
	// a peer with very many must not hold up the others.
	Sweep() (more bool)
	// SubscribePeer and UnsubscribePeer act for a peer; only with Manual.
	SubscribePeer(e *pipe.End, topic string)
	UnsubscribePeer(e *pipe.End, topic string)
}

// Requester is a pattern whose request can be given up.
type Requester interface {
	// Abandon forgets the request in progress and returns the end whose
	// connection must be dropped so that a late reply cannot be taken for the
	// next one's; nil if the request had not left.
	Abandon() *pipe.End
	// Unanswered is pipe.Config's: what is neither answered nor the request of an
	// answer.
	Unanswered(e *pipe.End, unconfirmed int64) int64
}

// Addresser is a pattern that can send to a peer by its identity.
type Addresser interface {
	// Assign gives e an identity before any handshake.
	Assign(e *pipe.End, identity []byte) error
}

// none has the methods that a pattern may leave out.
type none struct{}

func (none) Ready(*pipe.End) (*pipe.End, error)      { return nil, nil }
func (none) Lost(*pipe.End)                          {}
func (none) TrySend(*msg.Message) (*pipe.End, error) { return nil, errors.ErrUnsupported }
func (none) TryRecv(*msg.Message) error              { return errors.ErrUnsupported }
func (none) Inputs() bool                            { return false }
func (none) Settle() bool                            { return false }

// discard is the intake of a socket that cannot receive.
type discard struct{}

// Intake implements pipe.Intake.
func (discard) Intake(e *pipe.End, m *msg.Message) bool {
	e.Refuse()
	return true
}

// PeerSubscription implements pipe.Intake: there is nothing to subscribe to.
func (discard) PeerSubscription(*pipe.End, []byte, bool) {}

// clip keeps what an error quotes short enough to read.
func clip[T string | []byte](v T) T { return v[:min(len(v), 64)] }
