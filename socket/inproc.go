package socket

import (
	"fmt"
	"sync"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/pipe"
	"github.com/ringwire/ringwire/transport/inproc"
)

type inprocNetwork = *inproc.Network

// inprocState is a dialer's part in joining two sockets of this process. There
// is no goroutine: whoever binds or connects last joins them.
type inprocState struct {
	mu     sync.Mutex // serialises Found, peer loss and stop; taken before any lock of a group
	joined bool
	ended  bool
}

// Found implements inproc.Connector.
func (d *dialer) Found(b inproc.Binder) {
	st := &d.inproc
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.ended || st.joined {
		return
	}
	if err := d.join(b); err != nil {
		d.refused(err)
		d.s.events.emit(Event{Kind: Rejected, Endpoint: d.endpoint, Err: err})
		d.network.Wait(d.address, d) // another socket may be bound later
		return
	}
	st.joined = true
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
		other.s.part(other)
		return err
	}
	return nil
}

// introduce is what an inproc peer learns of this socket.
func (s *Socket) introduce(endpoint string) pipe.Info {
	info := pipe.Info{SocketType: s.spec.Name(), Endpoint: endpoint, Local: endpoint, Remote: endpoint, Minor31: true,
		Properties: map[string]string{"Socket-Type": s.spec.Name()}}
	if s.spec.Identifies() {
		info.Identity = s.opts.Identity
	}
	for name, value := range s.opts.Metadata {
		info.Properties[name] = value
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
	if err := s.admit(); err != nil {
		return nil, err
	}
	p := &peer{s: s, endpoint: l.resolved, listener: l}
	from.Group().Lock()
	far := from.Accept(s.group, s.pipeConfig(false), s.intake, p)
	far.Link(from)
	from.Link(far)
	from.Group().Unlock()
	p.end = far
	far.Info = near.s.introduce(l.resolved)
	if err := s.welcome(p, nil, false); err != nil {
		s.remove(p, pipe.PeerGone)
		s.discharge()
		from.Group().Lock()
		from.Unlink()
		from.Group().Unlock()
		return nil, err
	}
	return far, nil
}

// part ends an inproc pipe from the side of p: both ends are detached, and the
// connecting side waits for the name to be bound again.
func (s *Socket) part(p *peer) {
	g := s.group
	g.Lock()
	far := p.end.Unlink()
	known := s.peers[p.end] != nil
	recall := s.detach(p, pipe.Closed)
	ev := p.event(Disconnected)
	g.UnlockAndFlush()
	if recall != nil {
		recall.Recall()
	}
	if known {
		ev.Err = errStopped
		s.events.emit(ev)
		if p.listener != nil {
			s.discharge()
		}
	}
	s.sweep()
	g.Room()
	if far != nil {
		other := far.Owner().(*peer)
		other.s.parted(other)
	}
}

// parted is part as the other side hears of it.
func (s *Socket) parted(p *peer) {
	if p.dialer == nil {
		s.partEnd(p)
		return
	}
	d := p.dialer
	d.inproc.mu.Lock()
	defer d.inproc.mu.Unlock()
	s.partEnd(p)
	d.inproc.joined = false
	if d.inproc.ended || s.opts.ReconnectMin < 0 {
		return
	}
	d.renew()
}

// partEnd detaches the end of a peer that has gone.
func (s *Socket) partEnd(p *peer) {
	g := s.group
	g.Lock()
	p.end.Unlink()
	known := s.peers[p.end] != nil
	recall := s.detach(p, pipe.PeerGone)
	ev := p.event(Disconnected)
	g.UnlockAndFlush()
	if recall != nil {
		recall.Recall()
	}
	if known {
		ev.Err = errGone
		s.events.emit(ev)
		if p.listener != nil {
			s.discharge()
		}
	}
	s.sweep()
	g.Room()
	g.Notify()
}

// renew gives an inproc dialer a new end, and has it wait for the name. Needs
// the dialer's inproc lock.
func (d *dialer) renew() {
	p := d.newPeer()
	p.end.NewLane()
	if err := d.s.add(p); err != nil {
		return
	}
	d.s.mu.Lock()
	d.peer = p
	d.s.mu.Unlock()
	// Not from here: the name may be bound again already, and then joining
	// takes the lock that we hold.
	d.s.wg.Go(func() { d.network.Connect(d.address, d) })
}

// stopInproc ends an inproc dialer.
func (d *dialer) stopInproc() {
	d.network.Cancel(d.address, d)
	d.inproc.mu.Lock()
	d.inproc.ended = true
	d.inproc.mu.Unlock()
	d.s.part(d.current())
}

func (d *dialer) current() *peer {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	return d.peer
}
