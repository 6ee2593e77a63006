package session

import (
	"sync"
	"time"

	"github.com/ringwire/ringwire/internal/park"
	"github.com/ringwire/ringwire/internal/zmtp"
)

// sparse is how long ago the connection's last write must be for a message that
// comes alone to be written at once: below, it is the beginning of a batch.
const sparse = int64(20 * time.Microsecond)

// flush writes what is queued. Only the holder of the write token calls it,
// and nothing else writes to the connection after the handshake. Without block
// it stops when the kernel takes no more and reports that bytes are left.
func (s *Session) flush(block bool) (left bool, err error) {
	if s.opener != nil {
		return s.flushSealed(block)
	}
	for {
		if len(s.out) == 0 && s.batch.Empty() {
			more := s.end.Take(&s.batch)
			s.out, s.pinged = s.control.take(s.out, &s.receipts, s.batch.Before())
			if !more && len(s.out) == 0 {
				return false, nil
			}
			s.stream.Store(s.batch.Large())
		}
		if len(s.out) > 0 {
			n, err := s.io.writeOne(s.out, block)
			s.out = s.out[:copy(s.out, s.out[n:])]
			if err != nil {
				return err == errWouldWait, err
			}
			if s.pinged {
				s.pinged = false
				s.heart.written()
			}
		}
		for !s.batch.Empty() {
			n, err := s.io.write(s.batch.Pieces(), block)
			s.batch.Advance(n)
			if err != nil {
				return err == errWouldWait, err
			}
		}
		s.lastFlush.Store(now())
	}
}

// Flush implements pipe.Wire.
func (s *Session) Flush() {
	if !s.Claim() {
		s.wakeWriter()
		return
	}
	left, err := s.flush(false)
	s.release(left, err)
}

// Claim implements pipe.Wire.
func (s *Session) Claim() bool {
	return s.io.inline() && s.token.Load() == tokenFree && s.token.CompareAndSwap(tokenFree, tokenHeld)
}

// FlushClaimed implements pipe.Wire. What the kernel does not take of the bodies
// that a Send lent is copied before that Send returns. While the peer reads the
// kernel takes more any moment, so the Send tries again for about as long as
// copying would take.
func (s *Session) FlushClaimed() {
	left, err := s.flush(false)
	if left && s.config.SpinTurns >= 0 {
		left, err = s.flushLent()
	}
	s.end.Keep(&s.batch)
	s.release(left, err)
}

// flushLent goes on with a flush that left bytes of a caller's, for a time in
// which they could be copied, and while it gets on.
func (s *Session) flushLent() (left bool, err error) {
	rest := s.batch.Lent()
	end := now() + lentTime + int64(rest)/lentRate
	left = true
	for stuck := 0; left && rest > 0 && stuck < lentStuck && now() < end; {
		park.Turn()
		left, err = s.flush(false)
		if n := s.batch.Lent(); n < rest {
			rest, stuck = n, 0
		} else {
			stuck++
		}
	}
	return left, err
}

const (
	lentTime  = int64(50 * time.Microsecond)
	lentRate  = 4  // bytes that are copied in a nanosecond
	lentStuck = 64 // turns in which the kernel took nothing
)

// release gives the write token back after a flush that did not wait.
func (s *Session) release(left bool, err error) {
	switch {
	case left:
		s.token.Store(tokenBytes)
		s.wakeWriter()
	case err != nil:
		s.token.Store(tokenFree)
		s.Close(err)
	default:
		s.token.Store(tokenFree)
		// Whoever failed to get the token had queued something before.
		if s.dirty() {
			s.wakeWriter()
		}
	}
}

// Serve implements pipe.Wire. A message that comes alone is written at once.
// Of several, the writer goroutine is told, and finds more. In a stream whose
// sender writes full batches itself, only the last one needs somebody else.
func (s *Session) Serve(quiet bool) {
	if s.io.inline() && s.token.Load() == tokenFree {
		if quiet && now()-s.lastFlush.Load() > sparse {
			s.Flush()
			return
		}
		if s.stream.Load() {
			s.tail.guard()
			return
		}
	}
	s.wakeWriter()
}

// Postpone implements pipe.Wire.
func (s *Session) Postpone() bool {
	if !s.io.inline() || s.token.Load() != tokenFree {
		return false
	}
	s.tail.guard()
	return true
}

