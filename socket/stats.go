package socket

import (
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/pipe"
	"github.com/ringwire/ringwire/pattern"
)

// Drops counts messages that were not delivered, by reason.
type Drops struct {
	HWM       int64 // the peer had no room
	PeerGone  int64 // the peer was gone before they were written
	NoRoute   int64 // nobody to take them: unknown identity, no publisher; received on a socket that cannot receive, or without a subscription
	Closed    int64 // the socket or endpoint was closed before they were written
	Oversize  int64 // over a size limit
	Conflated int64 // replaced by a newer one
	Malformed int64 // no envelope where the pattern needs one
	Stale     int64 // a reply that nobody waits for any more
}

// Total is the sum.
func (d Drops) Total() int64 {
	return d.HWM + d.PeerGone + d.NoRoute + d.Closed + d.Oversize + d.Conflated + d.Malformed + d.Stale
}

func publicDrops(d *pipe.Drops) Drops {
	return Drops{HWM: d[pipe.HWM], PeerGone: d[pipe.PeerGone], NoRoute: d[pipe.NoRoute], Closed: d[pipe.Closed],
		Oversize: d[pipe.Oversize], Conflated: d[pipe.Conflated], Malformed: d[pipe.Malformed], Stale: d[pipe.Stale]}
}

// Counters account for messages. When no call is in progress,
//
//	Accepted = Written + SendDropped.Total() + SendQueued
//	Written  = Confirmed + InDoubt + what is in flight
//	Arrived  = Returned + RecvDropped.Total() + RecvQueued
//
// A message to several subscribers counts once for each.
type Counters struct {
	Accepted      int64 // messages that Send accepted for the peer
	AcceptedBytes int64 // with frame headers on a connection, without over inproc
	Written       int64 // given to the kernel, or to an inproc peer
	Confirmed     int64 // the part of Written that the peer is known to have taken in: see Confirm; of a REQ, what was answered, when the connection has ended
	InDoubt       int64 // the part of Written whose connection has ended before it was confirmed: it may have arrived or not
	SendQueued    int64
	SendBytes     int64 // bytes queued
	SendDropped   Drops

	Arrived     int64 // messages that came from the peer
	Returned    int64 // returned by Recv
	RecvQueued  int64
	RecvDropped Drops
}

func publicCounters(c *pipe.Counts) Counters {
	return Counters{
		Accepted: c.Accepted, AcceptedBytes: c.AcceptedBytes, Written: c.Written, Confirmed: c.Confirmed, InDoubt: c.InDoubt,
		SendQueued: c.SendQueued, SendBytes: c.SendBytes, SendDropped: publicDrops(&c.SendDropped),
		Arrived: c.Arrived, Returned: c.Returned, RecvQueued: c.RecvQueued, RecvDropped: publicDrops(&c.RecvDropped),
	}
}

// Stats is a snapshot of a socket.
type Stats struct {
	Counters        // of all peers, those that are gone included
	Peers     int   // ready now
	Unmatched int64 // published messages that nobody had subscribed to: not a loss

	Connects          int64 // connections made
	Accepts           int64 // connections accepted
	Disconnects       int64 // ready peers that went
	HandshakesFailed  int64 // connections that did not become a peer
	HandshakeTimeouts int64 // the part of those that ran out of time
	Refused           int64 // the part of those that a limit kept out: MaxConnections, MaxConnectionsPerAddress, MaxAcceptRate, MaxHandshakes
	AcceptErrors      int64
	SlowPeers         int64 // SlowPeer events
}

// tally counts what happens to connections.
type tally struct {
	connects, accepts, disconnects, failed, timeouts, refused, acceptErrors, slow atomic.Int64
}

// Stats returns the socket's counters. It may be called at any time, also on a
// closed socket; the counters are exact when no other call is in progress.
func (s *Socket) Stats() Stats {
	s.gather()
	g := s.group
	g.Lock()
	sum := s.sum()
	st := Stats{}
	for e := range s.peers {
		if e.Ready() {
			st.Peers++
		}
	}
	if p, ok := s.pattern.(pattern.Publisher); ok {
		st.Unmatched = p.Unmatched()
	}
	g.Unlock()
	st.Counters = publicCounters(&sum)
	t := &s.tally
	st.Connects, st.Accepts, st.Disconnects = t.connects.Load(), t.accepts.Load(), t.disconnects.Load()
	st.HandshakesFailed, st.HandshakeTimeouts = t.failed.Load(), t.timeouts.Load()
	st.Refused = t.refused.Load()
	st.AcceptErrors, st.SlowPeers = t.acceptErrors.Load(), t.slow.Load()
	return st
}

