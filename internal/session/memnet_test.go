package session_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/ringwire/ringwire/transport"
)

// memNet is a transport whose connections are pairs of bounded buffers in
// memory. It has deadlines and half close like tcp, everything in it waits in
// a sync.Cond, so that it works on the fake clock of testing/synctest, and
// hook sees every call of Read and Write.
type memNet struct {
	hook func(c *memConn, write bool) error // nil, or what an I/O call does first; immutable
	max  int                                // bytes of one direction's buffer; immutable

	mu    sync.Mutex
	names map[string]*memListener
	pairs int
	dials []time.Time
}

var (
	errInjected = errors.New("memnet: injected fault")
	errRefused  = errors.New("memnet: nobody listens")
)

func newMemNet() *memNet { return &memNet{max: 4096, names: make(map[string]*memListener)} }

func (n *memNet) Scheme() string { return "mem" }

func (n *memNet) Check(string, bool) error { return nil }

func (n *memNet) Dial(_ context.Context, address string, _ *transport.Options) (net.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dials = append(n.dials, time.Now())
	l := n.names[address]
	if l == nil {
		return nil, errRefused
	}
	a, b := n.pair(address)
	select {
	case l.accept <- b:
		return a, nil
	case <-l.done:
		return nil, errRefused
	}
}

// pair needs mu.
func (n *memNet) pair(address string) (a, b *memConn) {
	to, from := newMemPipe(n.max), newMemPipe(n.max)
	id := n.pairs
	n.pairs++
	a = &memConn{net: n, id: id, dialed: true, in: from, out: to, name: memAddr(address + "/dialer" + strconv.Itoa(id))}
	b = &memConn{net: n, id: id, in: to, out: from, name: memAddr(address)}
	return a, b
}

func (n *memNet) attempts() []time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]time.Time(nil), n.dials...)
}

func (n *memNet) Listen(_ context.Context, address string, _ *transport.Options) (transport.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.names[address] != nil {
		return nil, syscall.EADDRINUSE
	}
	l := &memListener{net: n, address: address, accept: make(chan net.Conn, 16), done: make(chan struct{})}
	n.names[address] = l
	return l, nil
}

type memListener struct {
	net     *memNet
	address string
	accept  chan net.Conn
	done    chan struct{}
	once    sync.Once
}

func (l *memListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.accept:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *memListener) Close() error {
	err := net.ErrClosed
	l.once.Do(func() {
		l.net.mu.Lock()
		delete(l.net.names, l.address)
		l.net.mu.Unlock()
		close(l.done)
		for {
			select {
			case c := <-l.accept:
				c.Close()
				continue
			default:
			}
			break
		}
		err = nil
	})
	return err
}

func (l *memListener) Addr() net.Addr   { return memAddr(l.address) }
func (l *memListener) Endpoint() string { return l.address }

type memAddr string

func (memAddr) Network() string  { return "mem" }
func (a memAddr) String() string { return string(a) }

type memConn struct {
	net    *memNet
	id     int
	dialed bool
	in     *memPipe
	out    *memPipe
	name   memAddr
}

func (c *memConn) Read(p []byte) (int, error) {
	if hook := c.net.hook; hook != nil {
		if err := hook(c, false); err != nil {
			return 0, err
		}
	}
	return c.in.read(p)
}

func (c *memConn) Write(p []byte) (int, error) {
	if hook := c.net.hook; hook != nil {
		if err := hook(c, true); err != nil {
			return 0, err
		}
	}
	return c.out.write(p)
}

func (c *memConn) Close() error {
	c.in.shut(true, true)
	c.out.shut(true, false)
	return nil
}

func (c *memConn) CloseWrite() error {
	c.out.shut(true, false)
	return nil
}

func (c *memConn) LocalAddr() net.Addr  { return c.name }
func (c *memConn) RemoteAddr() net.Addr { return c.name }

func (c *memConn) SetDeadline(t time.Time) error {
	c.SetReadDeadline(t)
	return c.SetWriteDeadline(t)
}

func (c *memConn) SetReadDeadline(t time.Time) error {
	c.in.setDeadline(&c.in.readBy, t)
	return nil
}

func (c *memConn) SetWriteDeadline(t time.Time) error {
	c.out.setDeadline(&c.out.writeBy, t)
	return nil
}

// memPipe is one direction.
type memPipe struct {
	mu      sync.Mutex
	cond    sync.Cond
	buf     []byte
	max     int
	ended   bool // the writer is done
	gone    bool // the reader is
	readBy  memDeadline
	writeBy memDeadline
}

type memDeadline struct {
	at    time.Time
	timer *time.Timer
}

func (d *memDeadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

func newMemPipe(limit int) *memPipe {
	p := &memPipe{max: limit}
	p.cond.L = &p.mu
	return p
}

func (p *memPipe) setDeadline(d *memDeadline, t time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.at = t
	if !t.IsZero() {
		d.timer = time.AfterFunc(max(time.Until(t), 0), func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.cond.Broadcast()
		})
	}
	p.cond.Broadcast()
}

func (p *memPipe) shut(ended, gone bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended, p.gone = p.ended || ended, p.gone || gone
	for _, d := range []*memDeadline{&p.readBy, &p.writeBy} {
		if d.timer != nil && (ended && gone) {
			d.timer.Stop()
		}
	}
	p.cond.Broadcast()
}

func (p *memPipe) read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch {
		case p.gone:
			return 0, net.ErrClosed
		case p.readBy.passed():
			return 0, os.ErrDeadlineExceeded
		case len(p.buf) > 0:
			n := copy(b, p.buf)
			p.buf = append(p.buf[:0], p.buf[n:]...)
			p.cond.Broadcast()
			return n, nil
		case p.ended:
			return 0, io.EOF
		}
		p.cond.Wait()
	}
}

func (p *memPipe) write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for n < len(b) {
		switch {
		case p.ended:
			return n, net.ErrClosed
		case p.gone:
			return n, syscall.EPIPE
		case p.writeBy.passed():
			return n, os.ErrDeadlineExceeded
		}
		if free := p.max - len(p.buf); free > 0 {
			k := min(free, len(b)-n)
			p.buf = append(p.buf, b[n:n+k]...)
			n += k
			p.cond.Broadcast()
			continue
		}
		p.cond.Wait()
	}
	return n, nil
}
