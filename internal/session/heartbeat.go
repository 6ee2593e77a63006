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

// heart watches for signs of life: any byte that was read is one. It looks at
// counters, never at a clock.
type heart struct {
	full atomic.Bool // we do not read because our queue is full: the silence is our own

	mu      sync.Mutex
	s       *Session
	timer   *time.Timer
	asked   bool   // a PING was sent and its time is running
	seen    uint64 // reads when it was sent
	ttl     *time.Timer
	allowed time.Duration // silence that the peer's PINGs allow
	stopped bool
}

func (h *heart) start(s *Session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.s = s
	if beat := s.config.Heartbeat; beat.Interval > 0 && s.minor31 {
		h.timer = time.AfterFunc(beat.Interval, h.tick)
	}
}

// tick sends a PING, and a timeout later looks whether anything came.
func (h *heart) tick() {
	beat := h.s.config.Heartbeat
	timeout := beat.Timeout
	if timeout <= 0 {
		timeout = beat.Interval
	}
	h.mu.Lock()
	heard := h.s.heard.Load()
	dead := h.asked && heard == h.seen && !h.full.Load()
	switch {
	case h.stopped || dead:
	case h.asked && timeout < beat.Interval:
		h.asked = false
		h.timer.Reset(beat.Interval - timeout)
	default:
		h.asked, h.seen = true, heard
		h.timer.Reset(timeout)
	}
	ask := h.asked && !h.stopped && !dead
	h.mu.Unlock()
	if dead {
		h.s.Close(fmt.Errorf("nothing heard for %v after a PING: %w", timeout, os.ErrDeadlineExceeded))
	}
	if ask {
		h.s.Ping()
	}
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
	h.mu.Lock()
	n := h.s.heard.Load()
	alive := n != heard || h.full.Load()
	if alive && !h.stopped {
		h.watch(n)
	}
	allowed, stopped := h.allowed, h.stopped
	h.mu.Unlock()
	if !alive && !stopped {
		h.s.Close(fmt.Errorf("nothing heard for the %v that the peer's PING allows: %w", allowed, os.ErrDeadlineExceeded))
	}
}

func (h *heart) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stopped = true
	if h.timer != nil {
		h.timer.Stop()
	}
	if h.ttl != nil {
		h.ttl.Stop()
	}
}
