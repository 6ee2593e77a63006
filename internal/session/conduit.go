package session

import (
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/ringwire/ringwire/internal/park"
)

// conduit is the system calls of one connection. Its reading half belongs to
// the holder of the read token, its writing half to the holder of the write
// token; recall, closeWrite and close may be called by anyone.
type conduit interface {
	// read reads once into the sink's space and returns how many bytes came; 0
	// without an error is the end of the stream. Before it sleeps it looks again
	// as often as spin, if it is not nil, says. With block false it returns
	// errWouldWait instead of waiting.
	read(to sink, spin *park.Spin, block bool) (int, error)
	// recall makes the read that waits, or the next one, return an error that
	// is os.ErrDeadlineExceeded, until clearRecall.
	recall()
	clearRecall()

	// writeOne and write write everything, or return how much was written and
	// why it stopped: errWouldWait when block is false and the kernel is full.
	writeOne(p []byte, block bool) (int, error)
	write(pieces [][]byte, block bool) (int, error)
	// inline reports whether write can be called with block false.
	inline() bool

	// unread reports whether bytes have come that were not read, untaken whether
	// bytes were written that the peer, or its system, has not taken; false, too,
	// if that cannot be told. answers reports whether the peer's system still
	// answers, and whether that is known. Anyone may call them.
	unread() bool
	untaken() bool
	answers() (alive, known bool)
	// progress changes whenever a peer has taken something, where answers does not
	// know.
	progress() uint64
	// ended reports whether the peer has ended its side, though what it sent before
	// may not have been read; false, too, if that cannot be told.
	ended() bool

	closeWrite() error
	close()
}

// sink is where bytes from the peer go: the decoder, or what opens sealed frames
// in front of it.
type sink interface {
	Space() []byte // where the next read goes, never empty
	Filled(n int)  // so much was read into the last Space
	Large() bool   // the last read was part of a large body
	Idle()         // nothing is there: give buffers back
}

// past is a deadline that has passed.
var past = time.Unix(1, 0)

// errNoHalfClose is what closeWrite returns for a connection that can only be
// closed whole.
var errNoHalfClose = errors.New("session: connection cannot be half closed")

// netConduit does the system calls of any net.Conn. Such a connection cannot
// be written to without waiting, so its writes are left to the writer
// goroutine.
type netConduit struct {
	conn  net.Conn
	wrote *atomic.Uint64 // pieces that were written: a sign of life of a peer that takes them
	below conduit        // of the system's connection that conn is made of, to ask about the peer; nil: none
}

func newNetConduit(conn net.Conn) netConduit {
	return netConduit{conn: conn, wrote: new(atomic.Uint64)}
}

// netPiece is the most that one Write is given, so that it can be seen to get on.
const netPiece = 32 << 10

func (c netConduit) read(to sink, _ *park.Spin, block bool) (int, error) {
	if !block {
		return 0, errWouldWait
	}
	n, err := c.conn.Read(to.Space())
	to.Filled(n)
	if n > 0 {
		return n, nil // an error that came with bytes comes again
	}
	switch err {
	case io.EOF:
		return 0, nil
	case nil:
		return 0, os.ErrDeadlineExceeded // nothing came and nothing ended: an empty turn
	}
	return 0, err
}

func (c netConduit) recall()          { c.conn.SetReadDeadline(past) }
func (c netConduit) clearRecall()     { c.conn.SetReadDeadline(time.Time{}) }
func (c netConduit) inline() bool     { return false }
func (c netConduit) unread() bool     { return c.below != nil && c.below.unread() }
func (c netConduit) untaken() bool    { return c.below != nil && c.below.untaken() }
func (c netConduit) progress() uint64 { return c.wrote.Load() }

func (c netConduit) answers() (alive, known bool) {
	if c.below == nil {
		return false, false
	}
	return c.below.answers()
}

func (c netConduit) ended() bool {
	if c.below != nil {
		return c.below.ended()
	}
	conn, ok := c.conn.(interface{ PeerClosed() bool })
	return ok && conn.PeerClosed()
}

func (c netConduit) writeOne(p []byte, _ bool) (int, error) {
	total := 0
	for {
		n, err := c.conn.Write(p[:min(len(p), netPiece)])
		total += n
		c.wrote.Add(1)
		if p = p[n:]; err != nil || len(p) == 0 {
			return total, err
		}
	}
}

func (c netConduit) write(pieces [][]byte, block bool) (int, error) {
	total := 0
	for _, p := range pieces {
		n, err := c.writeOne(p, block)
		total += n
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

func (c netConduit) closeWrite() error { return closeWrite(c.conn) }
func (c netConduit) close()            { c.conn.Close() }

func closeWrite(conn net.Conn) error {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errNoHalfClose
}
