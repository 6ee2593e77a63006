// Package session runs one live connection: the handshake, reading, writing,
// heartbeats, and their end. It does not know patterns, endpoints or options.
//
// Two tokens say who may touch the connection.
//
// The read token: its holder reads and decodes (fill is the only door in). The
// reader goroutine, the one in Run, has it by default. When it has just queued
// messages, its end is the only ready one of the socket and a receiver waits,
// it hands the token over; then Recv's caller reads the connection itself, and
// the reader sleeps. A lease brings the token back when no receiver has read
// for a while, so that commands are handled and a disconnect is seen although
// nobody is in Recv.
//
// The write token: its holder takes the outbox and writes it (flush is the
// only door out). It is tried for, never waited for: whoever does not get it
// has queued something, and the holder looks again after releasing. A flush
// on a sender's goroutine never waits for the kernel; what the kernel does not
// take is left to the writer goroutine, which is started when there is first a
// need for it.
package session

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	ringwire "github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/park"
	"github.com/ringwire/ringwire/internal/pipe"
	"github.com/ringwire/ringwire/internal/security"
	"github.com/ringwire/ringwire/internal/zmtp"
)

// Config is what a connection is run with.
type Config struct {
	Mechanism security.Mechanism
	Metadata  zmtp.Metadata // what we tell about ourselves
	Limits    zmtp.Limits
	SpinTurns int // see park.Spin.Init
	Heartbeat Heartbeat
	// Judge decides whether a peer is let in, if the mechanism asks, and with
	// NULL if it is set. It waits, but not beyond the handshake's deadline.
	Judge func(ringwire.Credentials) (ringwire.Verdict, error)
}

// The states of the write token.
const (
	tokenFree  int32 = iota
	tokenHeld        // somebody flushes
	tokenBytes       // free, but bytes are left: only the writer goroutine takes it
	tokenDead        // the connection ended
)

// The states of the writer goroutine.
const (
	writerNone int32 = iota
	writerRuns
	writerNever // the connection ended before there was a need
)

// Session is one connection after its handshake.
type Session struct {
	// Immutable after Handshake.
	config  *Config
	conn    net.Conn
	io      conduit
	mech    security.Conn
	peer    string // who it was proven to be
	minor31 bool

	// Immutable after Bind.
	end   *pipe.End
	group *pipe.Group

	// Owned by the holder of the read token.
	dec     *zmtp.Decoder
	sink    sink    // where reads go: dec, or opener
	opener  *opener // nil if the traffic is clear
	readErr error

	// Reading, shared.
	spin   park.Spin     // owned by the holder of the read token
	back   chan struct{} // capacity 1: the read token came back to the reader; made by it before it first gives it away
	fills  atomic.Uint64 // reads begun; the lease and the heartbeat watch it
	heard  atomic.Uint64 // reads that brought something
	inPoll atomic.Bool   // a receiver waits in the poller: it reads for us
	lease  lease
	cancel cancellation // owned by the holder of the receive lock

	// Writing. batch, control and lastFlush belong to the holder of the write
	// token; lastFlush is read by senders, too.
	token     atomic.Int32
	batch     pipe.Batch
	out       []byte // control frames being written; of a sealed connection, everything
	outAt     int    // of which so much was written, if sealed
	commands  []byte // control frames to be sealed
	pinged    bool   // among them is a PING
	lastFlush atomic.Int64
	stream    atomic.Bool // the last flush found a batch that was worth waiting for
	tail      tail
	writer    park.Waiter
	writing   atomic.Int32 // state of the writer goroutine; changed with starting
	starting  sync.Mutex
	written   chan struct{} // closed when the writer goroutine ended; made when it starts
	control   control
	receipts  receipts

	heart heart

	closing chan struct{} // closed by Close
	once    sync.Once
	reason  error // set before closing is closed
}

// Bind ties the session to the end that it serves. It is called once, before
// the end becomes ready.
func (s *Session) Bind(end *pipe.End) {
	s.end, s.group = end, end.Group()
}

// Run reads until the connection ends and returns why. Everything it started
// has ended when it returns, and what was not written is accounted for.
func (s *Session) Run() error {
	s.heart.start(s)
	s.Serve(true) // what was queued before there was a connection
	err := s.read()
	if errors.Is(err, ringwire.ErrTooLarge) {
		s.end.Exceeded()
	}
	s.Close(err)
	s.heart.stop()
	s.lease.alarm.stop()
	s.tail.alarm.stop()
	s.cancel.forget()
	if !s.beginWriter(writerNever) {
		s.writer.Wake()
		<-s.written
	}
	for !s.token.CompareAndSwap(tokenFree, tokenDead) && !s.token.CompareAndSwap(tokenBytes, tokenDead) {
		park.Turn() // a sender is in a flush that does not wait
	}
	s.end.Abandon(&s.batch)
	return s.reason
}

// Close ends the connection for the given reason, the first of which counts.
// It does not wait. It must not be called with the send lock.
func (s *Session) Close(reason error) {
	s.once.Do(func() {
		s.reason = reason
		close(s.closing)
		s.io.close()
		s.end.Retire()
	})
}

// Stalled reports whether the reader waits because the queue is full: it would not
// see that the peer has ended the connection, as Ended does.
func (s *Session) Stalled() bool { return s.heart.full.Load() }

// Ended reports whether the peer has ended the connection, as far as can be told.
func (s *Session) Ended() bool { return s.io.ended() }

// CloseWrite tells the peer that nothing more will come, after everything
// queued was written.
func (s *Session) CloseWrite() error { return s.io.closeWrite() }

// Heard counts the reads that brought bytes: a sign of life.
func (s *Session) Heard() uint64 { return s.heard.Load() }

// Minor31 reports whether the peer speaks ZMTP 3.1 or later.
func (s *Session) Minor31() bool { return s.minor31 }

// Principal is who the peer was proven to be, empty if nobody asked.
func (s *Session) Principal() string { return s.peer }

// Properties are what the peer told in the handshake.
func (s *Session) Properties() zmtp.Metadata { return s.mech.Peer() }

// start is the origin of the times that sessions keep.
var start = time.Now()

func now() int64 { return int64(time.Since(start)) }
