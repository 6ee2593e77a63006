package socket

import (
	"errors"
	"fmt"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/pipe"
	"github.com/ringwire/ringwire/internal/session"
	"github.com/ringwire/ringwire/internal/zmtp"
	"github.com/ringwire/ringwire/pattern"
)

// probeTime is how long an older connection has to answer a PING before a
// newcomer with the same identity takes its place.
const probeTime = 2 * time.Second

// peer is what the socket knows of one end.
type peer struct {
	s        *Socket
	end      *pipe.End
	endpoint string
	dialer   *dialer   // nil for an accepted peer
	listener *listener // nil for a connected one
	entrant  *entrant  // likewise

	// Guarded by the send lock.
	session *session.Session // nil for inproc, or while there is no connection
	since   time.Time        // when it became ready
	epochs  int              // connections so far
	before  int64            // messages in doubt before the current one
	dropped int64            // and dropped because the peer was gone
	leaving bool             // the pattern has let go of it: what is queued is still delivered
	passed  int64            // messages it had room for, when it last missed one
	told    time.Time        // when a SlowPeer event was raised
}

var (
	errGone    = errors.New("the peer is gone")
	errStopped = errors.New("the endpoint was closed on this side")
	errEvicted = errors.New("DisconnectPeer was called for the peer")
	errRetake  = errors.New("no answer to a PING: a newcomer with the same identity takes over")
)

// add attaches an end to the socket. It fails when the socket is closed.
func (s *Socket) add(p *peer) error {
	g := s.group
	g.Lock()
	defer g.Unlock()
	if g.Closed() {
		return ringwire.ErrClosed
	}
	s.peers[p.end] = p
	p.end.Attach()
	s.pattern.Attach(p.end)
	return nil
}

// remove detaches an end for good. Messages from it stay readable.
func (s *Socket) remove(p *peer, reason pipe.Reason) {
	g := s.group
	g.Lock()
	recall := s.detach(p, reason)
	g.UnlockAndFlush()
	if recall != nil {
		recall.Recall()
	}
	s.sweep()
	g.Room()
}

// sweep has a publisher forget the subscriptions of peers that are gone.
func (s *Socket) sweep() {
	p, ok := s.pattern.(pattern.Publisher)
	for more := ok; more; {
		s.group.Lock()
		more = p.Sweep()
		s.group.Unlock()
	}
}

// detach needs the send lock.
func (s *Socket) detach(p *peer, reason pipe.Reason) (recall *pipe.End) {
	if s.peers[p.end] == nil {
		return nil
	}
	delete(s.peers, p.end)
	s.pattern.Detach(p.end) // again, if it was leaving: it may have subscribed since
	recall = p.end.Detach(reason)
	s.orphans = append(s.orphans, p.end)
	s.bury()
	s.bound()
	return recall
}

// maxOrphans bounds the peers that are gone and whose messages were not
// received yet.
const maxOrphans = 1000

// bound keeps what peers left behind from growing without limit when they come
// and go while nobody receives: beyond the limits, the messages of the newest
// are dropped. Needs the send lock.
func (s *Socket) bound() {
	limit := s.opts.RecvHWMBytes
	if limit < 0 {
		limit = DefaultHWMBytes
	}
	var unread int64
	for i, e := range s.orphans {
		if unread += e.Unread(); unread > limit || i >= maxOrphans {
			e.Discard(pipe.PeerGone)
		}
	}
}

// bury adds up the counters of detached ends from which nothing can come any
// more. Needs the send lock.
func (s *Socket) bury() {
	kept := s.orphans[:0]
	for _, e := range s.orphans {
		if c, done := e.Bury(); done {
			s.past.Add(&c)
		} else {
			kept = append(kept, e)
		}
	}
	clear(s.orphans[len(kept):])
	s.orphans = kept
}

// welcome makes a peer ready after its handshake, if the pattern takes it.
// attached says that its end is one of the socket's already.
func (s *Socket) welcome(p *peer, sess *session.Session, attached bool) error {
	if sess != nil && p.listener != nil {
		s.noticeEnded()
	}
	for {
		older, err := s.tryWelcome(p, sess, attached)
		if older == nil {
			return err
		}
		attached = true
		if err := s.challenge(older, p.end.Info.Identity); err != nil {
			return err
		}
	}
}

