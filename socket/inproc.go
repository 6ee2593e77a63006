package socket

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/pipe"
	"github.com/ringwire/ringwire/internal/zmtp"
	"github.com/ringwire/ringwire/transport/inproc"
)

type inprocNetwork = *inproc.Network

// inprocState is a dialer's part in joining two sockets of this process. There
// is no goroutine: whoever binds or connects last joins them.
type inprocState struct {
	mu     sync.Mutex // serialises Found, peer loss and stop; taken before any lock of a group
	joined bool
	since  time.Time // when it was joined last
	ended  bool
}

// Found implements inproc.Connector.
func (d *dialer) Found(b inproc.Binder) {
	for b != nil {
		next := d.tryJoin(b)
		d.s.events.tell()
		if l, ok := b.(*listener); ok {
			l.s.events.tell()
		}
		b = next
	}
}

// tryJoin joins b. If b does not want us it returns another socket that is
// bound to the name, or waits for one.
func (d *dialer) tryJoin(b inproc.Binder) (next inproc.Binder) {
	st := &d.inproc
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.ended || st.joined {
		return nil
	}
	err := d.join(b)
	if err == nil {
		st.joined, st.since = true, time.Now()
		return nil
	}
	d.refused(err)
	d.s.events.note(Event{Kind: Rejected, Endpoint: d.endpoint, Err: err})
	return d.network.Wait(d.address, d, b)
}

// seek has the dialer find whoever is bound to its name, now or later.
func (d *dialer) seek() {
	d.network.Connect(d.address, d)
	d.inproc.mu.Lock()
	ended := d.inproc.ended
	d.inproc.mu.Unlock()
	if ended {
		d.network.Cancel(d.address, d) // stopInproc may have come before the registration
	}
}

// join links the dialer's end with one that the bound socket makes for it.
func (d *dialer) join(b inproc.Binder) error {
	s, p := d.s, d.peer
	far, err := b.Join(p.end, s.spec.Name(), s.opts.Identity)
	if err != nil {
		return err
	}
	other := far.Owner().(*peer)
	s.group.Lock()
	p.end.Info = other.s.introduce(d.endpoint)
	s.group.Unlock()
	if err := s.welcome(p, nil, true); err != nil {
		// Not part, which would take the inproc lock that we hold.
		other.s.partEnd(other, errGone)
		s.partEnd(p, errGone)
		d.renewEnd()
		return err
	}
	return nil
}

// introduce is what an inproc peer learns of this socket.
func (s *Socket) introduce(endpoint string) pipe.Info {
	info := pipe.Info{SocketType: s.spec.Name(), Endpoint: endpoint, Local: endpoint, Remote: endpoint, Minor31: true,
		Metadata: zmtp.Metadata{{Name: zmtp.PropertySocketType, Value: []byte(s.spec.Name())}}}
	if s.spec.Identifies() {
		info.Identity = s.opts.Identity
	}
	for name, value := range s.opts.Metadata {
		info.Metadata = append(info.Metadata, zmtp.Property{Name: name, Value: []byte(value)})
	}
	return info
}

// Join implements inproc.Binder.
func (l *listener) Join(from *pipe.End, socketType string, identity []byte) (*pipe.End, error) {
	s := l.s
	near := from.Owner().(*peer)
	if !s.spec.Talks(socketType) || !near.s.spec.Talks(s.spec.Name()) {
		return nil, fmt.Errorf("a %s socket does not talk to the %s socket that is bound: %w", socketType, s.spec.Name(), ringwire.ErrRejected)
	}
	admitted, err := s.admission.join()
	if err != nil {
		return nil, err
	}
	p := &peer{s: s, endpoint: l.resolved, listener: l, entrant: admitted}
	from.Group().Lock()
	far := from.Accept(s.group, s.pipeConfig(false), s.intake, p)
	p.end = far // before from leads to it
	far.Link(from)
	from.Link(far)
	from.Group().Unlock()
	far.Info = near.s.introduce(l.resolved)
	if err := s.welcome(p, nil, false); err != nil {
		s.group.Lock()
		far.Renounce()
		s.group.Unlock()
		from.Group().Lock()
		from.Withhold()
		from.Group().Unlock()
		s.remove(p, pipe.PeerGone)
		admitted.leave()
		return nil, err
	}
	return far, nil
}

