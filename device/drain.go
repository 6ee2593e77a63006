package device

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// Drain ends the device without losing anything: it delivers what is in hand and
// what the sockets have received, reads no further, waits until the sockets have
// given everything to the kernel or to an inproc peer, and then Run returns. What
// had arrived before Drain, as Stats of the sockets count it, is delivered; what
// still comes while it drains may stay unread, which they tell as RecvQueued. A
// paused device drains, too.
//
// Between a ROUTER and a DEALER, Drain waits for the replies to what was
// forwarded, one for each, as long as the peer that owes one is there (behind
// Connect: for ever), unless Options.OneWay.
//
// When ctx ends first, the device is terminated, and the error wraps ctx's, which
// Run returns, too. Drain of a device that does not run ends it.
func (d *Device) Drain(ctx context.Context) error {
	if ctx == nil {
		return fail("drain device", "", errors.New("context is nil, want context.Background() or one of your own"))
	}
	d.mu.Lock()
	begun := d.begun
	d.mu.Unlock()
	if !begun {
		d.Terminate()
		return nil
	}
	d.gate.drain()
	select {
	case <-d.done:
	case <-ctx.Done():
		d.gate.end(fmt.Errorf("drain: %w", ctx.Err()))
		<-d.done
	}
	return fail("drain device", d.gate.where(), d.result())
}

// sweepLimit is how many messages a drain takes at least, if they are there: more
// than fit into the read buffer of a connection, and into a queue by default.
const sweepLimit = 1 << 16

// drain is the end of a pump that drains.
func (p *pump) drain() {
	p.sweep()
	if p.d.opts.OneWay || p.from != p.d.back || p.from.Type() != pattern.Dealer || p.to.Type() != pattern.Router {
		return
	}
	select {
	case <-p.d.pumps[0].finished: // no more requests
	case <-p.d.gate.life.Done():
		return
	}
	for owed(p.from) > 0 {
		ctx, mode := p.d.gate.enter()
		if mode == over {
			return
		}
		if owed(p.from) == 0 { // a peer may have left between the first look and enter
			p.d.gate.leave()
			break
		}
		n, err := p.receive(ctx)
		p.deliver(n)
		if err != nil && !p.heed(ctx, err) {
			return
		}
	}
	p.sweep()
}

// sweepWait is for how long a sweep waits for a message that is queued and cannot
// be taken at once, before it looks again whether it still is.
const sweepWait = 10 * time.Millisecond

// sweep carries what the socket has received, but not for ever.
func (p *pump) sweep() {
	left := max(sweepLimit, p.queued())
	for left > 0 && !p.d.gate.is(over) {
		n := p.gather(min(len(p.batch), left))
		if n == 0 && p.queued() == 0 {
			return
		}
		if n == 0 {
			// TryRecv also finds nothing while something else has the socket's
			// receiving side for a moment.
			ctx, cancel := context.WithTimeout(p.d.gate.life, sweepWait)
			var err error
			n, err = p.from.RecvBatch(ctx, p.batch)
			goOn := err == nil || p.heed(ctx, err)
			cancel()
			if !goOn {
				return
			}
		}
		p.count(n)
		p.deliver(n)
		p.restore(n)
		left -= n
	}
}

func (p *pump) queued() int { return int(p.from.Stats().RecvQueued) }

// gather takes up to most messages that are there into the batch, in place of the
// pump's own ones.
func (p *pump) gather(most int) (n int) {
	for n < most {
		m, err := p.from.TryRecv()
		if err != nil {
			break
		}
		p.batch[n] = m
		n++
	}
	return n
}

// owed is how many replies have not come, as far as the counters of the peers
// tell.
func owed(back *socket.Socket) (n int64) {
	for _, p := range back.Peers() {
		n += max(0, p.Accepted-p.SendDropped.Total()-p.Arrived)
	}
	return n
}

// flush waits, after a drain, until the sockets have got rid of what they accepted.
func (d *Device) flush() {
	g := d.gate
	if !g.is(draining) {
		return
	}
	for _, p := range d.pumps {
		if !p.works {
			continue
		}
		if err := p.to.Flush(g.life); err != nil && g.life.Err() == nil {
			if !errors.Is(err, ringwire.ErrClosed) {
				err = fmt.Errorf("flush: %w", err)
			}
			g.end(fmt.Errorf("%s: %w", d.name(p.to), err))
			return
		}
	}
}
