package socket

import (
	"context"
	"log/slog"
	"sync/atomic"

	"github.com/ringwire/ringwire/pattern"
)

// doctor warns, through Options.Logger and once each, of what newcomers to
// ZeroMQ fall into. None of it is an error, and without a Logger none of it is
// looked at.
type doctor struct {
	logger *slog.Logger // nil: nobody listens; immutable
	kind   string       // immutable
	told   [traps]atomic.Bool
}

type trap int

const (
	trapNoSubscriber trap = iota
	trapNoSubscription
	trapNoDeadline
	trapNeverConnected
	trapNoLimit
	trapAllSlow
	traps
)

// advice says what was noticed and what to do about it.
var advice = [traps]string{
	trapNoSubscriber:   "a message was published before any subscriber was known, and went to nobody: WaitSubscribers waits for them",
	trapNoSubscription: "Recv is waiting on a socket without a subscription, to which nothing is sent: Subscribe(\"\") subscribes to everything",
	trapNoDeadline:     "a request without a deadline waits for ever if its reply is lost: use Do with a context that ends",
	trapNeverConnected: "an endpoint could not be connected to so far: is the address right, and does somebody listen there?",
	trapNoLimit:        "a queue without a limit in messages and bytes grows until memory ends when a peer is slow: set SendHWM or SendHWMBytes, RecvHWM or RecvHWMBytes",
	trapAllSlow:        "every subscriber is slow: the publisher sends faster than anybody receives",
}

// manyAttempts is how many attempts to connect may fail before it looks like a
// wrong address.
const manyAttempts = 5

// warn tells of a trap, the first time.
func (d *doctor) warn(t trap, attrs ...slog.Attr) {
	if d.logger == nil || d.told[t].Swap(true) {
		return
	}
	attrs = append(attrs, slog.String("socket", d.kind))
	d.logger.LogAttrs(context.Background(), slog.LevelWarn, advice[t], attrs...)
}

// looks reports whether it is worth looking for a trap.
func (d *doctor) looks(t trap) bool { return d.logger != nil && !d.told[t].Load() }

// checkOptions is called by New.
func (s *Socket) checkOptions() {
	o := s.opts
	if s.spec.Sends() && o.SendHWM < 0 && o.SendHWMBytes < 0 || s.spec.Receives() && o.RecvHWM < 0 && o.RecvHWMBytes < 0 {
		s.doctor.warn(trapNoLimit)
	}
}

// noSubscriber is called when a message went to nobody. It returns true.
func (s *Socket) noSubscriber() bool {
	if !s.doctor.looks(trapNoSubscriber) {
		return true
	}
	s.group.Lock()
	known := s.past.Accepted > 0
	for e, p := range s.peers {
		known = known || p.epochs > 0 && (e.Ready() || p.epochs > 1)
	}
	s.group.Unlock()
	if !known && s.tally.disconnects.Load() == 0 {
		s.doctor.warn(trapNoSubscriber)
	}
	return true
}

// checkWait is called when Recv must wait.
func (s *Socket) checkWait(ctx context.Context) {
	if s.doctor.logger == nil {
		return
	}
	switch {
	case s.spec == pattern.Sub && s.doctor.looks(trapNoSubscription):
		if !s.pattern.(pattern.Subscriber).Subscribed() {
			s.doctor.warn(trapNoSubscription)
		}
	case s.spec == pattern.Req && ctx.Done() == nil:
		s.doctor.warn(trapNoDeadline)
	}
}

// checkSlow is called when a subscriber missed a message. Needs the send lock;
// it reports whether every subscriber is full.
func (s *Socket) checkSlow() bool {
	if !s.doctor.looks(trapAllSlow) {
		return false
	}
	n := 0
	for e := range s.peers {
		if !e.Ready() {
			continue
		}
		if !e.Full() {
			return false
		}
		n++
	}
	return n > 1
}
