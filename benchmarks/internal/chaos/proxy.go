package chaos

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// Direction is one of the two of a proxy.
type Direction int

// The directions: Up is from who connected to the target.
const (
	Up Direction = iota
	Down
)

// Proxy passes on TCP connections, and does to them what networks do.
type Proxy struct {
	listener net.Listener
	target   string
	running  sync.WaitGroup

	mu sync.Mutex
	// Guarded by mu.
	changed sync.Cond
	links   map[*proxied]struct{}
	closed  bool
	stalled [2]bool
	delay   time.Duration
	rate    int        // bytes per second, 0 without limit
	cut     int        // reset a connection that has passed on so many bytes, 0 never
	corrupt float64    // chance of each byte
	random  *rand.Rand // for corrupt
}

// proxied is one connection.
type proxied struct {
	ends   [2]*net.TCPConn // who connected, the target
	passed int             // bytes, in both directions; guarded by the proxy's mu
}

// NewProxy starts a proxy on a port of its own. Close ends it.
func NewProxy(target string, seed uint64) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start proxy: %w", err)
	}
	p := &Proxy{listener: l, target: target, links: make(map[*proxied]struct{}), random: rand.New(rand.NewPCG(seed, 0))}
	p.changed.L = &p.mu
	p.running.Go(p.accept)
	return p, nil
}

// Address is where it listens.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// set changes how it treats bytes from now on.
func (p *Proxy) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
	p.changed.Broadcast()
}

// Stall holds up a direction, with nothing lost, until it is called with false.
func (p *Proxy) Stall(d Direction, on bool) { p.set(func() { p.stalled[d] = on }) }

// Delay has everything come later.
func (p *Proxy) Delay(d time.Duration) { p.set(func() { p.delay = d }) }

// Rate bounds the bytes per second of each direction of a connection, 0 not.
func (p *Proxy) Rate(bytes int) { p.set(func() { p.rate = bytes }) }

// CutAfter resets each connection after so many bytes from now on, 0 never.
func (p *Proxy) CutAfter(bytes int) {
	p.set(func() {
		p.cut = bytes
		for l := range p.links {
			l.passed = 0
		}
	})
}

// Corrupt changes each byte with the given chance.
func (p *Proxy) Corrupt(chance float64) { p.set(func() { p.corrupt = chance }) }

// Reset resets all connections: both sides get an RST. It returns how many.
func (p *Proxy) Reset() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.links)
	for l := range p.links {
		l.reset()
	}
	p.changed.Broadcast()
	return n
}

// Close resets everything and waits until nothing is left.
func (p *Proxy) Close() {
	p.set(func() { p.closed = true })
	p.listener.Close()
	p.Reset()
	p.running.Wait()
}

func (l *proxied) reset() {
	for _, c := range l.ends {
		_ = c.SetLinger(0) // a connection that is closed already needs none
		c.Close()
	}
}

func (p *Proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(time.Millisecond) // out of descriptors
			continue
		}
		p.running.Go(func() { p.serve(c.(*net.TCPConn)) })
	}
}

// serve connects to the target and passes on until both directions have ended.
func (p *Proxy) serve(c *net.TCPConn) {
	target, err := net.DialTimeout("tcp", p.target, 5*time.Second)
	if err != nil {
		_ = c.SetLinger(0)
		c.Close()
		return
	}
	l := &proxied{ends: [2]*net.TCPConn{c, target.(*net.TCPConn)}}
	p.mu.Lock()
	p.links[l] = struct{}{}
	if p.closed {
		l.reset()
	}
	p.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { p.pass(l, Up) })
	both.Go(func() { p.pass(l, Down) })
	both.Wait()
	p.mu.Lock()
	delete(p.links, l)
	p.mu.Unlock()
	for _, end := range l.ends {
		end.Close()
	}
}

// pass passes one direction on.
func (p *Proxy) pass(l *proxied, d Direction) {
	from, to := l.ends[d], l.ends[1-d]
	buf := make([]byte, 16<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 && !p.treat(l, d, buf[:n], to) {
			return
		}
		switch {
		case err == nil:
			continue
		case errors.Is(err, io.EOF):
			p.wait(d)
			_ = to.CloseWrite() // it may be gone
		default:
			p.mu.Lock()
			l.reset()
			p.mu.Unlock()
		}
		return
	}
}

// wait waits while the direction is stalled.
func (p *Proxy) wait(d Direction) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.stalled[d] && !p.closed {
		p.changed.Wait()
	}
}

// treat does to bytes what is to be done, and reports whether there may be more.
func (p *Proxy) treat(l *proxied, d Direction, data []byte, to *net.TCPConn) bool {
	p.wait(d)
	p.mu.Lock()
	delay, cut := p.delay, false
	if p.rate > 0 {
		delay += time.Duration(float64(len(data)) / float64(p.rate) * float64(time.Second))
	}
	if p.corrupt > 0 {
		for i := range data {
			if p.random.Float64() < p.corrupt {
				data[i] ^= byte(1 + p.random.IntN(255))
			}
		}
	}
	l.passed += len(data)
	if p.cut > 0 && l.passed > p.cut {
		data = data[:max(0, len(data)-(l.passed-p.cut))]
		cut = true
	}
	p.mu.Unlock()
	if delay > 0 {
		time.Sleep(delay)
	}
	_, err := to.Write(data)
	if cut {
		// What was passed on is to arrive before the reset: then the receiver
		// has the beginning of a message.
		time.Sleep(5 * time.Millisecond)
	}
	if cut || err != nil {
		p.mu.Lock()
		l.reset()
		p.mu.Unlock()
	}
	return !cut && err == nil
}
