package typed

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// Client asks Servers, any number of requests at once.
//
// It has a DEALER for each endpoint that it is connected to, and asks the server with the
// fewest requests under way. A Call returns the answer to its own request, or an
// error; never another's.
type Client[Req, Resp any] struct {
	opts  Options
	req   coder[Req]
	resp  coder[Resp]
	loops sync.WaitGroup

	mu      sync.Mutex
	lines   []*line       // guarded by mu
	changed chan struct{} // guarded by mu; closed and replaced when a line becomes ready, and by Close
	closed  bool          // guarded by mu
	stats   ClientStats   // guarded by mu
}

// ClientStats counts calls. When none is in progress, Calls is the sum of the four that
// follow.
type ClientStats struct {
	Calls    int64
	Replied  int64 // returned a reply
	Failed   int64 // returned an *Error, or a *DecodeError
	GivenUp  int64 // ended otherwise: with their context, or the Client
	Lost     int64 // returned ErrLost
	Stale    int64 // replies to calls that had ended, dropped
	Rejected int64 // messages that are no replies, dropped
}

// NewClient returns a Client. nil options are the defaults.
func NewClient[Req, Resp any](opts *Options) (*Client[Req, Resp], error) {
	o, err := opts.prepare(nameOf[Req]() + " -> " + nameOf[Resp]())
	if err != nil {
		return nil, err
	}
	o.Socket.Immediate = true
	c := &Client[Req, Resp]{opts: o, changed: make(chan struct{})}
	c.req.codec, c.resp.codec = o.Codec, o.Codec
	// The options are checked now, not by the first Connect.
	p, err := openPort(pattern.Dealer, &o)
	if err != nil {
		return nil, err
	}
	return c, p.Close()
}

// Connect adds a server, or a device with servers behind it. It returns at once; the
// connection is made, and made again when it is lost, in the background. An
// endpoint that it has is ignored.
func (c *Client[Req, Resp]) Connect(endpoint string) error {
	p, err := openPort(pattern.Dealer, &c.opts)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	has := slices.ContainsFunc(c.lines, func(l *line) bool { return l.endpoint == endpoint })
	if c.closed || has {
		p.Close()
		if c.closed {
			return &ringwire.OpError{Op: "connect", Endpoint: endpoint, Err: ringwire.ErrClosed}
		}
		return nil
	}
	events := p.s.Events(context.Background())
	if err := p.s.Connect(endpoint); err != nil {
		p.Close()
		for range events { // ends the listening
		}
		return err
	}
	// Numbers begin at random, so that a reply to a client that had the same
	// identity before is none of ours.
	l := &line{s: p.s, endpoint: endpoint, number: rand.Uint64(), calls: make(map[uint64]*call)}
	l.listen, l.cut = context.WithCancel(context.Background())
	c.lines = append(c.lines, l)
	c.loops.Go(func() { c.receive(l) })
	c.loops.Go(func() {
		for ev := range events {
			c.hear(l, ev)
		}
	})
	return nil
}

// WaitServers waits until the Client is connected with at least n endpoints. When ctx
// ends first, the error says why they are not, if that is known.
func (c *Client[Req, Resp]) WaitServers(ctx context.Context, n int) error {
	for {
		c.mu.Lock()
		ready, changed, closed := 0, c.changed, c.closed
		for _, l := range c.lines {
			if l.ready {
				ready++
			}
		}
		c.mu.Unlock()
		switch {
		case closed:
			return &ringwire.OpError{Op: "wait", Err: ringwire.ErrClosed}
		case ready >= n:
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return &ringwire.OpError{Op: "wait", Err: c.unready(n, ctx.Err())}
		}
	}
}

// unready is the error of having waited for servers for too long.
func (c *Client[Req, Resp]) unready(n int, err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	ready, why := 0, ""
	for _, l := range c.lines {
		if l.ready {
			ready++
		} else if l.why != nil {
			why += fmt.Sprintf("; %s: %v", l.endpoint, l.why)
		}
	}
	return fmt.Errorf("%d of %d servers are ready: %w%s", ready, n, err, why)
}

// Call sends a request and waits for its reply, until ctx is done. The server is told
// how much time is left, and when ctx ends first, that nobody waits any more.
//
// While no server is connected it waits for one. Errors: ctx's, an *Error of the server,
// ErrLost, a *DecodeError when the reply is no Resp, ringwire.ErrClosed. Nothing is sent
// twice: whether a request can be repeated is for the caller to know.
func (c *Client[Req, Resp]) Call(ctx context.Context, req Req) (resp Resp, err error) {
	l, m, err := c.ask(ctx, req)
	if err == nil {
		resp, err = c.read(l, m)
	}
	c.count(err)
	return resp, err
}

