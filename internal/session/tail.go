package session

import (
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
	alarm alarm
	armed atomic.Bool // the timer runs
	seen  int64       // last flush at the last look; owned by tick
}

func (t *tail) init(s *Session) {
	t.s, t.alarm.after, t.alarm.of = s, tailTime, t
}

// guard starts the timer if it does not run.
func (t *tail) guard() {
	if !t.armed.Load() && t.armed.CompareAndSwap(false, true) {
		t.alarm.set()
	}
}

func (t *tail) tick() {
	s := t.s
	if last := s.lastFlush.Load(); last != t.seen {
		t.seen = last
		t.alarm.set()
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
