package pipe

import (
	"context"
	"sync/atomic"

	"github.com/ringwire/ringwire/internal/msg"
	"github.com/ringwire/ringwire/internal/zmtp"
)

// Wire is what stands behind an end that has a connection. Session implements
// it.
type Wire interface {
	// Fill reads from the connection until something was read, the read token
	// had to go back, or cancel is ready. Needs the receive lock and the read
	// token.
	Fill(ctx context.Context, block bool) error
	// Next decodes one message that was read. Needs the receive lock and the
	// read token.
	Next(m *msg.Message) bool
	// Flush writes what is queued if nobody else is writing; else, or if the
	// connection cannot be written to without blocking, the writer does it.
	Flush()
	// Claim takes the right to write, if nobody has it and everything was
	// written, for a FlushClaimed that must follow without the send lock.
	Claim() bool
	// FlushClaimed is Flush by its owner. It gives the right back.
	FlushClaimed()
	// Serve sees to it that what was just queued is written soon; quiet says
	// that more is not to be expected at once.
	Serve(quiet bool)
	// Postpone sees to it that what was just queued is written in a while, if
	// nobody calls Flush before, or reports that it cannot.
	Postpone() bool
	// Subscription sends a command that is state and not a message; it is never
	// subject to the high-water mark.
	Subscription(topic string, subscribe bool)
	// Drained reports whether nothing that was read is left to decode. Needs
	// the read token.
	Drained() bool
	// Ping asks the peer for a sign of life.
	Ping()
	// Recall gets a caller who holds the read token out of the poller.
	Recall()
	// Return gives the read token back to the connection's own reader. Needs
	// the receive lock.
	Return()
	// Close ends the connection; the reason goes into the event.
	Close(reason error)
}

// Owner is whom an end belongs to: the socket's record of the peer.
type Owner interface {
	// Drop ends the connection behind the end; what connects, connects again.
	Drop(reason error)
}

// Config bounds an end. Zero or negative means no bound.
type Config struct {
	SendHWM      int   // messages queued towards the peer
	RecvHWM      int   // messages queued from the peer
	SendHWMBytes int64 // their bytes; one message may exceed them when nothing is queued
	RecvHWMBytes int64
	Conflate     bool // keep only the newest message, each way
	Connecting   bool // survives its connections: made by Connect, not by an accepted peer

	// Unanswered is asked when a connection has ended, over which so many messages
	// were written without a receipt: how many of those, the last ones, the peer has
	// not shown by its answers to have taken in. Nil: all of them. It has the send lock.
	Unanswered func(e *End, unconfirmed int64) int64
}

// Intake takes what a peer sends before it is queued, for sockets on which
// that must happen without a Recv: subscriptions to a publisher, anything to a
// socket that cannot receive. It runs on the goroutine that decoded the
// message, or for inproc on the peer's; the send lock of this end's group is
// not held.
type Intake interface {
	// Intake reports whether it consumed m.
	Intake(e *End, m *msg.Message) bool
	// PeerSubscription applies one (un)subscription of the peer.
	PeerSubscription(e *End, topic []byte, subscribe bool)
}

// End is one peer as a pattern sees it.
type End struct {
	// Immutable after New.
	group  *Group
	config Config
	intake Intake
	peer   *msg.Peer
	owner  Owner

	// Guarded by the send lock.
	Info      Info // what the handshake told, set before Ready
	index     int  // in the group's ends
	attached  bool
	ready     bool
	retired   bool // its connection is ending
	out       outbox
	flight    flight // what a flush has taken and not yet written
	condemned error  // the connection is to be closed, for this reason
	link      *End   // inproc: the other socket's end
	lane      *Queue // inproc: the queue towards the peer
	joined    bool   // inproc: the lane has, or had, a peer that reads it
	touched   bool
	inline    bool     // flush on the caller's goroutine
	claimed   *wireBox // the connection whose write token the Send in progress took
	sent      sent
	spent     int64  // bytes queued, as the group's budget knows of them
	mark      uint64 // fan-out: the last message that matched this end
	Data      any    // the pattern's own state for this peer

	assigned bool // its identity was given by us, not by the peer

	wire atomic.Pointer[wireBox]

	route   atomic.Pointer[[][]byte] // identity, as the frame that a ROUTER puts in front
	spoiled atomic.Bool              // replies that still come over this connection are stale
	epoch   atomic.Uint32            // connections so far
	floor   atomic.Uint64            // messages that had come into the queue before the current one
	base    uint64                   // inproc: what had left the incoming queue before it was ours; immutable

	// Incoming queue; its consumer holds the receive lock.
	in        atomic.Pointer[Queue]
	active    atomic.Bool   // listed as having something to read
	wantsRoom atomic.Bool   // paused until there is room towards the peer; set under the send lock
	open      atomic.Bool   // inproc: ready, so that the peer may wake our receivers
	drained   bool          // callers hold the read token and have emptied the queue; owned by the receiver
	viaQueue  bool          // the last message came through the queue; owned by the receiver
	left      atomic.Uint64 // its number among the ends that left something, until that is received; else 0
	leaving   atomic.Bool   // more of it is on its way, though the peer has left
	after     atomic.Uint64 // how many had left something when it became ready
	postponed atomic.Bool   // answers wait for the receiver to have them written
	filled    atomic.Int64  // when the receiver last read; written by the receiver
	waste     msg.Message   // what comes while the socket is closing; owned by the reader
	got       got
	fed       atomic.Bool // inproc: the peer may still put something into in
}