// dirty reports whether something waits for a flush.
func (s *Session) dirty() bool { return s.control.pending() || s.end.HasOutput() }

// wakeWriter tells the writer goroutine to look, and starts it if there is
// none.
func (s *Session) wakeWriter() {
	if s.writing.Load() == writerNone && s.beginWriter(writerRuns) {
		go s.write()
		return
	}
	s.writer.Wake()
}

// beginWriter decides, once, whether there is a writer goroutine, and reports
// whether it was this call that did.
func (s *Session) beginWriter(state int32) bool {
	s.starting.Lock()
	defer s.starting.Unlock()
	if s.writing.Load() != writerNone {
		return false
	}
	if state == writerRuns {
		s.written = make(chan struct{})
	}
	s.writing.Store(state)
	return true
}

// write is the writer goroutine: it serves tails and full kernel buffers.
func (s *Session) write() {
	defer close(s.written)
	for {
		select {
		case <-s.closing:
			return
		default:
		}
		if s.takeToken() {
			if _, err := s.flush(true); err != nil {
				s.token.Store(tokenFree)
				s.Close(err)
				return
			}
			s.token.Store(tokenFree)
			continue
		}
		s.writer.Arm()
		if s.workLeft() {
			s.writer.Disarm()
			continue
		}
		s.writer.Wait(s.closing)
	}
}

// takeToken takes the write token if there is something to write.
func (s *Session) takeToken() bool {
	switch t := s.token.Load(); t {
	case tokenBytes:
		return s.token.CompareAndSwap(t, tokenHeld)
	case tokenFree:
		return s.dirty() && s.token.CompareAndSwap(t, tokenHeld)
	}
	return false
}

// workLeft reports whether takeToken would have succeeded.
func (s *Session) workLeft() bool {
	t := s.token.Load()
	return t == tokenBytes || t == tokenFree && s.dirty()
}

// Subscription implements pipe.Wire. It may be called with the send lock: it
// only queues.
func (s *Session) Subscription(topic string, subscribe bool) {
	s.control.subscription(topic, subscribe, s.minor31)
}

// Ping implements pipe.Wire. A ZMTP 3.0 peer cannot be asked.
func (s *Session) Ping() { s.ping(true) }

func (s *Session) ping(must bool) {
	if s.minor31 {
		s.control.ping(s.config.Heartbeat.TTL, must)
		s.Flush()
	}
}

// control holds what is sent between messages: state, not traffic. Nothing of
// it is subject to a high-water mark.
type control struct {
	mu      sync.Mutex
	buf     []byte // whole frames
	pinging bool   // one PING is enough
	ttl     uint16
	must    bool // send it even if two are unanswered
	blocked bool // it waits until one of those is answered
	ponging bool // one PONG is enough: the newest context wins
	context [zmtp.MaxPingContext]byte
	n       int
}

func (c *control) subscription(topic string, subscribe, command bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.buf = zmtp.AppendSubscription(c.buf, topic, subscribe, command)
}

func (c *control) ping(ttl uint16, must bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pinging, c.ttl, c.must = true, ttl, c.must || must
	if must {
		c.blocked = false
	}
}

// answered says that a PING was answered, and reports whether there is
// something to write now.
func (c *control) answered() bool {
	c.mu.Lock()
	c.blocked = false
	c.mu.Unlock()
	return c.pending()
}

func (c *control) pong(context []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ponging = true
	c.n = copy(c.context[:], context)
}

func (c *control) pending() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pinging && !c.blocked || c.ponging || len(c.buf) > 0
}

// take appends everything to out, which is empty, and forgets it. A PING comes
// behind before messages, and in front of what is written next.
func (c *control) take(out []byte, r *receipts, before int64) (_ []byte, pinged bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.buf) > 0 {
		out, c.buf = c.buf, out[:0]
		if cap(c.buf) > zmtp.ReadSize {
			c.buf = nil
		}
	}
	if c.ponging {
		out = zmtp.AppendPong(out, c.context[:c.n])
		c.ponging = false
	}
	if c.pinging && !c.blocked {
		context, ok := r.ask(before, c.must)
		if ok {
			out, pinged = zmtp.AppendPing(out, c.ttl, context[:]), true
		}
		c.pinging, c.blocked, c.must = !ok, !ok, false
	}
	return out, pinged
}
