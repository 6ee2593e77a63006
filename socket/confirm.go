package socket

import (
	"context"
	"fmt"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/pipe"
)

// Confirm waits until everything that was accepted before the call was taken in
// by the peers that it was written to: ZMTP's PONG, which a peer sends in order,
// is the receipt. It proves that the peer's engine decoded and accepted the
// messages, not that the application behind it received them. Over inproc, being
// in the peer's queue is the same. A peer that has no room reads nothing, so
// Confirm waits for it, too.
//
// The error is ringwire.ErrNoReceipt when a peer cannot give receipts (ZMTP 3.0,
// or one whose PONG does not echo its PING), or when messages got into doubt, or
// were dropped because their peer was gone, since the last Confirm; it says how
// many. What a publisher drops for a full subscriber was never written, and does
// not count. When ctx ends first, the error wraps ctx's error and says what is
// waited for: a connection that is not there, the writing, or so many receipts.
func (s *Socket) Confirm(ctx context.Context) error {
	if ctx == nil {
		return fail("confirm", "", errNilContext)
	}
	if !s.spec.Sends() {
		return s.unsupported("confirm")
	}
	if s.isClosing() {
		return fail("confirm", "", ringwire.ErrClosed)
	}
	s.confirming.Lock()
	reported := s.reported
	s.confirming.Unlock()
	if err := s.flush(ctx); err != nil {
		return fail("confirm", "", err)
	}
	if err := s.receipts(ctx); err != nil {
		return fail("confirm", "", err)
	}
	s.confirming.Lock()
	loss := s.loss() // under the lock, or an older one could be kept
	s.reported = loss
	s.confirming.Unlock()
	if loss != reported {
		return fail("confirm", "", fmt.Errorf("%d messages are in doubt and %d were dropped since the last receipt, because their peers are gone: %w",
			loss.doubt-reported.doubt, loss.gone-reported.gone, ringwire.ErrNoReceipt))
	}
	return nil
}

// loss is what may not have arrived because a connection ended.
type loss struct{ doubt, gone int64 }

func (s *Socket) loss() loss {
	st := s.Stats()
	return loss{st.InDoubt, st.SendDropped.PeerGone}
}

// receipts waits for a receipt from each peer for what was written to it.
func (s *Socket) receipts(ctx context.Context) error {
	goals := s.written()
	for {
		changed := s.group.Wait()
		if err := s.ask(goals); err != nil {
			return err
		}
		if len(goals) == 0 {
			return nil
		}
		select {
		case <-changed:
		case <-s.group.Done():
			return ringwire.ErrClosed
		case <-ctx.Done():
			return fmt.Errorf("%d peers have not confirmed everything: %w", len(goals), ctx.Err())
		}
	}
}

// goal is what Confirm wants of one peer.
type goal struct {
	written int64
	asked   bool
}

// written returns the peers that have not confirmed everything.
func (s *Socket) written() map[*pipe.End]*goal {
	s.group.Lock()
	defer s.group.Unlock()
	goals := make(map[*pipe.End]*goal)
	for e := range s.peers {
		if c := e.Counts(); c.Confirmed+c.InDoubt < c.Written {
			goals[e] = &goal{written: c.Written}
		}
	}
	return goals
}

// ask forgets the goals that were reached, and has peers asked.
func (s *Socket) ask(goals map[*pipe.End]*goal) error {
	var ping []*pipe.End
	s.group.Lock()
	for e, g := range goals {
		p, c := s.peers[e], e.Counts()
		switch {
		case p == nil || c.Confirmed+c.InDoubt >= g.written:
			delete(goals, e)
		case p.session != nil && !p.session.Receipts():
			name := s.describe(p).Name()
			s.group.Unlock()
			return fmt.Errorf("the peer %s does not give receipts: %w", name, ringwire.ErrNoReceipt)
		case !g.asked:
			g.asked = true
			ping = append(ping, e)
		}
	}
	s.group.Unlock()
	for _, e := range ping {
		e.Ping()
	}
	return nil
}
