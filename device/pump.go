package device

import (
	"context"
	"errors"
	"fmt"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/socket"
)

// pump is one direction of a device: a goroutine that receives a batch from one
// socket and sends it by the other. A direction that the socket types do not have
// has a pump without a goroutine's work, for its counters.
type pump struct {
	// Immutable.
	d        *Device
	from, to *socket.Socket
	works    bool
	send     func(context.Context, []*ringwire.Message) (int, error) // to.SendBatch, or what a device does instead
	finished chan struct{}                                           // closed when it does nothing more

	// Owned by the pump's goroutine. batch points at messages of its own, which are
	// used again and again, for a socket that was given one has emptied it: taking
	// each from the pool and giving it back costs a tenth of what forwarding does.
	// Between two uses each holds 4 KiB at most.
	batch []*ringwire.Message
	own   []ringwire.Message
	sizes []size // of the messages in batch

	// Atomic: written by the pump, read by Stats.
	received, sent, dropped, refused tally
}

func newPump(d *Device, from, to *socket.Socket) *pump {
	p := &pump{d: d, from: from, to: to, works: carries(from.Type(), to.Type()), finished: make(chan struct{})}
	if p.works {
		p.send = to.SendBatch
		p.batch = make([]*ringwire.Message, d.opts.Batch)
		p.own = make([]ringwire.Message, d.opts.Batch)
		p.restore(d.opts.Batch)
		p.sizes = make([]size, d.opts.Batch)
	}
	return p
}

// restore has the first n places of the batch be the pump's own messages again.
func (p *pump) restore(n int) {
	for i := range n {
		p.batch[i] = &p.own[i]
	}
}

// run returns when the device is over or everything has been drained.
func (p *pump) run() {
	defer close(p.finished)
	if !p.works {
		return
	}
	g := p.d.gate
	for {
		ctx, mode := g.enter()
		switch mode {
		case over:
			return
		case draining:
			g.leave()
			p.drain()
			return
		}
		n, err := p.receive(ctx)
		p.deliver(n)
		if err != nil && !p.heed(ctx, err) {
			return
		}
	}
}

// heed ends the device if a call failed for another reason than that it was
// called off.
func (p *pump) heed(ctx context.Context, err error) (goOn bool) {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return true
	}
	p.d.gate.end(fmt.Errorf("%s: %w", p.d.name(p.from), err))
	return false
}

// name is what to call a socket of the device in an error.
func (d *Device) name(s *socket.Socket) string {
	switch s {
	case d.front:
		return "front"
	case d.back:
		return "back"
	}
	return "capture"
}

// receive fills the batch after the gate let the pump in, and leaves the gate.
func (p *pump) receive(ctx context.Context) (n int, err error) {
	defer p.d.gate.leave() // not before it is counted: Pause means that the counters stand still
	n, err = p.from.RecvBatch(ctx, p.batch)
	p.count(n)
	return n, err
}

// count notes the sizes of n messages in the batch.
func (p *pump) count(n int) {
	for i, m := range p.batch[:n] {
		p.sizes[i] = sizeOf(m)
	}
	p.received.add(p.sizes[:n])
}

// deliver sends the first n messages of the batch, and waits while there is no
// room. What is left when the device ends is dropped and counted.
func (p *pump) deliver(n int) {
	if n == 0 {
		return
	}
	batch, sizes := p.batch[:n], p.sizes[:n]
	life := p.d.gate.life
	if err := p.d.capture.take(life, batch); err != nil {
		p.d.gate.end(fmt.Errorf("capture: %w", err))
	}
	for len(batch) > 0 {
		n, err := p.send(life, batch)
		p.sent.add(sizes[:n])
		batch, sizes = batch[n:], sizes[n:]
		switch {
		case err == nil:
		case life.Err() != nil && errors.Is(err, life.Err()):
			p.drop(batch, sizes, &p.dropped)
			return
		case errors.Is(err, ringwire.ErrClosed):
			p.d.gate.end(fmt.Errorf("%s: %w", p.d.name(p.to), err))
			p.drop(batch, sizes, &p.dropped)
			return
		default:
			// The error is about the first message that is left: the socket will
			// never take it.
			p.drop(batch[:1], sizes[:1], &p.refused)
			batch, sizes = batch[1:], sizes[1:]
		}
	}
}

func (p *pump) drop(batch []*ringwire.Message, sizes []size, as *tally) {
	as.add(sizes)
	for _, m := range batch {
		m.Release()
	}
}