// wireBox makes an interface value atomic.
type wireBox struct{ Wire }

// Info is what is known about the peer of an end.
type Info struct {
	Identity   []byte
	SocketType string
	Endpoint   string // the endpoint of ours that led to it
	Local      string
	Remote     string
	Mechanism  string
	Principal  string
	Minor31    bool          // speaks ZMTP 3.1 or later: subscriptions are commands, PING is understood
	Metadata   zmtp.Metadata // everything the peer told; immutable
}

// NewEnd makes an end of g that nothing is attached to yet.
func NewEnd(g *Group, config Config, intake Intake, owner Owner) *End {
	e := &End{group: g, config: config, intake: intake, owner: owner, peer: msg.NewPeer()}
	in := newQueue(config.RecvHWM, config.RecvHWMBytes, config.Conflate)
	in.looks, in.budget = g.spins(), g.recvBudget
	e.in.Store(in)
	return e
}

// Group is the group that e belongs to.
func (e *End) Group() *Group { return e.group }

// Peer names the end in messages.
func (e *End) Peer() *msg.Peer { return e.peer }

// Config is what the end was made with.
func (e *End) Config() Config { return e.config }

// Attached reports whether e is one of its group's ends. Needs the send lock.
func (e *End) Attached() bool { return e.attached }

// Ready reports whether the handshake with the peer is complete. Needs the
// send lock.
func (e *End) Ready() bool { return e.ready }

// Attach makes e one of its group's ends. Needs the send lock.
func (e *End) Attach() {
	e.attached = true
	e.group.attach(e)
}

// SetWire puts a connection behind the end, before SetReady, or takes it away
// again. Needs the send lock.
func (e *End) SetWire(w Wire) {
	if w == nil {
		e.wire.Store(nil)
		return
	}
	e.wire.Store(&wireBox{w})
}

// SetReady notes a complete handshake. Needs the send lock. The caller recalls
// the returned end, if any, after unlocking.
func (e *End) SetReady() (recall *End) {
	e.retired = false
	e.setReady(true)
	e.floor.Store(e.Arrived())
	e.epoch.Add(1)
	e.after.Store(e.group.departed)
	e.open.Store(true)
	if e.lane != nil {
		e.activate() // the inproc peer may have been ready first
	}
	return e.group.reshape()
}

// SetLost notes that the connection is gone; what was queued stays. Needs the
// send lock; see SetReady.
func (e *End) SetLost() (recall *End) {
	e.setReady(false)
	e.wire.Store(nil)
	return e.group.reshape()
}

func (e *End) setReady(ready bool) {
	if e.ready == ready {
		return
	}
	e.ready = ready
	if ready {
		e.group.ready.Add(1)
	} else {
		e.group.ready.Add(-1)
	}
}

// Detach takes e out of its group. What was queued towards the peer is
// dropped for the given reason; what came from it stays readable. A
// connection behind e stays until its session ends, see SetLost. Needs the
// send lock; see SetReady.
func (e *End) Detach(reason Reason) (recall *End) {
	if e.attached {
		e.attached = false
		e.group.detach(e)
		e.orphan()
	}
	e.setReady(false)
	e.DropQueued(reason)
	if e.wantsRoom.CompareAndSwap(true, false) {
		e.activate() // no room will come that could end the pause
	}
	return e.group.reshape()
}

// Recall gets the read token of e back to its reader, as after a change of
// the group's ends. It must be called without the send lock.
func (e *End) Recall() {
	if w := e.wire.Load(); w != nil {
		w.Recall()
	}
	e.group.Settle()
}

// Ping asks the peer for a sign of life, if there is a connection.
func (e *End) Ping() {
	if w := e.wire.Load(); w != nil {
		w.Ping()
	}
}

// Retire makes e unfit to be the single end, because its connection ends: its
// read token comes back to its reader. It must be called without the send
// lock.
func (e *End) Retire() {
	g := e.group
	g.mu.Lock()
	if g.single.Load() == e {
		g.single.Store(nil)
	}
	e.retired = true
	g.mu.Unlock()
	g.Settle()
}

// Intake passes m to the intake, if there is one, and reports whether that
// consumed it.
func (e *End) Intake(m *msg.Message) bool {
	return e.intake != nil && e.intake.Intake(e, m)
}

// PeerSubscription passes a subscription command of the peer on.
func (e *End) PeerSubscription(topic []byte, subscribe bool) {
	if e.intake != nil {
		e.intake.PeerSubscription(e, topic, subscribe)
	}
}

// Close ends the connection behind the end, if there is one. It must be called
// without the send lock; see Condemn.
func (e *End) Close(reason error) {
	if w := e.wire.Load(); w != nil {
		w.Close(reason)
	}
}

// Mark reports whether generation is new to e, and notes it: fan-out visits
// an end once per message however many of its prefixes match. Needs the send
// lock.
func (e *End) Mark(generation uint64) bool {
	if e.mark == generation {
		return false
	}
	e.mark = generation
	return true
}

// Connected reports whether a connection stands behind the end, or, for
// inproc, the peer's end: something may still come.
func (e *End) Connected() bool { return e.wire.Load() != nil || e.link != nil }
