package session

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ringwire/ringwire/internal/zmtp"
)

// receipts tells from the peer's PONGs what it has taken in. RFC 37 has a PONG
// echo the context of its PING, and a peer decodes in order: a PONG says that
// everything written before that PING was decoded and accepted by the peer's
// engine. It says nothing of the application behind it.
//
// The context is the PING's number and how many messages were written before it, so
// that any PONG is a receipt, however many PINGs were sent meanwhile. It stands for
// all PINGs up to its own: libzmq keeps only the newest one that it has to answer.
type receipts struct {
	able  atomic.Int32 // whether the peer echoes contexts: unknown, echoes, echoesNot
	trips atomic.Int64 // the last round trip, in nanoseconds; 0: none yet

	mu     sync.Mutex
	number uint64 // of the last PING
	mark   int64  // messages written before it
	open   [maxAsked]asked
	n      int // of open, oldest first
}

// asked is a PING without an answer.
type asked struct {
	number uint64
	at     int64
}

const (
	unknown int32 = iota
	echoes
	echoesNot
)

// ask notes a PING that is about to be written, behind mark messages, and
// returns its context, or false if two are unanswered: then it waits for an
// answer, unless it must be sent, in place of the newer of the two.
func (r *receipts) ask(mark int64, must bool) (context [zmtp.MaxPingContext]byte, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.n == len(r.open) {
		if !must {
			return context, false
		}
		r.n-- // the older one's answer is the nearer
	}
	r.number++
	r.mark = mark
	r.open[r.n] = asked{r.number, now()}
	r.n++
	binary.BigEndian.PutUint64(context[:8], r.number)
	binary.BigEndian.PutUint64(context[8:], uint64(mark))
	return context, true
}

// answered takes up a PONG, and returns how many messages it is the receipt for, or
// false if that cannot be told.
func (r *receipts) answered(context []byte) (mark int64, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(context) != zmtp.MaxPingContext {
		if r.n > 0 {
			r.able.CompareAndSwap(unknown, echoesNot)
			r.close(1) // an answer to whichever came first
		}
		return 0, false
	}
	number, before := binary.BigEndian.Uint64(context), binary.BigEndian.Uint64(context[8:])
	if number == 0 || number > r.number || before > uint64(r.mark) {
		return 0, false // nobody asked that
	}
	r.able.Store(echoes)
	done := r.n
	for done > 0 && r.open[done-1].number > number {
		done--
	}
	if done > 0 {
		r.close(done)
	}
	return int64(before), true
}

// close ends the first n open PINGs, the last of them with an answer. Needs mu.
func (r *receipts) close(n int) {
	r.trips.Store(max(now()-r.open[n-1].at, 1))
	r.n = copy(r.open[:], r.open[n:r.n])
}

// RoundTrip is how long the last PING took to be answered, 0 if none was.
func (s *Session) RoundTrip() time.Duration { return time.Duration(s.receipts.trips.Load()) }

// Receipts reports whether the peer's PONGs can prove what it has taken in, as
// far as is known.
func (s *Session) Receipts() bool {
	return s.minor31 && s.receipts.able.Load() != echoesNot
}
