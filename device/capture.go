package device

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/socket"
)

// capture copies what passes to a third socket.
type capture struct {
	to     *socket.Socket // nil: nowhere; immutable
	blocks bool           // immutable

	// Atomic: written by the pumps, read by Stats.
	taken, dropped atomic.Int64
}

// take copies a batch that is still the caller's. An error ends the device.
func (c *capture) take(ctx context.Context, batch []*ringwire.Message) error {
	if c.to == nil {
		return nil
	}
	if c.blocks {
		return c.takeAll(ctx, batch)
	}
	var frames [][]byte
	for _, m := range batch {
		frames = frames[:0]
		for i := range m.Len() {
			frames = append(frames, m.Frame(i))
		}
		if c.to.TrySend(frames...) == nil {
			c.taken.Add(1)
		} else {
			c.dropped.Add(1)
		}
	}
	return nil
}

// takeAll waits for room until the device ends.
func (c *capture) takeAll(ctx context.Context, batch []*ringwire.Message) error {
	copies := make([]*ringwire.Message, len(batch))
	for i, m := range batch {
		copies[i] = m.Clone()
	}
	n, err := c.to.SendBatch(ctx, copies)
	c.taken.Add(int64(n))
	c.dropped.Add(int64(len(batch) - n))
	for _, m := range copies[n:] {
		m.Release()
	}
	if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil // the device has ended
	}
	return err
}