// part ends an inproc pipe from the side of p: both ends are detached, and the
// connecting side waits for the name to be bound again.
func (s *Socket) part(p *peer) {
	g := s.group
	unlock := p.unjoining()
	g.Lock()
	far := p.end.Unlink()
	known, ready := s.peers[p.end] != nil, p.end.Ready()
	recall := s.detach(p, pipe.Closed)
	ev := p.event(Disconnected)
	g.UnlockAndFlush()
	unlock()
	if recall != nil {
		recall.Recall()
	}
	if known && ready {
		ev.Err, ev.Next = errStopped, p.next()
		s.tally.disconnects.Add(1)
		s.events.emit(ev)
	}
	if known && p.listener != nil {
		p.entrant.leave()
	}
	s.sweep()
	g.Room()
	if far != nil {
		other := far.Owner().(*peer)
		other.s.parted(other, errGone)
	}
}

// unjoining waits until a join of p in progress is through, and keeps another
// from beginning until the result is called.
func (p *peer) unjoining() func() {
	if p.dialer == nil || p.dialer.stream != nil {
		return func() {}
	}
	p.dialer.inproc.mu.Lock()
	return p.dialer.inproc.mu.Unlock
}

// parted is part as the other side hears of it, or as both do, for a reason.
func (s *Socket) parted(p *peer, reason error) {
	if p.dialer == nil {
		s.partEnd(p, reason)
		s.events.tell()
		return
	}
	d := p.dialer
	d.inproc.mu.Lock()
	defer s.events.tell()
	defer d.inproc.mu.Unlock()
	s.partEnd(p, reason)
	if d.current() != p {
		return // the other side told us already
	}
	d.inproc.joined = false
	if d.inproc.ended || s.opts.ReconnectMin < 0 {
		return
	}
	d.renew()
}

// partEnd detaches the end of a peer that has gone. The caller has the logger
// told.
func (s *Socket) partEnd(p *peer, reason error) {
	g := s.group
	g.Lock()
	p.end.Unlink()
	known, ready := s.peers[p.end] != nil, p.end.Ready()
	recall := s.detach(p, pipe.PeerGone)
	ev := p.event(Disconnected)
	after := p.end.Counts()
	g.UnlockAndFlush()
	if recall != nil {
		recall.Recall()
	}
	if known && ready {
		ev.Err, ev.Next = reason, p.next()
		ev.Unsent = after.SendDropped[pipe.PeerGone] - p.dropped
		s.tally.disconnects.Add(1)
		s.events.note(ev)
	}
	if known && p.listener != nil {
		p.entrant.leave()
	}
	s.sweep()
	g.Room()
	g.Notify()
}

// renew gives an inproc dialer a new end, and has it wait for the name. Needs
// the dialer's inproc lock.
func (d *dialer) renew() {
	if !d.renewEnd() {
		return
	}
	// Two that evict each other must not do it at full speed.
	var delay time.Duration
	if time.Since(d.inproc.since) < stable {
		delay = time.Duration(rand.Int64N(int64(max(d.s.opts.ReconnectMin, 1))))
	}
	// Not from here: the name may be bound again already, and then joining
	// takes the lock that we hold.
	d.s.wg.Go(func() {
		select {
		case <-time.After(delay):
			d.seek()
		case <-d.ctx.Done():
		}
	})
}

// renewEnd gives an inproc dialer a new end.

func (d *dialer) renewEnd() bool {
	p := d.newPeer()
	p.end.NewLane()
	if err := d.s.assign(p, d.identity); err != nil {
		return false
	}
	if err := d.s.add(p); err != nil {
		return false
	}
	d.s.mu.Lock()
	d.peer = p
	d.s.mu.Unlock()
	d.s.group.Room()
	return true
}

// stopInproc ends an inproc dialer.
func (d *dialer) stopInproc() {
	d.inproc.mu.Lock()
	d.inproc.ended = true
	d.inproc.mu.Unlock()
	d.network.Cancel(d.address, d)
	d.s.part(d.current())
}

func (d *dialer) current() *peer {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	return d.peer
}
