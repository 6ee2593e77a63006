package socket

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/pipe"
	"github.com/ringwire/ringwire/pattern"
)

// WaitPeers waits until at least n peers are ready. When ctx ends first, the
// error wraps ctx's error and says how many there are and, for a connecting
// endpoint without a connection, why the last attempt failed, else whom a bound one
// refused last, and why.
func (s *Socket) WaitPeers(ctx context.Context, n int) error {
	return s.wait(ctx, "wait peers", n, "ready peers", func() int {
		ready := 0
		for e := range s.peers {
			if e.Ready() {
				ready++
			}
		}
		return ready
	})
}

// WaitSubscribers waits until at least n peers would receive a message whose
// first frame is topic. PUB and XPUB. The error is as for WaitPeers.
func (s *Socket) WaitSubscribers(ctx context.Context, topic string, n int) error {
	p, ok := s.pattern.(pattern.Publisher)
	if !ok {
		return s.unsupported("wait subscribers")
	}
	return s.wait(ctx, "wait subscribers", n, "subscribers", func() int { return p.Subscribers(topic) })
}

// wait waits until count, which has the send lock, is at least n.
func (s *Socket) wait(ctx context.Context, op string, n int, what string, count func() int) error {
	if ctx == nil {
		return fail(op, "", errNilContext)
	}
	for {
		changed := s.group.Wait()
		s.group.Lock()
		closed := s.group.Closed()
		have := count()
		s.group.Unlock()
		switch {
		case closed:
			return fail(op, "", ringwire.ErrClosed)
		case have >= n:
			return nil
		}
		select {
		case <-changed:
		case <-s.group.Done():
		case <-ctx.Done():
			err := fmt.Errorf("%d of %d %s: %w", have, n, what, ctx.Err())
			refusal := s.refusal()
			if refusal == nil {
				refusal = s.turnedAway()
			}
			if refusal != nil {
				err = fmt.Errorf("%w; the last refusal: %w", err, refusal)
			}
			return fail(op, "", err)
		}
	}
}

// refusal is why a connecting endpoint is not connected, if an attempt has failed.
func (s *Socket) refusal() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for d := range s.dialers {
		if d.refusal != nil {
			return &ringwire.OpError{Op: "connect", Endpoint: d.endpoint, Err: d.refusal}
		}
	}
	return nil
}

// turnedAway is whom a bound endpoint refused last, and why.
func (s *Socket) turnedAway() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var last *listener
	for l := range s.listeners {
		if l.refusal != nil && (last == nil || l.refusedAt.After(last.refusedAt)) {
			last = l
		}
	}
	if last == nil {
		return nil
	}
	ago := time.Since(last.refusedAt).Round(time.Millisecond)
	return &ringwire.OpError{Op: "accept", Endpoint: last.resolved, Err: fmt.Errorf("%v ago: %w", ago, last.refusal)}
}

// Flush waits until everything that was accepted before the call was given to
// the kernel or, for inproc, to the peer, or is accounted for as dropped. With
// RequeueUnsent it waits until nothing is queued. When ctx ends first, the error
// wraps ctx's error and says what is waited for, as a connection that is not there.
func (s *Socket) Flush(ctx context.Context) error {
	if ctx == nil {
		return fail("flush", "", errNilContext)
	}
	if !s.spec.Sends() {
		return s.unsupported("flush")
	}
	if s.isClosing() {
		return fail("flush", "", ringwire.ErrClosed)
	}
	return fail("flush", "", s.flush(ctx))
}

func (s *Socket) flush(ctx context.Context) error {
	goals := s.goals()
	for {
		changed := s.group.Wait()
		if s.reached(goals) {
			return nil
		}
		select {
		case <-changed:
		case <-s.group.Done():
			return ringwire.ErrClosed
		case <-ctx.Done():
			err := fmt.Errorf("%s: %w", s.unwritten(), ctx.Err())
			if refusal := s.refusal(); refusal != nil {
				err = fmt.Errorf("%w; the last refusal: %w", err, refusal)
			}
			return err
		}
	}
}

// unwritten says what is queued, and which connections that waits for.
func (s *Socket) unwritten() string {
	s.group.Lock()
	defer s.group.Unlock()
	text := fmt.Sprintf("%d messages wait to be written", s.sum().SendQueued)
	var absent []string
	for e, p := range s.peers {
		if !e.Ready() && e.Queued() {
			absent = append(absent, p.endpoint)
		}
	}
	if len(absent) == 0 {
		return text
	}
	slices.Sort(absent)
	text += ", and there is no connection to " + absent[0]
	if more := len(absent) - 1; more > 0 {
		text += fmt.Sprintf(" and %d others", more)
	}
	return text
}

// goals are how many messages each end has accepted.
func (s *Socket) goals() map[*pipe.End]int64 {
	s.group.Lock()
	defer s.group.UnlockAndFlush()
	goals := make(map[*pipe.End]int64, len(s.peers))
	for e := range s.peers {
		goals[e] = e.Accepted()
		e.Prod()
	}
	return goals
}

// reached forgets the goals that were reached and reports whether all were.
func (s *Socket) reached(goals map[*pipe.End]int64) bool {
	s.group.Lock()
	defer s.group.Unlock()
	for e, n := range goals {
		if s.peers[e] == nil || e.Handled() >= n {
			delete(goals, e)
		}
	}
	if s.opts.RequeueUnsent { // messages may be with another peer by now
		return s.sum().SendQueued == 0
	}
	return len(goals) == 0
}
