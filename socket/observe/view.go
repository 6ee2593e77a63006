package observe

import (
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/ringwire/ringwire/socket"
)

// The JSON. The package comment describes every field.

type socketView struct {
	Type  string     `json:"type"`
	Stats statsView  `json:"stats"`
	Peers []peerView `json:"peers"`
}

type statsView struct {
	Peers             int      `json:"peers"`
	Connects          int64    `json:"connects"`
	Accepts           int64    `json:"accepts"`
	Disconnects       int64    `json:"disconnects"`
	HandshakesFailed  int64    `json:"handshakes_failed"`
	HandshakeTimeouts int64    `json:"handshake_timeouts"`
	Refused           int64    `json:"refused"`
	AcceptErrors      int64    `json:"accept_errors"`
	SlowPeers         int64    `json:"slow_peers"`
	Unmatched         int64    `json:"unmatched"`
	Send              sendView `json:"send"`
	Recv              recvView `json:"recv"`
}

type sendView struct {
	Accepted      int64     `json:"accepted"`
	AcceptedBytes int64     `json:"accepted_bytes"`
	Written       int64     `json:"written"`
	Confirmed     int64     `json:"confirmed"`
	InDoubt       int64     `json:"in_doubt"`
	Queued        int64     `json:"queued"`
	QueuedBytes   int64     `json:"queued_bytes"`
	Dropped       dropsView `json:"dropped"`
}

type recvView struct {
	Arrived  int64     `json:"arrived"`
	Returned int64     `json:"returned"`
	Queued   int64     `json:"queued"`
	Dropped  dropsView `json:"dropped"`
}

type dropsView struct {
	Total     int64 `json:"total"`
	HWM       int64 `json:"hwm,omitzero"`
	PeerGone  int64 `json:"peer_gone,omitzero"`
	NoRoute   int64 `json:"no_route,omitzero"`
	Closed    int64 `json:"closed,omitzero"`
	Oversize  int64 `json:"oversize,omitzero"`
	Conflated int64 `json:"conflated,omitzero"`
	Malformed int64 `json:"malformed,omitzero"`
	Stale     int64 `json:"stale,omitzero"`
}

type peerView struct {
	ID            uint64            `json:"id"`
	Name          string            `json:"name"`
	Ready         bool              `json:"ready"`
	Endpoint      string            `json:"endpoint"`
	Local         string            `json:"local,omitzero"`
	Remote        string            `json:"remote,omitzero"`
	Identity      string            `json:"identity,omitzero"`
	Address       string            `json:"address,omitzero"`
	Type          string            `json:"type,omitzero"`
	Version       string            `json:"version,omitzero"`
	Mechanism     string            `json:"mechanism,omitzero"`
	Principal     string            `json:"principal,omitzero"`
	Metadata      map[string]string `json:"metadata,omitempty"`
	Since         time.Time         `json:"since,omitzero"`
	Connections   int               `json:"connections"`
	Subscriptions int               `json:"subscriptions,omitzero"`
	RoundTrip     float64           `json:"round_trip_seconds,omitzero"`
	Send          sendView          `json:"send"`
	Recv          recvView          `json:"recv"`
}

type eventView struct {
	Kind      string    `json:"kind"`
	Time      time.Time `json:"time"`
	Endpoint  string    `json:"endpoint,omitzero"`
	Local     string    `json:"local,omitzero"`
	Remote    string    `json:"remote,omitzero"`
	Peer      uint64    `json:"peer,omitzero"`
	Identity  string    `json:"identity,omitzero"`
	Name      string    `json:"name,omitzero"`
	Type      string    `json:"type,omitzero"`
	Mechanism string    `json:"mechanism,omitzero"`
	Principal string    `json:"principal,omitzero"`
	Retry     float64   `json:"retry_seconds,omitzero"`
	Next      string    `json:"next,omitzero"`
	Reason    string    `json:"reason,omitzero"`
	Error     string    `json:"error,omitzero"`
	Unsent    int64     `json:"unsent,omitzero"`
	InDoubt   int64     `json:"in_doubt,omitzero"`
	Lost      int       `json:"lost,omitzero"`
}