// ask returns the answer to a request, which may be an error, and from where it came.
func (c *Client[Req, Resp]) ask(ctx context.Context, req Req) (*line, *ringwire.Message, error) {
	buf := scratch.Get()
	defer scratch.Put(buf)
	var room [requestHeaderSize]byte
	var err error
	if buf.B, err = c.req.append(append(buf.B, room[:]...), req); err != nil {
		return nil, nil, err
	}
	head, body := buf.B[:requestHeaderSize], buf.B[requestHeaderSize:]
	for {
		l, number, w, err := c.enter(ctx)
		if err != nil {
			return nil, nil, &ringwire.OpError{Op: "call", Err: err}
		}
		h := header{kind: kindRequest, number: number}
		if deadline, ok := ctx.Deadline(); ok {
			h.timeout = max(time.Until(deadline), 1)
		}
		h.append(head[:0])
		if sent, err := c.send(ctx, l, w, head, body); err != nil {
			c.leave(l, number)
			return nil, nil, err
		} else if !sent {
			continue
		}
		select {
		case m, ok := <-w.reply:
			if !ok {
				return nil, nil, c.ended()
			}
			return l, m, nil
		case <-ctx.Done():
			if c.leave(l, number) {
				// It may find no room and be lost: the server has the deadline.
				l.s.TrySend(nil, header{kind: kindCancel, number: number}.append(nil))
			}
			return nil, nil, &ringwire.OpError{Op: "call", Err: ctx.Err()}
		}
	}
}

// enter waits for a server and registers a call with it.
func (c *Client[Req, Resp]) enter(ctx context.Context) (*line, uint64, *call, error) {
	for {
		c.mu.Lock()
		if c.closed {
			c.mu.Unlock()
			return nil, 0, nil, ringwire.ErrClosed
		}
		if err := ctx.Err(); err != nil {
			c.mu.Unlock()
			return nil, 0, nil, err
		}
		var best *line
		for _, l := range c.lines {
			if l.ready && (best == nil || len(l.calls) < len(best.calls)) {
				best = l
			}
		}
		if best != nil {
			defer c.mu.Unlock()
			// 0 is for errors about what is no request.
			for best.number++; best.number == 0 || best.calls[best.number] != nil; best.number++ {
			}
			w := &call{since: time.Now(), reply: make(chan *ringwire.Message, 1)}
			best.calls[best.number] = w
			return best, best.number, w, nil
		}
		changed := c.changed
		c.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, 0, nil, c.unready(1, ctx.Err())
		}
	}
}

// send sends a request, waiting for room until ctx is done. It was not sent if the
// connection was lost before there was room.
func (c *Client[Req, Resp]) send(ctx context.Context, l *line, w *call, head, body []byte) (sent bool, err error) {
	err = l.s.TrySend(nil, head, body)
	if !errors.Is(err, ringwire.ErrAgain) {
		return err == nil, err
	}
	waiting, stop := context.WithCancel(ctx)
	defer stop()
	c.mu.Lock()
	if w.stop = stop; w.lost {
		stop()
	}
	c.mu.Unlock()
	err = l.s.Send(waiting, nil, head, body)
	if err != nil && waiting.Err() != nil && ctx.Err() == nil {
		return false, nil
	}
	return err == nil, err
}

// leave ends the waiting for a reply, and reports whether it had not ended yet.
func (c *Client[Req, Resp]) leave(l *line, number uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, waiting := l.calls[number]
	delete(l.calls, number)
	return waiting
}

// ended is the error of a call whose connection has ended.
func (c *Client[Req, Resp]) ended() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return &ringwire.OpError{Op: "call", Err: ringwire.ErrClosed}
	}
	return &ringwire.OpError{Op: "call", Err: ErrLost}
}

// read decodes an answer, in the goroutine of the caller.
func (c *Client[Req, Resp]) read(l *line, m *ringwire.Message) (Resp, error) {
	if m.Frame(1)[1] == kindReply {
		return c.resp.take(l.s, m, 3)
	}
	defer m.Release()
	var none Resp
	if m.Len() != 4 {
		return none, c.resp.refuse(l.s, m.Peer(), fmt.Errorf("an error has %d frames, want 4", m.Len()))
	}
	return none, &Error{string(m.Frame(2)), string(m.Frame(3))}
}

// count counts a call that has ended.
func (c *Client[Req, Resp]) count(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.Calls++
	_, answered := errors.AsType[*Error](err)
	_, unread := errors.AsType[*DecodeError](err)
	switch {
	case err == nil:
		c.stats.Replied++
	case answered || unread:
		c.stats.Failed++
	case errors.Is(err, ErrLost):
		c.stats.Lost++
	default:
		c.stats.GivenUp++
	}
}

// Stats returns the counters.
func (c *Client[Req, Resp]) Stats() ClientStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stats
}

// Sockets are the sockets underneath, one for each endpoint in the order of Connect.
func (c *Client[Req, Resp]) Sockets() []*socket.Socket {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := make([]*socket.Socket, len(c.lines))
	for i, l := range c.lines {
		list[i] = l.s
	}
	return list
}

// Close ends all connections. Calls that wait return ringwire.ErrClosed at once; what
// they have sent is still delivered for the sockets' Linger.
func (c *Client[Req, Resp]) Close() error {
	c.mu.Lock()
	lines := c.lines
	if !c.closed {
		c.closed = true
		close(c.changed)
		c.changed = make(chan struct{})
	}
	c.mu.Unlock()
	var errs []error
	for _, l := range lines {
		c.lose(l, time.Now())
		errs = append(errs, l.s.Close())
	}
	c.loops.Wait()
	return errors.Join(errs...)
}
