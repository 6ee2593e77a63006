package socket

import (
	"context"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/pipe"
	"github.com/ringwire/ringwire/internal/session"
)

// closeWait is how long a connection that was half closed may take to be
// closed by the peer. It only matters when the peer still sends to us: closing
// then would destroy what it has not read yet.
const closeWait = 500 * time.Millisecond

// Close is Shutdown that goes on delivering for at most the socket's Linger.
// Every call that is blocked returns ringwire.ErrClosed at once. Closing a
// closed socket waits for the first Close and returns nil.
func (s *Socket) Close() error {
	ctx, cancel := s.lingerContext()
	defer cancel()
	return fail("close", "", s.shutdown(ctx))
}

// Shutdown closes the socket: it accepts nothing more, delivers what it has
// accepted for as long as ctx allows, and always ends closed, with every
// goroutine and descriptor given back. A *ringwire.UnsentError in the result
// says how much was thrown away.
func (s *Socket) Shutdown(ctx context.Context) error {
	if ctx == nil {
		return fail("shutdown", "", errNilContext)
	}
	return fail("shutdown", "", s.shutdown(ctx))
}

func (s *Socket) shutdown(ctx context.Context) error {
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		<-s.finished
		return nil
	}
	s.closing = true
	listeners, dialers := s.listeners, s.dialers
	s.listeners, s.dialers = nil, nil
	s.mu.Unlock()

	before := s.dropped()
	s.group.Close()
	if s.filter != nil {
		s.filter.Disable()
	}
	for l := range listeners {
		l.close()
	}
	s.finish(ctx, func(*peer) bool { return true })
	for d := range dialers {
		if d.stream == nil {
			d.stopInproc()
		}
		d.cancel()
	}
	s.cancel()
	s.stopSessions()
	for d := range dialers {
		<-d.gone
	}
	for l := range listeners {
		l.wg.Wait()
	}
	s.partAll()
	s.wg.Wait()
	s.events.emit(Event{Kind: Closed})
	close(s.finished)
	unsent := s.dropped()
	unsent.Messages -= before.Messages
	unsent.Bytes -= before.Bytes
	if unsent.Messages == 0 {
		return nil
	}
	return &unsent
}

// dropped is what was thrown away because the socket, or an endpoint, was closed.
func (s *Socket) dropped() ringwire.UnsentError {
	s.group.Lock()
	defer s.group.Unlock()
	sum := s.sum()
	return ringwire.UnsentError{Messages: sum.SendDropped[pipe.Closed], Bytes: sum.SendClosedBytes}
}

// stopSessions ends the connections that are left. One that becomes ready later
// sees that the socket's context has ended.
func (s *Socket) stopSessions() {
	var left []*session.Session
	s.group.Lock()
	for _, p := range s.peers {
		if p.session != nil {
			left = append(left, p.session)
		}
	}
	s.group.Unlock()
	for _, sess := range left {
		sess.Close(errStopped)
	}
}

// finish delivers what was accepted for the chosen peers while ctx allows,
// then ends their connections.
func (s *Socket) finish(ctx context.Context, chosen func(*peer) bool) {
	s.drain(ctx, chosen)
	sessions := s.sessions(chosen)
	if ctx.Err() == nil && s.halfClose(sessions) {
		bounded, cancel := context.WithTimeout(ctx, closeWait)
		s.awaitClosed(bounded, sessions)
		cancel()
	}
	for _, sess := range sessions {
		sess.Close(errStopped)
	}
	for _, p := range s.linked(chosen) {
		s.part(p)
	}
}

// drain waits until the kernel, or an inproc peer, has everything that was
// accepted.
func (s *Socket) drain(ctx context.Context, chosen func(*peer) bool) {
	for {
		changed := s.group.Wait()
		if !s.pending(chosen) {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// pending reports whether messages are queued, and has them flushed.
func (s *Socket) pending(chosen func(*peer) bool) (queued bool) {
	g := s.group
	g.Lock()
	defer g.UnlockAndFlush()
	queued = g.Closed() && g.Held() > 0
	for e, p := range s.peers {
		if chosen(p) && e.Queued() {
			queued = true
			e.Prod()
		}
	}
	return queued
}

func (s *Socket) sessions(chosen func(*peer) bool) map[*peer]*session.Session {
	s.group.Lock()
	defer s.group.Unlock()
	m := make(map[*peer]*session.Session)
	for _, p := range s.peers {
		if p.session != nil && chosen(p) {
			m[p] = p.session
		}
	}
	return m
}

func (s *Socket) linked(chosen func(*peer) bool) (list []*peer) {
	s.group.Lock()
	defer s.group.Unlock()
	for e, p := range s.peers {
		if e.Linked() != nil && chosen(p) {
			list = append(list, p)
		}
	}
	return list
}

// halfClose tells the peers that nothing more comes, and reports whether any
// of them had been sent something: only then is it worth waiting.
func (s *Socket) halfClose(sessions map[*peer]*session.Session) (wait bool) {
	for p, sess := range sessions {
		s.group.Lock()
		sent := p.end.Counts().Written > 0
		s.group.Unlock()
		if sent && sess.CloseWrite() == nil {
			wait = true
		}
	}
	return wait
}

// awaitClosed waits until the peers have closed their side.
func (s *Socket) awaitClosed(ctx context.Context, sessions map[*peer]*session.Session) {
	for {
		changed := s.group.Wait()
		open := false
		s.group.Lock()
		for p, sess := range sessions {
			if p.session == sess && p.end.Counts().Written > 0 {
				open = true
			}
		}
		s.group.Unlock()
		if !open {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// partAll ends what is left: inproc pipes and the ends of dialers.
func (s *Socket) partAll() {
	for _, p := range s.linked(func(*peer) bool { return true }) {
		s.part(p)
	}
	s.group.Lock()
	s.group.DropHeld(pipe.Closed)
	var left []*peer
	for _, p := range s.peers {
		left = append(left, p)
	}
	s.group.Unlock()
	for _, p := range left {
		s.remove(p, pipe.Closed)
	}
}
