package socket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/pipe"
	"github.com/ringwire/ringwire/internal/security"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/transport"
	"github.com/ringwire/ringwire/transport/inproc"
)

// Bind makes the socket accept connections at an endpoint and returns it as it
// really is: for "tcp://127.0.0.1:0" with the port that was chosen. It does
// not wait for peers. An endpoint in use is an error that wraps
// syscall.EADDRINUSE; a wrong one a *transport.EndpointError that names the
// wrong part.
func (s *Socket) Bind(endpoint string) (bound string, err error) {
	t, address, err := s.schemes.find(endpoint, true)
	if err != nil {
		return "", fail("bind", endpoint, err)
	}
	if s.isClosing() {
		return "", fail("bind", endpoint, ringwire.ErrClosed)
	}
	l := &listener{s: s, given: endpoint, resolved: endpoint}
	l.ctx, l.cancel = context.WithCancel(s.ctx)
	switch t := t.(type) {
	case transport.Stream:
		l.stream, err = t.Listen(s.ctx, address, s.opts.stream())
		if err == nil {
			l.resolved = t.Scheme() + "://" + l.stream.Endpoint()
		}
	case *inproc.Network:
		l.network, l.name = t, address
	}
	insecure := err == nil && l.stream != nil && beyond(l.stream.Addr()) && !s.encrypts(t)
	if insecure && s.opts.RequireSecure {
		l.stream.Close()
		l.cancel()
		return "", fail("bind", endpoint, errInsecure)
	}
	if err == nil {
		err = s.enlist(l)
	} else if s.isClosing() {
		err = ringwire.ErrClosed // what Listen says then is about its context
	}
	if err != nil {
		l.cancel()
		return "", fail("bind", endpoint, err)
	}
	if insecure {
		s.events.emit(Event{Kind: InsecureBind, Endpoint: l.resolved, Err: errInsecure})
	}
	return l.resolved, nil
}

var errInsecure = errors.New("other machines can reach it, and nothing is encrypted: use a mechanism of package curve, or transport/tlstcp")

// encrypts reports whether the mechanism does, or the transport.
func (s *Socket) encrypts(t transport.Transport) bool {
	if e, ok := t.(transport.Encrypter); ok && e.Encrypts() {
		return true
	}
	return s.session.Mechanism.Name() == security.CurveName
}

// beyond reports whether an address is not of this machine alone.
func beyond(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && !tcp.IP.IsLoopback()
}

func (s *Socket) isClosing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

// enlist starts a listener, unless the socket is closed.
func (s *Socket) enlist(l *listener) error {
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		if l.stream != nil {
			l.stream.Close()
		}
		return ringwire.ErrClosed
	}
	s.listeners[l] = struct{}{}
	if l.stream != nil {
		l.wg.Go(l.run)
	}
	s.mu.Unlock()
	if l.stream == nil {
		if err := l.network.Bind(l.name, l); err != nil {
			s.mu.Lock()
			delete(s.listeners, l)
			s.mu.Unlock()
			return err
		}
		if l.ctx.Err() != nil { // closed meanwhile: the name was not ours then
			l.network.Unbind(l.name, l)
			return ringwire.ErrClosed
		}
	}
	s.events.emit(Event{Kind: Listening, Endpoint: l.resolved})
	return nil
}

// Connect makes the socket connect to an endpoint, and connect again whenever
// the connection is lost, until Disconnect or Close. It returns at once:
// messages can be sent and are queued, WaitPeers waits for the connection.
// Only a wrong endpoint, an unknown scheme and a closed socket are errors. A
// second Connect to the same endpoint is ignored by DEALER, SUB, PUB and REQ,
// and makes another connection on other socket types.
func (s *Socket) Connect(endpoint string) error {
	return fail("connect", endpoint, s.connect(endpoint, nil))
}

// ConnectPeer is Connect on a ROUTER that names the peer: messages can be sent
// to that identity at once, whatever the peer calls itself. It returns when
// the name is reserved. (ZMQ_CONNECT_ROUTING_ID.)
func (s *Socket) ConnectPeer(endpoint string, identity []byte) error {
	const op = "connect peer"
	if s.spec != pattern.Router {
		return s.unsupported(op)
	}
	if n := len(identity); n == 0 || n > 255 || identity[0] == 0 {
		return fail(op, endpoint, fmt.Errorf("identity has %d bytes, %q, want 1 to 255 bytes, the first not zero", n, clip(identity)))
	}
	return fail(op, endpoint, s.connect(endpoint, slices.Clone(identity)))
}

func (s *Socket) connect(endpoint string, identity []byte) error {
	t, address, err := s.schemes.find(endpoint, false)
	if err != nil {
		return err
	}
	d := &dialer{s: s, endpoint: endpoint, address: address, identity: identity, gone: make(chan struct{})}
	d.ctx, d.cancel = context.WithCancel(s.ctx)
	switch t := t.(type) {
	case transport.Stream:
		d.stream = t
	case *inproc.Network:
		d.network = t
	}
	started := false
	defer func() {
		if !started {
			d.cancel() // or the socket's context would remember it
		}
	}()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return ringwire.ErrClosed
	}
	if s.spec.IgnoresDuplicate() && identity == nil {
		for other := range s.dialers {
			if other.endpoint == endpoint {
				return nil
			}
		}
	}
	p := d.newPeer()
	if d.network != nil {
		p.end.NewLane()
	}
	if err := s.assign(p, identity); err != nil {
		return err
	}
	if err := s.add(p); err != nil {
		return err
	}
	d.peer, started = p, true
	s.dialers[d] = struct{}{}
	if d.stream != nil {
		go d.run() // Close and Disconnect wait for it
	} else {
		close(d.gone)
		s.wg.Go(d.seek)
	}
	s.group.Room()
	return nil
}

