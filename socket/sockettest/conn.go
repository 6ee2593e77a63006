package sockettest

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// conn is one end of a connection.
type conn struct {
	// Immutable.
	n             *Network
	pair          *pair
	peer          *conn
	host          string
	local, remote addr
	in, out       *flow

	// Guarded by the network's mu.
	cond            sync.Cond // where Read and Write wait
	alarm           alarm
	readBy, writeBy time.Time // deadlines
	writing         bool      // a Write is in progress, others wait for it
	writeClosed     bool
	closed          bool
	dead            bool // reset
}

// PeerClosed implements transport.EndTeller: the far end is closed, or the
// connection reset, though bytes that came before may not have been read.
func (c *conn) PeerClosed() bool {
	c.n.lock()
	defer c.n.mu.Unlock()
	return c.dead || c.in.has(&c.in.reset) || c.in.has(&c.in.finished)
}

// Read implements net.Conn.
func (c *conn) Read(p []byte) (int, error) {
	if err := c.ask(OpRead); err != nil {
		return 0, c.fail("read", err)
	}
	c.n.lock()
	defer c.n.mu.Unlock()
	for {
		switch {
		case c.closed:
			return 0, c.fail("read", net.ErrClosed)
		case c.n.passed(c.readBy):
			return 0, c.fail("read", os.ErrDeadlineExceeded)
		case c.dead || c.in.discard && c.in.has(&c.in.reset):
			return 0, c.fail("read", os.NewSyscallError("read", syscall.ECONNRESET))
		case len(p) == 0:
			return 0, nil
		case c.in.readable():
			k := c.in.take(p)
			c.peer.cond.Broadcast()
			return k, nil
		case c.in.has(&c.in.reset):
			return 0, c.fail("read", os.NewSyscallError("read", syscall.ECONNRESET))
		case c.in.has(&c.in.finished):
			return 0, io.EOF
		}
		c.wait(c.readBy)
	}
}

// Write implements net.Conn.
func (c *conn) Write(p []byte) (int, error) {
	if err := c.ask(OpWrite); err != nil {
		return 0, c.fail("write", err)
	}
	c.n.lock()
	defer c.n.mu.Unlock()
	for c.writing {
		if err := c.writable(); err != nil {
			return 0, c.fail("write", err)
		}
		c.wait(c.writeBy)
	}
	c.writing = true
	defer func() {
		c.writing = false
		c.cond.Broadcast()
	}()
	n := 0
	for {
		if err := c.writable(); err != nil {
			return n, c.fail("write", err)
		}
		k := c.out.room(len(p) - n)
		c.put(p[n : n+k])
		if n += k; n == len(p) {
			return n, nil
		}
		if k == 0 {
			c.wait(c.writeBy)
		}
	}
}

// writable is why nothing can be written, ever. It needs mu.
func (c *conn) writable() error {
	switch {
	case c.closed:
		return net.ErrClosed
	case c.n.passed(c.writeBy):
		return os.ErrDeadlineExceeded
	}
	if c.pair.stale && !c.dead {
		c.pair.reset()
	}
	if c.out.exhausted() && !c.dead && !c.pair.muted {
		c.exhaust()
	}
	switch {
	case c.dead || c.in.has(&c.in.reset):
		return os.NewSyscallError("write", syscall.ECONNRESET)
	case c.writeClosed || c.in.has(&c.in.closed):
		return os.NewSyscallError("write", syscall.EPIPE)
	}
	return nil
}

// put sends a piece. It needs mu.
func (c *conn) put(piece []byte) {
	if len(piece) == 0 {
		return
	}
	if c.pair.muted {
		c.out.lose(len(piece))
		return
	}
	c.out.put(piece)
	if c.out.exhausted() {
		c.exhaust()
	}
	c.peer.cond.Broadcast()
}

// exhaust resets the connection behind the bytes that were written.
func (c *conn) exhaust() {
	c.pair.broken = true
	c.dead = true
	c.in.drop()
	c.out.reset = mark{sent: true, due: c.out.last}
	c.pair.wake()
}

// CloseWrite ends this end's direction: the far end reads what was written,
// then io.EOF. Reading goes on.
func (c *conn) CloseWrite() error {
	if err := c.ask(OpCloseWrite); err != nil {
		return c.fail("close", err)
	}
	c.n.lock()
	defer c.n.mu.Unlock()
	switch {
	case c.closed:
		return c.fail("close", net.ErrClosed)
	case c.dead:
		return c.fail("close", os.NewSyscallError("shutdown", syscall.ENOTCONN))
	}
	c.writeClosed = true
	if !c.pair.muted && !c.pair.stale {
		c.out.send(&c.out.finished)
	}
	c.pair.wake()
	return nil
}

// Close implements net.Conn.
func (c *conn) Close() error {
	asked := c.n.ask(OpClose, c.local, c.remote)
	c.n.lock()
	defer c.n.mu.Unlock()
	if c.closed {
		return c.fail("close", net.ErrClosed)
	}
	c.shut()
	if asked != nil {
		return c.fail("close", asked)
	}
	return nil
}

// shut needs mu.
func (c *conn) shut() {
	c.closed = true
	c.alarm.stop()
	switch p := c.pair; {
	case c.dead, p.muted, p.stale:
	case c.in.readable():
		p.broken = true
		c.out.discard = true
		c.out.send(&c.out.reset)
	default:
		c.out.send(&c.out.finished)
		c.out.send(&c.out.closed)
	}
	c.in.drop()
	if c.peer.closed {
		delete(c.n.pairs, c.pair)
	}
	c.pair.wake()
}

// LocalAddr implements net.Conn.
func (c *conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr implements net.Conn.
func (c *conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline implements net.Conn.
func (c *conn) SetDeadline(t time.Time) error { return c.setDeadlines(t, &c.readBy, &c.writeBy) }

// SetReadDeadline implements net.Conn.
func (c *conn) SetReadDeadline(t time.Time) error { return c.setDeadlines(t, &c.readBy) }

// SetWriteDeadline implements net.Conn.
func (c *conn) SetWriteDeadline(t time.Time) error { return c.setDeadlines(t, &c.writeBy) }

func (c *conn) setDeadlines(t time.Time, which ...*time.Time) error {
	c.n.lock()
	defer c.n.mu.Unlock()
	if c.closed {
		return c.fail("set", net.ErrClosed)
	}
	for _, by := range which {
		*by = t
	}
	c.cond.Broadcast()
	return nil
}

// passed reports whether a deadline has. It needs the network's mu.
func (n *Network) passed(by time.Time) bool { return !by.IsZero() && !n.now.Before(by) }

// wait returns when something may have changed, and not after by. It needs mu.
func (c *conn) wait(by time.Time) {
	if !by.IsZero() {
		c.alarm.set(by)
	}
	if m, ok := c.in.next(); ok {
		if d := c.in.wire.until(m); d >= 0 {
			c.alarm.set(c.n.now.Add(d))
		}
	}
	c.n.sleep(&c.cond)
}

// ask asks the hook, whose error breaks the connection.
func (c *conn) ask(kind OpKind) error {
	err := c.n.ask(kind, c.local, c.remote)
	if err != nil {
		c.n.lock()
		defer c.n.mu.Unlock()
		c.pair.reset()
	}
	return err
}

func (c *conn) fail(op string, err error) error {
	return &net.OpError{Op: op, Net: scheme, Source: c.local, Addr: c.remote, Err: err}
}
