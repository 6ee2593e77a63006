package sockettest

import "net"

// defaultBacklog is a usual one; sockets set their own only when asked to.
const defaultBacklog = 128

// listener accepts the connections of one port.
type listener struct {
	// Immutable.
	n       *Network
	machine *machine
	host    string
	port    int
	backlog int

	// Guarded by the network's mu.
	queue  []*conn
	closed bool
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	c, err := l.accept()
	if err != nil {
		return nil, l.fail("accept", err)
	}
	return c, nil
}

func (l *listener) accept() (*conn, error) {
	n := l.n
	if err := n.ask(OpAccept, l.addr(), ""); err != nil {
		return nil, err
	}
	n.lock()
	defer n.mu.Unlock()
	for {
		switch {
		case l.closed:
			return nil, net.ErrClosed
		case l.machine.acceptErr != nil:
			return nil, l.machine.acceptErr
		case len(l.queue) > 0:
			c := l.queue[0]
			l.queue = l.queue[1:]
			n.changed.Broadcast() // a dial may wait for the room
			return c, nil
		}
		n.sleep(&n.changed)
	}
}

// Close implements net.Listener. Connections that nobody has accepted are
// reset.
func (l *listener) Close() error {
	n := l.n
	n.lock()
	defer n.mu.Unlock()
	if l.closed {
		return l.fail("close", net.ErrClosed)
	}
	l.closed = true
	delete(l.machine.listeners, l.port)
	for _, c := range l.queue {
		if !c.pair.muted {
			c.pair.reset()
		}
		c.shut()
	}
	l.queue = nil
	n.changed.Broadcast()
	return nil
}

// Addr implements net.Listener.
func (l *listener) Addr() net.Addr { return l.addr() }

// Endpoint implements transport.Listener.
func (l *listener) Endpoint() string { return string(l.addr()) }

func (l *listener) addr() addr { return makeAddr(l.host, l.port) }

func (l *listener) fail(op string, err error) error {
	return &net.OpError{Op: op, Net: scheme, Addr: l.addr(), Err: err}
}
