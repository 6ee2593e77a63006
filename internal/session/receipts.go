package session

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"
)

// receipts tells from the peer's PONGs what it has taken in. RFC 37 has a PONG
// echo the context of its PING, and a peer decodes in order: a PONG says that
// everything written before that PING was decoded and accepted by the peer's
// engine. It says nothing of the application behind it.
//
// The context is the PING's number. A PONG stands for all PINGs up to its own:
// libzmq keeps only the newest one that it has to answer.
type receipts struct {
	able  atomic.Int32 // whether the peer echoes contexts: unknown, echoes, echoesNot
	trips atomic.Int64 // the last round trip, in nanoseconds; 0: none yet

	mu     sync.Mutex
	number uint64 // of the last PING
	open   [maxAsked]asked
	n      int // of open, oldest first
}

// asked is a PING without an answer.
type asked struct {
	number uint64
	mark   int64 // messages written before it
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
func (r *receipts) ask(mark int64, must bool) (context [8]byte, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.n == len(r.open) {
		if !must {
			return context, false
		}
		r.n-- // the older one's answer is the nearer
	}
	r.number++
	r.open[r.n] = asked{r.number, mark, now()}
	r.n++
	binary.BigEndian.PutUint64(context[:], r.number)
	return context, true
}

// answered takes up a PONG, and returns how many messages it stands for, or
// false if that cannot be told.
func (r *receipts) answered(context []byte) (mark int64, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.n == 0 {
		return 0, false // nobody asked
	}
	last := 0 // an answer to whichever came first, if it does not say
	if len(context) == 8 {
		number := binary.BigEndian.Uint64(context)
		for last = r.n - 1; last >= 0 && r.open[last].number > number; last-- {
		}
		if last < 0 || number > r.number {
			return 0, false
		}
		ok = true
		r.able.Store(echoes)
	} else {
		r.able.CompareAndSwap(unknown, echoesNot)
	}
	a := r.open[last]
	r.n = copy(r.open[:], r.open[last+1:r.n])
	r.trips.Store(max(now()-a.at, 1))
	return a.mark, ok
}

// RoundTrip is how long the last PING took to be answered, 0 if none was.
func (s *Session) RoundTrip() time.Duration { return time.Duration(s.receipts.trips.Load()) }

// Receipts reports whether the peer's PONGs can prove what it has taken in, as
// far as is known.
func (s *Session) Receipts() bool {
	return s.minor31 && s.receipts.able.Load() != echoesNot
}