// noticeEnded looks for accepted connections that have ended while nobody read them:
// one of them may have been the newcomer's.
func (s *Socket) noticeEnded() {
	var stalled []*peer
	s.group.Lock()
	for _, p := range s.peers {
		if p.listener != nil && p.session != nil && p.session.Stalled() {
			stalled = append(stalled, p)
		}
	}
	s.group.Unlock()
	for _, p := range stalled {
		s.group.Lock()
		sess := p.session
		s.group.Unlock()
		if sess == nil || !sess.Ended() {
			continue
		}
		s.group.Lock()
		p.end.Leave()
		s.group.Unlock()
	}
}

func (s *Socket) tryWelcome(p *peer, sess *session.Session, attached bool) (older *peer, err error) {
	g := s.group
	g.Lock()
	// A dialer goes on while Close delivers what was accepted.
	stopped := p.listener != nil && p.listener.ctx.Err() != nil
	if stopped || g.Closed() && p.dialer == nil || attached && s.peers[p.end] == nil {
		g.Unlock()
		return nil, errStopped
	}
	if !attached {
		s.peers[p.end] = p
		p.end.Attach()
		s.pattern.Attach(p.end)
	}
	// The pattern may announce subscriptions: the connection must be there.
	if sess != nil {
		p.end.SetWire(sess)
	}
	var end *pipe.End
	if !p.leaving {
		end, err = s.pattern.Ready(p.end)
	}
	if end != nil || err != nil {
		older = s.peers[end]
		p.end.SetWire(nil)
		g.UnlockAndFlush()
		return older, err
	}
	p.session, p.since = sess, time.Now()
	p.epochs++
	counts := p.end.Counts()
	p.before, p.dropped = counts.InDoubt, counts.SendDropped[pipe.PeerGone]
	recall := p.end.SetReady()
	ev := p.event(Ready)
	g.UnlockAndFlush()
	if recall != nil {
		recall.Recall()
	}
	if p.dialer != nil {
		p.dialer.refused(nil)
	}
	if sess != nil {
		s.events.emit(ev)
	} else {
		s.events.note(ev) // an inproc lock is held: see Found
	}
	g.Room()
	g.Notify()
	return nil, nil
}

// challenge asks an older peer for a sign of life, because a newcomer has its
// identity. A live one keeps it, and the error says so; a dead one is closed.
func (s *Socket) challenge(older *peer, identity []byte) error {
	taken := fmt.Errorf("identity %q is in use by a live peer: %w", identity, ringwire.ErrRejected)
	s.group.Lock()
	sess := older.session
	s.group.Unlock()
	if sess == nil || !sess.Minor31() {
		return taken // it cannot be asked
	}
	heard := sess.Heard()
	older.end.Ping()
	deadline := time.NewTimer(probeTime)
	defer deadline.Stop()
	step := time.NewTicker(probeTime / 100)
	defer step.Stop()
	for {
		changed := s.group.Wait()
		s.group.Lock()
		gone := older.session != sess
		s.group.Unlock()
		switch {
		case gone:
			return nil
		case sess.Heard() != heard:
			return taken
		}
		select {
		case <-changed:
		case <-step.C:
		case <-deadline.C:
			sess.Close(errRetake)
			s.awaitEnd(older, sess)
			return nil
		case <-s.ctx.Done():
			return errStopped
		}
	}
}

// awaitEnd waits until a session that was closed is no longer its peer's.
func (s *Socket) awaitEnd(p *peer, sess *session.Session) {
	for {
		changed := s.group.Wait()
		s.group.Lock()
		gone := p.session != sess
		s.group.Unlock()
		if gone {
			return
		}
		<-changed
	}
}

// lose notes that the connection of p ended. An accepted peer is gone with
// it.
func (s *Socket) lose(p *peer, reason error) {
	g := s.group
	g.Lock()
	var recall *pipe.End
	known := s.peers[p.end] != nil
	if known && !p.leaving {
		s.pattern.Lost(p.end)
	}
	recall = p.end.SetLost()
	if p.dialer == nil && known {
		recall = s.detach(p, pipe.PeerGone)
	}
	after := p.end.Counts()
	ev := p.event(Disconnected)
	g.UnlockAndFlush()
	if recall != nil {
		recall.Recall()
	}
	ev.Err = reason
	if s.isClosing() {
		ev.Err = errStopped
	}
	ev.Next = p.next()
	ev.Unsent = after.SendDropped[pipe.PeerGone] - p.dropped
	ev.InDoubt = after.InDoubt - p.before
	s.tally.disconnects.Add(1)
	s.events.emit(ev)
	// Only now may a newcomer with the same identity become ready: the events
	// come in this order.
	g.Lock()
	p.session = nil
	g.Unlock()
	s.sweep()
	g.Room()
	g.Notify()
}

