package device

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/socket"
)

// Device carries messages between two sockets, its front and its back. It is made
// by New or by a constructor that makes the sockets, too, runs once, and is safe
// for any number of goroutines.
type Device struct {
	// Immutable after New.
	front, back *socket.Socket
	owned       bool   // the sockets are the device's to close
	token       string // what both sockets announce, to be recognised; empty: nothing
	opts        *Options
	pumps       []*pump       // one per direction that the socket types have
	gate        *gate         // pause, drain, end
	done        chan struct{} // closed when Run has ended

	// Guarded by mu.
	mu     sync.Mutex
	begun  bool // Run was called, or Close made it needless
	closed bool // Close came before Run

	capture  capture
	commands commands
}

// New makes a device between two sockets of the caller's, who binds and connects
// them, before or after, and closes them after Run. What front receives is sent by
// back, and the other way round where the socket types can. The error says what
// does not fit: socket types between which nothing can go, REQ or REP (use DEALER
// and ROUTER), a socket that is closed, an option that is out of range. front and
// back may be the same REP, ROUTER, DEALER or PAIR: it then answers with what it
// receives.
//
// A ROUTER should have DropUnroutable, or a peer that does not read stops the
// traffic of all. An XPUB should not have XPubVerbose without XPubVerboser: an XSUB
// counts subscriptions, and needs as many cancellations.
func New(front, back *socket.Socket, opts *Options) (*Device, error) {
	if err := fit(front, back); err != nil {
		return nil, fail("new device", "", err)
	}
	o, err := opts.validate(front, back)
	if err != nil {
		return nil, fail("new device", "", err)
	}
	d := &Device{front: front, back: back, opts: o, gate: newGate(), done: make(chan struct{})}
	d.capture = capture{to: o.Capture, blocks: o.CaptureBlocks}
	forward := newPump(d, front, back)
	d.pumps = append(d.pumps, forward)
	if front != back {
		d.pumps = append(d.pumps, newPump(d, back, front))
	}
	return d, nil
}

// Run is New and Device.Run.
func Run(ctx context.Context, front, back *socket.Socket, opts *Options) error {
	d, err := New(front, back, opts)
	if err != nil {
		return err
	}
	return d.Run(ctx)
}

// Front is the socket that faces those who publish, ask or push.
func (d *Device) Front() *socket.Socket { return d.front }

// Back is the socket that faces those who subscribe, answer or pull.
func (d *Device) Back() *socket.Socket { return d.back }

// Run carries messages until ctx ends, which is its error; until Terminate, Drain
// or the command TERMINATE, which is nil; or until the front or the back is
// closed, which is ringwire.ErrClosed. A device that turns out to be connected to
// itself is ErrLoop. Messages in hand that could not be delivered any more are
// counted in Stats, and the error then is, or wraps, a *ringwire.UnsentError. Run
// does not close the sockets: see Close. After Terminate or Close it returns nil at
// once; a second Run is ringwire.ErrState.
//
// A message that the other socket can never take, such as one without an envelope
// towards a ROUTER, is dropped and counted as refused in Stats.
//
// The commands that Options.Control takes are those of libzmq's steerable proxy:
// PAUSE, RESUME and TERMINATE are answered by one empty frame, STATISTICS by eight
// frames of an uint64 each in the machine's byte order, see [Stats.Frames]. What
// is not a command gets an empty frame, too, is counted, and changes nothing.
func (d *Device) Run(ctx context.Context) error {
	if ctx == nil {
		return fail("run device", "", errors.New("context is nil, want context.Background() or one of your own"))
	}
	if begun, closed := d.begin(false); closed {
		return nil
	} else if begun {
		return fail("run device", "", fmt.Errorf("it has been run before: %w", ringwire.ErrState))
	}
	defer close(d.done)
	g := d.gate
	stop := context.AfterFunc(ctx, func() { g.end(ctx.Err()) })
	defer stop()

	var others, pumps sync.WaitGroup
	d.watch(&others)
	if d.opts.Control != nil {
		others.Go(d.obey)
	}
	for _, p := range d.pumps {
		pumps.Go(p.run)
	}
	pumps.Wait()
	d.flush()
	g.end(nil)
	others.Wait()
	return fail("run device", g.where(), d.result())
}

// begin marks the device as run, and says whether it was already, or was closed.
func (d *Device) begin(closing bool) (begun, closed bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	begun, closed = d.begun, d.closed
	if !begun && closing {
		d.closed = true
		close(d.done)
	}
	d.begun = true
	return begun, closed
}

// result is why the device ended, and what that cost.
func (d *Device) result() error {
	err := d.gate.reason()
	var unsent ringwire.UnsentError
	for _, p := range d.pumps {
		unsent.Messages += p.dropped.messages.Load()
		unsent.Bytes += p.dropped.bytes.Load()
	}
	switch {
	case unsent.Messages == 0:
		return err
	case err == nil:
		return &unsent
	}
	return fmt.Errorf("%w; %w", err, &unsent)
}

// Terminate ends the device now. It does not wait; Run returns soon.
func (d *Device) Terminate() { d.gate.end(nil) }

// Close ends the device now, waits for Run, and closes the sockets if the device
// has made them (not those that New was given). A *ringwire.UnsentError in the
// result says what they had accepted and could not deliver within their Linger.
func (d *Device) Close() error {
	d.gate.end(nil)
	d.begin(true)
	<-d.done
	if !d.owned {
		return nil
	}
	// Together: each may linger.
	var front error
	var both sync.WaitGroup
	both.Go(func() { front = d.front.Close() })
	back := d.back.Close()
	both.Wait()
	return errors.Join(front, back)
}

// fail makes the error of a public call.
func fail(op, endpoint string, err error) error {
	if err == nil {
		return nil
	}
	return &ringwire.OpError{Op: op, Endpoint: endpoint, Err: err}
}
