package sockettest

import (
	"context"
	"net"
	"os"
	"syscall"

	"github.com/ringwire/ringwire/transport"
)

// host is the transport of one host. Immutable.
type host struct {
	n    *Network
	name string
}

// Scheme is "mem".
func (host) Scheme() string { return scheme }

// Check implements transport.Stream.
func (h host) Check(address string, bind bool) error {
	_, err := parse(h.name, address, bind)
	return err
}

// Dial implements transport.Stream.
func (h host) Dial(ctx context.Context, address string, opts *transport.Options) (net.Conn, error) {
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	to, err := parse(h.name, address, false)
	if err != nil {
		return nil, err
	}
	c, err := h.dial(ctx, to)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: scheme, Addr: makeAddr(to.host, to.port), Err: err}
	}
	return c, nil
}

func (h host) dial(ctx context.Context, to place) (*conn, error) {
	n := h.n
	if err := n.ask(OpDial, addr(h.name), makeAddr(to.host, to.port)); err != nil {
		return nil, err
	}
	defer context.AfterFunc(ctx, func() {
		n.lock()
		defer n.mu.Unlock()
		n.changed.Broadcast()
	})()
	n.lock()
	defer n.mu.Unlock()
	wake := alarm{cond: &n.changed}
	defer wake.stop()
	own, target := n.machine(h.name), n.machine(to.host)
	trip := trip{n.wire(h.name, to.host), n.wire(to.host, h.name)}
	arrival, leg := trip[0].after(trip[0].now(), trip[0].link.Latency), 0
	for {
		var l *listener
		if leg == len(trip) {
			l = target.listeners[to.port]
		}
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case target.refuses, leg == len(trip) && l == nil:
			return nil, os.NewSyscallError("connect", syscall.ECONNREFUSED)
		case own.vanished || target.vanished:
		case leg == len(trip) && len(l.queue) < l.backlog:
			return n.join(h.name, own.choose(), l), nil
		case leg == len(trip): // until somebody accepts
		case trip[leg].reached(arrival):
			if leg++; leg < len(trip) {
				arrival = trip[leg].after(trip[leg].now(), trip[leg].link.Latency)
			}
			continue
		default:
			if d := trip[leg].until(arrival); d >= 0 {
				wake.set(n.now.Add(d))
			}
		}
		n.sleep(&n.changed)
	}
}

// trip is there and back.
type trip [2]*wire

// Listen implements transport.Stream.
func (h host) Listen(ctx context.Context, address string, opts *transport.Options) (transport.Listener, error) {
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	at, err := parse(h.name, address, true)
	if err != nil {
		return nil, err
	}
	l, err := h.listen(ctx, at, opts)
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: scheme, Addr: makeAddr(at.host, at.port), Err: err}
	}
	return l, nil
}

func (h host) listen(ctx context.Context, at place, opts *transport.Options) (*listener, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	n := h.n
	n.lock()
	defer n.mu.Unlock()
	m := n.machine(h.name)
	if at.port == 0 {
		at.port = m.choose()
	}
	if at.port == 0 || m.listeners[at.port] != nil {
		return nil, os.NewSyscallError("bind", syscall.EADDRINUSE)
	}
	l := &listener{n: n, machine: m, host: h.name, port: at.port, backlog: defaultBacklog}
	if opts != nil && opts.Backlog > 0 {
		l.backlog = opts.Backlog
	}
	m.listeners[at.port] = l
	return l, nil
}