func (s *Socket) assign(p *peer, identity []byte) error {
	if identity == nil {
		return nil
	}
	s.group.Lock()
	defer s.group.Unlock()
	return s.pattern.(pattern.Addresser).Assign(p.end, identity)
}

var errUnknownEndpoint = errors.New("the socket has no such endpoint")

// Unbind stops accepting at an endpoint, given as it was to Bind or as Bind
// returned it, and closes the connections that came in there, after delivering
// what was accepted for them for at most Linger. It does not wait for that.
func (s *Socket) Unbind(endpoint string) error {
	s.mu.Lock()
	var found []*listener
	for l := range s.listeners {
		if l.resolved == endpoint || l.given == endpoint && len(found) == 0 {
			found = append(found, l)
			delete(s.listeners, l)
			l.cancel() // before endListener looks at who is there: see tryWelcome
		}
	}
	closing := s.closing
	if !closing {
		for _, l := range found {
			s.wg.Go(func() { s.endListener(l) })
		}
	}
	s.mu.Unlock()
	switch {
	case closing:
		return fail("unbind", endpoint, ringwire.ErrClosed)
	case len(found) == 0:
		return fail("unbind", endpoint, errUnknownEndpoint)
	}
	for _, l := range found {
		l.close()
	}
	return nil
}

// endListener drains and ends the connections of a listener that is closed.
func (s *Socket) endListener(l *listener) {
	ctx, cancel := s.lingerContext()
	defer cancel()
	s.finish(ctx, func(p *peer) bool { return p.listener == l })
	l.wg.Wait()
}

// Disconnect ends what Connect began, and the connection, after delivering
// what was accepted for at most Linger. It does not wait for that.
func (s *Socket) Disconnect(endpoint string) error {
	s.mu.Lock()
	var found []*dialer
	for d := range s.dialers {
		if d.endpoint == endpoint {
			found = append(found, d)
			delete(s.dialers, d)
		}
	}
	closing := s.closing
	if !closing {
		for _, d := range found {
			s.wg.Go(func() { s.endDialer(d) })
		}
	}
	s.mu.Unlock()
	switch {
	case closing:
		return fail("disconnect", endpoint, ringwire.ErrClosed)
	case len(found) == 0:
		return fail("disconnect", endpoint, errUnknownEndpoint)
	}
	for _, d := range found {
		s.retire(d)
	}
	return nil
}

// retire keeps new messages from a dialer's end at once: what was accepted is
// delivered by endDialer.
func (s *Socket) retire(d *dialer) {
	if d.stream == nil {
		d.stopInproc()
		return
	}
	s.group.Lock()
	if p := d.peer; s.peers[p.end] != nil && !p.leaving {
		p.leaving = true
		s.pattern.Detach(p.end)
	}
	s.group.Unlock()
	s.sweep()
}

// endDialer drains and ends the connection of a dialer that was retired.
func (s *Socket) endDialer(d *dialer) {
	ctx, cancel := s.lingerContext()
	defer cancel()
	s.finish(ctx, func(p *peer) bool { return p.dialer == d })
	d.cancel()
	<-d.gone
	if d.stream != nil {
		s.remove(d.peer, pipe.Closed)
	}
}

// lingerContext ends when lingering does.
func (s *Socket) lingerContext() (context.Context, context.CancelFunc) {
	switch {
	case s.opts.NoLinger:
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		return ctx, cancel
	case s.opts.Linger < 0:
		return context.WithCancel(context.Background())
	}
	return context.WithTimeout(context.Background(), max(s.opts.Linger, time.Nanosecond))
}

// Drop implements pipe.Owner: it ends the connection behind p now.
func (p *peer) Drop(reason error) {
	s := p.s
	s.group.Lock()
	sess := p.session
	linked := p.end.Linked()
	s.group.Unlock()
	switch {
	case sess != nil:
		sess.Close(reason)
	case linked != nil:
		// Not from here: we may be inside the join of another dialer.
		s.mu.Lock()
		if !s.closing { // else Close ends it
			s.wg.Go(func() { s.relink(p, reason) })
		}
		s.mu.Unlock()
	}
}

// relink ends an inproc pipe as if the other side had gone, but for the reason: a
// connecting side finds it again.
func (s *Socket) relink(p *peer, reason error) {
	unlock := p.unjoining()
	s.group.Lock()
	far := p.end.Unlink()
	s.group.Unlock()
	unlock()
	if far != nil {
		other := far.Owner().(*peer)
		other.s.parted(other, errGone)
	}
	s.parted(p, reason)
}
