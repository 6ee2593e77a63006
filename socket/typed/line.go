package typed

import (
	"context"
	"errors"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/socket"
)

// line is the connection to one endpoint.
type line struct {
	s        *socket.Socket
	endpoint string

	// Guarded by the client's mu.
	ready  bool
	why    error // of the last attempt to connect that failed
	lost   time.Time
	listen context.Context // of receive, until the connection is lost
	cut    context.CancelFunc
	number uint64 // of the last call
	calls  map[uint64]*call
}

// call is one that waits for its reply.
type call struct {
	since time.Time
	reply chan *ringwire.Message // has room for one; closed when the connection was lost
	stop  context.CancelFunc     // guarded by the client's mu; ends a Send that waits
	lost  bool                   // guarded by the client's mu; reply is closed
}

// receive gives the answers of a server to the calls that wait for them, and ends the
// calls of a connection that was lost when it has no more answers.
func (c *Client[Req, Resp]) receive(l *line) {
	listen := l.listen
	for {
		m, err := l.s.Recv(listen)
		if err == nil {
			c.answer(l, m)
			continue
		}
		if listen.Err() == nil {
			return // the socket is closed
		}
		c.mu.Lock()
		lost := l.lost
		l.listen, l.cut = context.WithCancel(context.Background())
		listen = l.listen
		c.mu.Unlock()
		// What had arrived by then counts.
		for m, err := l.s.TryRecv(); err == nil; m, err = l.s.TryRecv() {
			c.answer(l, m)
		}
		c.lose(l, lost)
	}
}

// answer gives a message to the call that it answers. It looks at the header only.
func (c *Client[Req, Resp]) answer(l *line, m *ringwire.Message) {
	var h header
	err := errors.New("no header")
	if m.Len() > 1 && len(m.Frame(0)) == 0 {
		h, err = parseHeader(m.Frame(1))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	w := l.calls[h.number]
	switch {
	case err != nil || h.kind != kindReply && h.kind != kindError:
		c.stats.Rejected++
	case w == nil:
		c.stats.Stale++
	default:
		delete(l.calls, h.number)
		w.reply <- m
		return
	}
	m.Release()
}

// lose ends the calls that began before the connection was lost.
func (c *Client[Req, Resp]) lose(l *line, lost time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for number, w := range l.calls {
		if w.since.After(lost) {
			continue
		}
		delete(l.calls, number)
		close(w.reply)
		w.lost = true
		if w.stop != nil {
			w.stop()
		}
	}
}

// hear follows the connection of a line.
func (c *Client[Req, Resp]) hear(l *line, ev socket.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch ev.Kind {
	case socket.ConnectFailed, socket.HandshakeFailed, socket.Rejected:
		l.why = ev.Err
	case socket.Ready:
		l.ready, l.why = true, nil
		close(c.changed)
		c.changed = make(chan struct{})
	case socket.Disconnected:
		l.ready, l.why, l.lost = false, ev.Err, ev.Time
		l.cut()
	}
}
