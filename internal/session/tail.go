package session

import (
	"sync"
	"sync/atomic"
	"time"
)

// tailTime is the longest that the last messages of a stream may wait for a
// batch to become full, twice: a stream that went on since the last look is
// left alone until the next.
const tailTime = 50 * time.Microsecond

// tail sees to it that the end of a stream is written. While a sender fills
// one batch after another and writes each itself, waking the writer goroutine
// at the first message of every batch would cost more than the writing: the
// system call, the processor that starts to look for work, and the locks that
// the two would fight for. A timer looks instead. It runs only while there is
// a stream.
type tail struct {
	s     *Session
	mu    sync.Mutex
	timer *time.Timer // made when first needed; guarded by mu
	armed atomic.Bool // the timer runs
	seen  int64       // last flush at the last look; owned by look
}

func (t *tail) init(s *Session) {
	t.s = s
}

// guard starts the timer if it does not run.
func (t *tail) guard() {
	if !t.armed.Load() && t.armed.CompareAndSwap(false, true) {
		t.set()
	}
}

func (t *tail) set() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.timer == nil {
		t.timer = time.AfterFunc(tailTime, t.look)
		return
	}
	t.timer.Reset(tailTime)
}

func (t *tail) stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.timer != nil {
		t.timer.Stop()
	}
}

func (t *tail) look() {
	s := t.s
	if last := s.lastFlush.Load(); last != t.seen {
		t.seen = last
		t.set()
		return
	}
	s.Flush()
	// Disarm first, look after: whoever queues something from now on either
	// is seen here or arms the timer.
	t.armed.Store(false)
	if s.token.Load() == tokenFree && s.dirty() {
		t.guard()
	}
}