// sum adds up the counters of all peers there are and were. Needs the send lock.
func (s *Socket) sum() pipe.Counts {
	s.bury()
	sum := s.past
	lost := s.group.Lost()
	sum.Add(&lost)
	for _, e := range s.orphans {
		c := e.Counts()
		sum.Add(&c)
	}
	for e := range s.peers {
		c := e.Counts()
		sum.Add(&c)
	}
	return sum
}

// gather has inproc peers show what they have staged for us: they sent it, and
// it must be in our counters.
func (s *Socket) gather() {
	var from []*pipe.End
	s.group.Lock()
	for e := range s.peers {
		if peer := e.Linked(); peer != nil {
			from = append(from, peer)
		}
	}
	s.group.Unlock()
	for _, e := range from {
		g := e.Group()
		g.Lock()
		e.ShowStaged()
		g.Unlock()
	}
}

// PeerInfo is a snapshot of one peer.
type PeerInfo struct {
	Peer          ringwire.Peer
	Ready         bool   // false: a connecting endpoint without a connection; what follows is then about the last one
	Endpoint      string // the endpoint of ours that it belongs to
	Local         string
	Remote        string
	Identity      []byte // as the peer announced it
	Address       []byte // how a ROUTER addresses it
	SocketType    string
	Version       string // "3.0" or "3.1": what is spoken with it; empty for inproc
	Mechanism     string
	Principal     string            // who the Authenticator says it is
	Metadata      map[string]string // everything it announced
	Since         time.Time         // when it became ready
	Connections   int               // how many it took so far
	Subscriptions int               // PUB, XPUB: its topics
	RoundTrip     time.Duration     // how long its last answer to a PING took; 0: none yet. Heartbeats and Confirm ask
	Counters
}

// Peers returns the peers in the order in which they were attached, connecting
// endpoints without a connection included.
func (s *Socket) Peers() []PeerInfo {
	s.gather()
	g := s.group
	g.Lock()
	defer g.Unlock()
	list := make([]PeerInfo, 0, len(s.peers))
	for _, p := range s.peers {
		list = append(list, s.describe(p))
	}
	slices.SortFunc(list, func(a, b PeerInfo) int { return int(a.Peer.ID()) - int(b.Peer.ID()) })
	return list
}

// describe needs the send lock.
func (s *Socket) describe(p *peer) PeerInfo {
	e := p.end
	c := e.Counts()
	info := PeerInfo{
		Peer: ringwire.WrapPeer(e.Peer()), Ready: e.Ready(), Endpoint: p.endpoint,
		Local: e.Info.Local, Remote: e.Info.Remote, Identity: e.Info.Identity,
		SocketType: e.Info.SocketType, Mechanism: e.Info.Mechanism, Principal: e.Info.Principal, Metadata: make(map[string]string),
		Since: p.since, Connections: p.epochs, Counters: publicCounters(&c),
	}
	for _, property := range e.Info.Metadata {
		info.Metadata[property.Name] = string(property.Value)
	}
	if r := e.Route(); r != nil {
		info.Address = r[0]
	}
	if p.session != nil {
		info.RoundTrip = p.session.RoundTrip()
	}
	if e.Info.Mechanism != "" {
		info.Version = version(e.Info.Minor31)
	}
	if pub, ok := s.pattern.(pattern.Publisher); ok {
		info.Subscriptions = pub.Topics(e)
	}
	return info
}

// Name is what to call the peer: its identity, else what it announced as X-Name,
// else its address. What the peer chose is quoted.
func (p PeerInfo) Name() string { return peerName(p.Identity, p.Metadata[nameProperty], p.Remote) }

// nameProperty is how a peer that has no identity says what to call it.
const nameProperty = "X-Name"

func peerName(identity []byte, announced, remote string) string {
	switch {
	case len(identity) > 0:
		return strconv.Quote(string(identity))
	case announced != "":
		return strconv.Quote(announced)
	}
	return remote
}

func version(minor31 bool) string {
	if minor31 {
		return "3.1"
	}
	return "3.0"
}
