package main

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// engine makes the stations of one library.
type engine interface {
	// name is the label of the library in the results.
	name() string

	// supports says why the library cannot play a role, or nil if it can. It
	// is asked before any process is started.
	supports(r role) error

	// open makes the sockets of one side. The side that binds returns the
	// endpoint that the other side must connect to, in the library's own form.
	// The side that connects does not wait for it: ready does. ctx is for the
	// station's whole life.
	open(ctx context.Context, r role) (station, string, error)
}

// versioned is an engine that knows its library's version. Those of Go modules
// are known anyway.
type versioned interface{ version() string }

// Patterns of a role. With req-rep and dealer-router the sending side asks and
// the receiving side answers.
const (
	pushPull         = "push-pull"         // PUSH, PULL: the PULL side binds
	pubSub           = "pub-sub"           // PUB, SUB: the PUB side binds
	reqRep           = "req-rep"           // REQ, REP: the REP side binds
	dealerRouter     = "dealer-router"     // DEALER, ROUTER: the ROUTER side binds
	publishUnmatched = "publish-unmatched" // PUB binds, one SUB with subscription(i) for all i below role.Subscriptions
	connections      = "connections"       // one PUSH with role.Sockets connections to one PULL, which binds

	// A device in a process of its own, which binds, is between the two sides.
	throughForwarder = "xsub-xpub" // PUB, XSUB to XPUB, SUB, all of which wait instead of dropping
	throughStreamer  = "pull-push" // PUSH, PULL to PUSH, PULL
)

// Sides of a role.
const (
	sideSend = "send"
	sideRecv = "recv"
	sideBoth = "both" // inproc: one process has both

	sideDevice = "device" // what is between them
)

// role is what one process does in one row. It travels to the process as JSON.
type role struct {
	Transport string // "tcp", "ipc", "inproc"
	Pattern   string
	Side      string

	// Bind is whether this side binds, with sideBoth meaningless: the engine
	// does both. Endpoint is what to bind ("tcp://127.0.0.1:*", "ipc:///path",
	// "inproc://name"), or what the binding side returned.
	Bind     bool
	Endpoint string

	// Senders and Receivers are the sockets of each side, of which this
	// process makes its own. Each has a goroutine or a thread of its own.
	Senders   int
	Receivers int

	// Goroutines is how many goroutines send on one socket; 0 is 1.
	Goroutines int

	// Stalled is how many of the receivers never receive. They get kernel
	// buffers as small as possible.
	Stalled int

	Size          int // bytes of each body, at least minSize
	Outstanding   int // requests in flight, for dealer-router; else 1
	Subscriptions int // for publish-unmatched
	Sockets       int // for connections

	// Variant is a way to use the library that is not its default: "",
	// "spin-off", "zero-copy" or "curve".
	Variant string
}

// spinOff is the variant that sleeps at once where the library would look again
// for a while first.
const spinOff = "spin-off"

// publishes says that messages may be dropped, end marks among them.
func (r role) publishes() bool { return r.Pattern == pubSub || r.Pattern == publishUnmatched }

// answers says that every message comes back.
func (r role) answers() bool { return r.Pattern == reqRep || r.Pattern == dealerRouter }

// through says that a device is between the two sides.
func (r role) through() bool { return r.Pattern == throughForwarder || r.Pattern == throughStreamer }

// binder is the side that binds.
func (r role) binder() string {
	switch {
	case r.through():
		return sideDevice
	case r.publishes():
		return sideSend
	}
	return sideRecv
}

// sidesHere are the sides that this process has, the one that binds first.
func (r role) sidesHere() []string {
	switch {
	case r.Side != sideBoth:
		return []string{r.Side}
	case r.binder() == sideSend:
		return []string{sideSend, sideRecv}
	}
	return []string{sideRecv, sideSend}
}

// measuredBy is the side whose result counts.
func (r role) measuredBy() string {
	if r.Pattern == pushPull || r.Pattern == pubSub || r.through() {
		return sideRecv
	}
	return sideSend
}

// account compares what was sent with what was received, where nothing may be
// lost.
func (r role) account(sent, got sliceResult) error {
	if !r.publishes() && sent.Messages != got.Messages {
		return fmt.Errorf("sent %d messages, received %d", sent.Messages, got.Messages)
	}
	return nil
}

// marks is how many end marks each receiving socket gets in a slice.
func (r role) marks() int {
	if r.Pattern == pushPull || r.through() {
		return r.Senders * max(r.Goroutines, 1)
	}
	return 1
}

// station is one side of a row at work: its sockets, ready to be used again
// and again. Only one method runs at a time, but for close.
type station interface {
	// ready returns when the peers are connected and what they subscribed to
	// is known, as far as the library can tell. What it cannot tell, the end
	// mark of the warm-up slice proves.
	ready(ctx context.Context) error

	// slice runs this side's part of one slice. The receiving side is started
	// first and ends with the end marks of this slice; it ignores messages and
	// marks of others.
	slice(ctx context.Context, s sliceSpec) (sliceResult, error)

	// endMark sends the end mark of a slice once more, on a PUB socket: it may
	// have been dropped. Never called on a station of both sides, whose slice
	// repeats its marks itself, every endMarkInterval.
	endMark(number byte) error

	// close closes the sockets, without delivering what is left. It may be
	// called while another method runs, which then ends with an error.
	close() error
}