func viewSocket(s *socket.Socket) socketView {
	st, peers := s.Stats(), s.Peers()
	v := socketView{Type: s.Type().Name(), Peers: make([]peerView, 0, len(peers))}
	v.Stats = statsView{
		Peers: st.Peers, Connects: st.Connects, Accepts: st.Accepts, Disconnects: st.Disconnects,
		HandshakesFailed: st.HandshakesFailed, HandshakeTimeouts: st.HandshakeTimeouts,
		Refused: st.Refused, AcceptErrors: st.AcceptErrors, SlowPeers: st.SlowPeers, Unmatched: st.Unmatched,
		Send: viewSend(&st.Counters), Recv: viewRecv(&st.Counters),
	}
	for i := range peers {
		v.Peers = append(v.Peers, viewPeer(&peers[i]))
	}
	return v
}

func viewSend(c *socket.Counters) sendView {
	return sendView{
		Accepted: c.Accepted, AcceptedBytes: c.AcceptedBytes, Written: c.Written, Confirmed: c.Confirmed,
		InDoubt: c.InDoubt, Queued: c.SendQueued, QueuedBytes: c.SendBytes, Dropped: viewDrops(c.SendDropped),
	}
}

func viewRecv(c *socket.Counters) recvView {
	return recvView{Arrived: c.Arrived, Returned: c.Returned, Queued: c.RecvQueued, Dropped: viewDrops(c.RecvDropped)}
}

func viewDrops(d socket.Drops) dropsView {
	return dropsView{Total: d.Total(), HWM: d.HWM, PeerGone: d.PeerGone, NoRoute: d.NoRoute, Closed: d.Closed,
		Oversize: d.Oversize, Conflated: d.Conflated, Malformed: d.Malformed, Stale: d.Stale}
}

func viewPeer(p *socket.PeerInfo) peerView {
	return peerView{
		ID: p.Peer.ID(), Name: text(p.Name()), Ready: p.Ready, Endpoint: text(p.Endpoint),
		Local: text(p.Local), Remote: text(p.Remote), Identity: quoted(p.Identity), Address: quoted(p.Address),
		Type: text(p.SocketType), Version: p.Version, Mechanism: text(p.Mechanism), Principal: text(p.Principal), Metadata: viewMetadata(p.Metadata),
		Since: p.Since.UTC(), Connections: p.Connections, Subscriptions: p.Subscriptions,
		RoundTrip: p.RoundTrip.Seconds(), Send: viewSend(&p.Counters), Recv: viewRecv(&p.Counters),
	}
}

// viewMetadata leaves out what a peer has fields for, in whatever case it wrote
// their names.
func viewMetadata(m map[string]string) map[string]string {
	maps.DeleteFunc(m, func(name, _ string) bool {
		return strings.EqualFold(name, "Socket-Type") || strings.EqualFold(name, "Identity")
	})
	for name, value := range m {
		m[name] = quoted([]byte(value))
		if value == "" {
			m[name] = `""`
		}
	}
	return m
}

func viewEvent(ev *socket.Event) eventView {
	v := eventView{
		Kind: ev.Kind.String(), Time: ev.Time.UTC(), Endpoint: text(ev.Endpoint), Local: text(ev.Local), Remote: text(ev.Remote),
		Peer: ev.Peer.ID(), Identity: quoted(ev.Identity), Name: text(ev.Name),
		Type: text(ev.SocketType), Mechanism: text(ev.Mechanism), Principal: text(ev.Principal),
		Retry: ev.Retry.Seconds(), Reason: ev.Reason(), Unsent: ev.Unsent, InDoubt: ev.InDoubt, Lost: ev.Lost,
	}
	if ev.Next != socket.NextNothing {
		v.Next = ev.Next.String()
	}
	if ev.Err != nil {
		v.Error = text(ev.Err.Error())
	}
	return v
}

// quoted makes bytes text from which they can be had back.
func quoted(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	return strconv.QuoteToASCII(string(b))
}

// text escapes what must not reach a terminal: an error may cite a peer.
func text(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return !strconv.IsPrint(r) || r == '\uFFFD' }) < 0 {
		return s
	}
	q := strconv.QuoteToASCII(s)
	return q[1 : len(q)-1]
}
