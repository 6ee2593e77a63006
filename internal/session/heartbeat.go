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
// counters, and at when a PING was written.
//
// Silence is no proof of death while it is our own doing, or while the peer could
// not be asked: while we do not read because our queue is full; while what was read
// by the kernel was not read by us, as after this process was stopped; and while
// the peer has not taken the PING from its system, which still answers; where that
// cannot be told, for so many times. The time for an answer begins when the PING is
// written.
type heart struct {
	full  atomic.Bool  // we do not read because our queue is full
	asked atomic.Int64 // when the first PING of this silence was written; 0: not yet

	mu      sync.Mutex
	s       *Session
	ping    *time.Timer // the next look
	odd     bool        // of every two looks one is at half of the interval
	verdict *time.Timer // the end of the time in which a sign of life must come
	waiting bool        // it has not come
	pings   int         // PINGs since the last sign of life
	seen    uint64      // reads when the first of them was queued
	ttl     *time.Timer
	allowed time.Duration // silence that the peer's PINGs allow
	stopped bool
	excuses int    // in a row, of a connection that cannot tell whether the peer's system answers
	taken   uint64 // the connection's progress at the last of them
}

// maxExcuses is how often silence is excused where it cannot be told whether the
// peer's system answers.
const maxExcuses = 10

// maxAsked bounds the heartbeats without an answer: a peer that has not answered
// two is not helped by a third.
const maxAsked = 2

func (h *heart) start(s *Session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.s = s
	if beat := s.config.Heartbeat; beat.Interval > 0 && s.minor31 {
		h.ping = time.AfterFunc(beat.half(), h.beat)
	}
}

// beat runs twice in an interval. The second time it sends a PING, and has judge
// look at it when its time is over. While we are full, and cannot hear an answer
// or give one, it sends one each time: that is the sign of life that the peer
// hears, and one in an interval would be too late whenever it is late.
func (h *heart) beat() {
	h.mu.Lock()
	if h.stopped {
		h.mu.Unlock()
		return
	}
	beat, must := h.s.config.Heartbeat, h.full.Load()
	h.ping.Reset(beat.half())
	if h.odd = !h.odd; h.odd {
		h.mu.Unlock()
		if must {
			h.s.ping(true)
		}
		return
	}
	if heard := h.s.heard.Load(); heard != h.seen || !h.waiting {
		// The first PING of a silence: its time begins.
		if h.verdict != nil {
			h.verdict.Stop()
		}
		h.seen, h.pings, h.waiting, must = heard, 0, true, true
		h.asked.Store(0)
		h.verdict = time.AfterFunc(beat.timeout(), func() { h.judge(heard) })
	}
	h.pings++
	ask := h.pings <= maxAsked
	h.mu.Unlock()
	if ask || must {
		h.s.ping(must)
	}
}

// written notes that a PING is on its way.
func (h *heart) written() { h.asked.CompareAndSwap(0, now()) }

// half is half of the interval, and never nothing.
func (b Heartbeat) half() time.Duration { return max(b.Interval/2, 1) }

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
	if h.stopped || seen != h.seen || h.s.heard.Load() != seen {
		if seen == h.seen {
			h.waiting, h.excuses = false, 0 // the next PING begins anew
		}
		h.mu.Unlock()
		return
	}
	timeout := h.s.config.Heartbeat.timeout()
	asked := h.asked.Load()
	if left := time.Duration(asked-now()) + timeout; asked != 0 && left > 0 {
		h.verdict = time.AfterFunc(left, func() { h.judge(seen) }) // it was written later
		h.mu.Unlock()
		return
	}
	h.waiting = false
	h.mu.Unlock()
	// A reader that has room again counts as a sign of life before it says that it
	// is not full any more: so the count is looked at last.
	if !h.excused(asked != 0) && h.s.heard.Load() == seen {
		h.s.Close(fmt.Errorf("nothing heard for %v after a PING: %w", timeout, ErrSilent))
	}
}

// excused reports whether the silence is no sign of death. written says that the
// PING was written.
func (h *heart) excused(written bool) bool {
	io := h.s.io
	if h.full.Load() || io.unread() {
		return true
	}
	if written && !io.untaken() {
		return false
	}
	answers, known := io.answers()
	if known {
		return answers
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if n := io.progress(); n != h.taken {
		h.taken, h.excuses = n, 0
	}
	h.excuses++
	return h.excuses <= maxExcuses
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
	excused := h.full.Load() || h.s.io.unread()
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