// endMarkInterval is the time between repeated end marks.
const endMarkInterval = 10 * time.Millisecond

// sliceSpec is one slice. What is done is the role's business:
//
// push-pull, pub-sub, and through a device: each sender sends for the duration, then an end mark.
// With a rate, message i is due at i/Rate after the start of the slice, and
// carries the time it was due at; it is late rather than skipped.
//
// req-rep: one round trip after the other for the duration, each timed, then
// an end mark that is answered, too.
//
// dealer-router: the same with role.Outstanding requests in flight and no
// times. The last are answered before the end mark is sent.
//
// publish-unmatched: as pub-sub, of topics(role.Size, role.Subscriptions) in
// turn, but for the mark; the subscriber has a subscription for that, made
// last: {kindEnd}.
//
// connections: the sending side connects, the receiving side waits until all
// are ready. There is one slice only.
type sliceSpec struct {
	Number   byte
	Duration time.Duration
	Rate     float64 // messages per second; 0: as many as possible
}

// sliceResult is what a station saw of a slice. It travels as JSON. With
// sideBoth it is that of the side that measures: see role.measuredBy.
type sliceResult struct {
	// Messages that this side sent or received, without end marks. Round trips
	// on both sides of req-rep and dealer-router.
	Messages int64

	// PerSecond is the rate of this side's messages: over first to last as
	// received computes it on the receiving side; over the duration as it
	// really was for round trips and for the sender of publish-unmatched.
	PerSecond float64

	// Seconds from the first message to the last.
	Seconds float64

	// Latency has the round trips of the asking side in req-rep, and the times
	// from due to received on the receiving side of a slice with a rate.
	Latency *histogram `json:",omitempty"`

	// At is for connections, in nanoseconds of CLOCK_MONOTONIC: when the
	// sending side began, when the receiving side saw the last one ready.
	At int64 `json:",omitempty"`
}

// Bodies of messages. The receiver looks at the first byte of each.
const (
	kindData = 0 // byte 0
	kindEnd  = 1 // byte 0, of an end mark

	numberOffset = 1 // one byte: Number of the slice, so that late messages are told apart
	dueOffset    = 8 // 8 bytes, little endian: when it was due, in nanoseconds of CLOCK_MONOTONIC

	minSize = 16
)

// clockEvery is how many messages a loop handles between two looks at the
// clock: a sender for the end of its slice, a receiver for the time of its last
// message. The first clockEvery messages are each timed.
const clockEvery = 64

// delivery is what one receiving socket got in a slice, on its own clock. Last
// is not the last message's time, for that is not known before nothing follows,
// but that of the timed-th, which was the last to be timed.
type delivery struct {
	count       int64 // data messages
	first, last int64 // nanoseconds
	timed       int64
}

// add counts a message.
func (d *delivery) add(c clock) {
	d.count++
	if d.count < clockEvery || d.count%clockEvery == 0 {
		d.last, d.timed = c.now(), d.count
		if d.count == 1 {
			d.first = d.last
		}
	}
}

// received is the result of a receiving side. Its rate is the sum of the rates
// of its sockets.
func received(deliveries []delivery) sliceResult {
	var r sliceResult
	for _, d := range deliveries {
		r.Messages += d.count
		if elapsed := float64(d.last-d.first) / 1e9; elapsed > 0 {
			r.PerSecond += float64(d.timed-1) / elapsed
			r.Seconds = max(r.Seconds, elapsed)
		}
	}
	return r
}

// link is one Go socket of a library, or one end of a probe, for the loops that
// the engines written in Go have in common: newLinkStation.
type link interface {
	// send sends a body. It may be changed as soon as send returns. On REP and
	// ROUTER it goes to whom recv returned a message of last.
	send(b []byte) error
	// recv returns the next body, valid until the next recv. On ROUTER without
	// the envelope.
	recv() ([]byte, error)
	close() error
}

// newLinkStation makes a station of a side's links: senders also ask, receivers
// also answer; one of them is empty unless r.Side is sideBoth. The first
// r.Stalled receivers are never received from. ready may be nil.
func newLinkStation(r role, senders, receivers []link, ready func(context.Context) error) station {
	return &linkStation{
		role: r, senders: senders, receivers: receivers, wait: ready,
		topics: sync.OnceValue(func() [][]byte { return topics(r.Size, r.Subscriptions) }),
	}
}

// engines are those of this build, ours first.
func engines() []engine {
	own := []engine{ringwireEngine{}, netEngine{}, chanEngine{}, limitEngine{}}
	return append(own, foreignEngines()...)
}
