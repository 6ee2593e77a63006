package session

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Heartbeat says how the peer's silence is noticed. Zero is off.
type Heartbeat struct {
	Interval time.Duration // a PING this often
	Timeout  time.Duration // silence after a PING that means death; 0: Interval
	TTL      uint16        // told to the peer, in tenths of a second
}

// ErrSilent is why a connection ended whose peer gave no sign of life. It is an
// os.ErrDeadlineExceeded.
var ErrSilent = fmt.Errorf("the peer is silent: %w", os.ErrDeadlineExceeded)

// heart watches for signs of life: any byte that was read is one. It looks at
// counters, never at a clock.
//
// Silence is no proof of death while it is our own doing, or while the peer was
// not asked: while we do not read because our queue is full; while what was read
// by the kernel was not read by us, as after this process was stopped; and while
// the PING could not be written, because the peer does not read, as long as its
// kernel answers.
type heart struct {
	full atomic.Bool // we do not read because our queue is full

	mu      sync.Mutex
	s       *Session
	ping    *time.Timer // the next PING
	verdict *time.Timer // the end of the time in which a sign of life must come
	waiting bool        // it has not come
	asked   int         // PINGs since the last sign of life
	seen    uint64      // reads when the first of them was sent
	ttl     *time.Timer
	allowed time.Duration // silence that the peer's PINGs allow
	stopped bool
}

// maxAsked bounds the PINGs without an answer: a peer that has not answered
// two is not helped by a third.
const maxAsked = 2

func (h *heart) start(s *Session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.s = s
	if beat := s.config.Heartbeat; beat.Interval > 0 && s.minor31 {
		h.ping = time.AfterFunc(beat.Interval, h.beat)
	}
}

// beat sends a PING, and has judge look at it when its time is over.
func (h *heart) beat() {
	h.mu.Lock()
	if h.stopped {
		h.mu.Unlock()
		return
	}
	beat := h.s.config.Heartbeat
	// While we are full we cannot hear an answer, and the PING is the sign of
	// life that the peer hears.
	must := h.full.Load()
	if heard := h.s.heard.Load(); heard != h.seen || !h.waiting {
		// The first PING of a silence: its time begins.
		if h.verdict != nil {
			h.verdict.Stop()
		}
		h.seen, h.asked, h.waiting, must = heard, 0, true, true
		h.verdict = time.AfterFunc(beat.timeout(), func() { h.judge(heard) })
	}
	h.asked++
	ask := h.asked <= maxAsked
	h.ping.Reset(beat.Interval)
	h.mu.Unlock()
	if ask || must {
		h.s.ping(must)
	}
}

// timeout is the silence after a PING that means death.
func (b Heartbeat) timeout() time.Duration {
	if b.Timeout > 0 {
		return b.Timeout
	}
	return b.Interval
}

// judge ends the connection if nothing came since a PING, when there had been
// seen reads.
func (h *heart) judge(seen uint64) {
	h.mu.Lock()
	silent := !h.stopped && h.s.heard.Load() == seen
	if seen == h.seen {
		h.waiting = false // the next PING begins anew
	}
	h.mu.Unlock()
	if silent && !h.excused(true) {
		h.s.Close(fmt.Errorf("nothing heard for %v after a PING: %w", h.s.config.Heartbeat.timeout(), ErrSilent))
	}
}

// excused reports whether the silence is no sign of death. asked says that it
// matters whether the PING reached the kernel.
func (h *heart) excused(asked bool) bool {
	s := h.s
	return h.full.Load() || s.io.unread() || asked && s.stuck() && s.io.answers()
}

// stuck reports whether something is not written yet: the PING may be behind it.
func (s *Session) stuck() bool {
	return s.token.Load() != tokenFree || s.control.pending()
}

// setTTL takes up what the peer's PING asked for: silence of that many tenths
// of a second means that it is gone.
func (h *heart) setTTL(tenths uint16) {
	if tenths == 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.allowed = time.Duration(tenths) * (time.Second / 10)
	if h.ttl == nil && !h.stopped {
		h.watch(h.s.heard.Load())
	}
}

// watch looks in the allowed time whether more than heard reads were made.
// Needs mu.
func (h *heart) watch(heard uint64) {
	h.ttl = time.AfterFunc(h.allowed, func() { h.expire(heard) })
}

func (h *heart) expire(heard uint64) {
	excused := h.excused(false)
	h.mu.Lock()
	n := h.s.heard.Load()
	alive := n != heard || excused
	if alive && !h.stopped {
		h.watch(n)
	}
	allowed, stopped := h.allowed, h.stopped
	h.mu.Unlock()
	if !alive && !stopped {
		h.s.Close(fmt.Errorf("nothing heard for the %v that the peer's PING allows: %w", allowed, ErrSilent))
	}
}

func (h *heart) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stopped = true
	for _, t := range []*time.Timer{h.ping, h.verdict, h.ttl} {
		if t != nil {
			t.Stop()
		}
	}
}