// next is what comes after p's connection ended.
func (p *peer) next() Next {
	switch {
	case p.dialer != nil:
		return p.dialer.next()
	case p.listener != nil && p.listener.ctx.Err() == nil:
		return NextAccept
	}
	return NextNothing
}

// event describes p. Needs the send lock, or a peer that nobody else knows.
func (p *peer) event(kind EventKind) Event {
	info := &p.end.Info
	var announced string
	for _, property := range info.Metadata {
		if property.Name == nameProperty {
			announced = string(property.Value)
		}
	}
	return Event{
		Kind: kind, Endpoint: p.endpoint, Local: info.Local, Remote: info.Remote,
		Peer: ringwire.WrapPeer(p.end.Peer()), Identity: info.Identity,
		Name: peerName(info.Identity, announced, info.Remote), SocketType: info.SocketType,
		Mechanism: info.Mechanism, Principal: info.Principal,
	}
}

// learn fills in what the handshake told, or refuses the peer for it.
func (s *Socket) learn(p *peer, sess *session.Session, local, remote string) error {
	meta := sess.Properties()
	kind, ok := meta.Get(zmtp.PropertySocketType)
	if !ok {
		return fmt.Errorf("the peer does not say its socket type: %w", ringwire.ErrProtocol)
	}
	if !s.spec.Talks(string(kind)) {
		return fmt.Errorf("the peer is a %q socket, a %s socket talks to %v: %w", clip(kind), s.spec.Name(), s.spec.Peers(), ringwire.ErrRejected)
	}
	identity, _ := meta.Get(zmtp.PropertyIdentity)
	if len(identity) > zmtp.MaxIdentity {
		return fmt.Errorf("the peer's identity has %d bytes, limit %d: %w", len(identity), zmtp.MaxIdentity, ringwire.ErrProtocol)
	}
	info := pipe.Info{
		Identity: identity, SocketType: string(kind), Endpoint: p.endpoint,
		Local: local, Remote: remote, Mechanism: s.session.Mechanism.Name(), Minor31: sess.Minor31(),
		Principal: sess.Principal(),
		Metadata:  meta,
	}
	p.end.Peer().SetPrincipal(info.Principal)
	s.group.Lock()
	p.end.Info = info
	s.group.Unlock()
	return nil
}

// overflowed is told by the pattern when a message for e was dropped because
// e is full. It has the send lock, so what is to be told waits for tellSlow.
func (s *Socket) overflowed(e *pipe.End) {
	p := s.peers[e]
	if p == nil {
		return
	}
	if s.opts.OnFull == FullDisconnect {
		e.Condemn(fmt.Errorf("no room for a message: %w", errSlow))
	}
	queued := e.Passed()
	if queued == p.passed {
		return // no room since the last one that it missed
	}
	p.passed = queued
	if time.Since(p.told) < slowInterval {
		return
	}
	p.told = time.Now()
	s.slow = append(s.slow, p.event(SlowPeer))
	s.allSlow = s.checkSlow()
	s.slowNews.Store(true)
}

// slowInterval bounds the SlowPeer events of one peer: one that is always
// nearly full would raise one per batch.
const slowInterval = time.Second

// tellSlow raises the events that overflowed has noted.
func (s *Socket) tellSlow() {
	s.group.Lock()
	list := s.slow
	all := s.allSlow
	s.slow, s.allSlow = nil, false
	s.slowNews.Store(false)
	s.group.Unlock()
	for _, ev := range list {
		s.tally.slow.Add(1)
		s.events.emit(ev)
	}
	if all {
		s.doctor.warn(trapAllSlow)
	}
}

var errSlow = errors.New("the peer is too slow")

// find returns the peer behind a public handle. Needs the send lock.
func (s *Socket) find(p ringwire.Peer) *peer {
	id := ringwire.UnwrapPeer(p)
	for _, x := range s.peers {
		if x.end.Peer() == id {
			return x
		}
	}
	return nil
}
