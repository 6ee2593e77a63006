package device

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/socket"
)

// ReplayOptions choose what is sent again, and when. The zero value of every field
// is the documented default. One of Speed, Rate and Fast can be set.
type ReplayOptions struct {
	// Speed is how much faster than recorded messages are sent. 0: 1, the pace at
	// which they were recorded.
	Speed float64
	// Rate is how many messages are sent per second, at an even pace. 0: as Speed
	// says.
	Rate float64
	// Fast sends as fast as the socket takes them.
	Fast bool
	// Times is how often the recording is sent. 0: once, -1: until ctx ends.
	Times int
	// Topics are prefixes of the first frame, one of which a message must have.
	// Empty: all messages are sent.
	Topics []string
	// From and To bound the time of recording: from From on, before To. Zero: no
	// bound.
	From, To time.Time
}

// ReplayStats says what was sent.
type ReplayStats struct {
	Messages int64
	Bytes    int64 // of their frames
	Skipped  int64 // messages that were not chosen
	Times    int   // how often the end was reached
}

// Replay sends the recording in a directory by a socket, and returns when that is
// done, when ctx ends (which is the error), or when a Send fails. Damaged segments
// do not stop it: whatever is whole is sent, and at the end the error wraps a
// *SegmentError for each. It does not wait for peers before it starts: see
// socket.WaitPeers and WaitSubscribers. When the socket cannot take messages in
// time, those that are late follow as fast as it does take them.
func Replay(ctx context.Context, to *socket.Socket, dir string, opts *ReplayOptions) (ReplayStats, error) {
	r := &replayer{ctx: ctx, to: to}
	if opts != nil {
		r.opts = *opts
	}
	if err := r.complete(); err != nil {
		return r.stats, fail("replay", dir, err)
	}
	for r.opts.Times == -1 || r.stats.Times < r.opts.Times {
		before := r.stats.Messages
		damage, err := r.once(dir)
		if err != nil {
			return r.stats, fail("replay", dir, errors.Join(append(damage, err)...))
		}
		r.stats.Times++
		if r.opts.Times == -1 && r.stats.Messages == before {
			return r.stats, fail("replay", dir, errors.Join(append(damage, errors.New("no message is chosen, and this would go on for ever"))...))
		}
		r.damage = damage // the same each time
	}
	return r.stats, fail("replay", dir, errors.Join(r.damage...))
}

// replayer is one call of Replay.
type replayer struct {
	ctx    context.Context
	to     *socket.Socket
	opts   ReplayOptions
	stats  ReplayStats
	damage []error

	batch []*ringwire.Message
	sizes []size
	timer *time.Timer
}

func (r *replayer) complete() error {
	o := &r.opts
	set := 0
	for _, is := range []bool{o.Speed != 0, o.Rate != 0, o.Fast} {
		if is {
			set++
		}
	}
	// Not: negative, infinite or not a number.
	odd := func(v float64) bool { return !(v >= 0) || math.IsInf(v, 0) }
	switch {
	case r.ctx == nil:
		return errors.New("context is nil, want context.Background() or one of your own")
	case r.to == nil || !r.to.Type().Sends():
		return errors.New("the socket cannot send")
	case odd(o.Speed):
		return fmt.Errorf("option Speed is %v, want 0 or more", o.Speed)
	case odd(o.Rate):
		return fmt.Errorf("option Rate is %v, want 0 or more", o.Rate)
	case set > 1:
		return errors.New("more than one of the options Speed, Rate and Fast are set, want one")
	case o.Times < -1:
		return fmt.Errorf("option Times is %d, want -1, 0 or more", o.Times)
	}
	if o.Speed == 0 {
		o.Speed = 1
	}
	if o.Times == 0 {
		o.Times = 1
	}
	return nil
}

// once sends the recording from its beginning to its end.
func (r *replayer) once(dir string) (damage []error, err error) {
	var start, first time.Time
	sent := 0
	for e, err := range Entries(dir) {
		if d, ok := errors.AsType[*SegmentError](err); ok {
			damage = append(damage, d)
			continue
		}
		if err != nil {
			return damage, err
		}
		if !r.chosen(e) {
			r.stats.Skipped++
			if err := r.ctx.Err(); err != nil {
				return damage, err
			}
			continue
		}
		if sent == 0 {
			start, first = time.Now(), e.Time
		}
		if !r.opts.Fast {
			if err := r.await(start, e.Time.Sub(first), sent); err != nil {
				return damage, err
			}
		}
		sent++
		if err := r.send(e); err != nil {
			return damage, err
		}
	}
	return damage, r.flush()
}

func (r *replayer) chosen(e *Entry) bool {
	if !r.opts.From.IsZero() && e.Time.Before(r.opts.From) || !r.opts.To.IsZero() && !e.Time.Before(r.opts.To) {
		return false
	}
	return len(r.opts.Topics) == 0 || slices.ContainsFunc(r.opts.Topics, func(prefix string) bool {
		return strings.HasPrefix(string(e.Frames[0]), prefix)
	})
}

// await waits until the message is due that was recorded so long after the first
// one, and that so many came before.
func (r *replayer) await(start time.Time, after time.Duration, before int) error {
	ns := float64(after) / r.opts.Speed
	if r.opts.Rate > 0 {
		ns = float64(before) / r.opts.Rate * 1e9
	}
	due := start.Add(time.Duration(min(max(ns, 0), math.MaxInt64/2)))
	wait := time.Until(due)
	if wait <= 0 {
		return r.ctx.Err()
	}
	if err := r.flush(); err != nil {
		return err
	}
	if r.timer == nil {
		r.timer = time.NewTimer(wait)
	} else {
		r.timer.Reset(wait)
	}
	select {
	case <-r.timer.C:
		return nil
	case <-r.ctx.Done():
		r.timer.Stop()
		return r.ctx.Err()
	}
}

// send takes a message into the batch, which is sent when it is full, and before
// anything is waited for.
func (r *replayer) send(e *Entry) error {
	m := ringwire.NewMessage(e.Frames...)
	r.batch, r.sizes = append(r.batch, m), append(r.sizes, sizeOf(m))
	if len(r.batch) < DefaultBatch {
		return nil
	}
	return r.flush()
}

func (r *replayer) flush() error {
	if err := r.ctx.Err(); err != nil {
		return err // a socket that has room does not ask
	}
	n, err := r.to.SendBatch(r.ctx, r.batch)
	for _, s := range r.sizes[:n] {
		r.stats.Messages++
		r.stats.Bytes += s.bytes
	}
	for _, m := range r.batch[n:] {
		m.Release()
	}
	clear(r.batch)
	r.batch, r.sizes = r.batch[:0], r.sizes[:0]
	return err
}
