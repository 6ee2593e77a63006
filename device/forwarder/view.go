package main

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/ringwire/ringwire/device"
	"github.com/ringwire/ringwire/socket"
)

// The views are what the admin answers as JSON. README.md describes them.

type statsView struct {
	Time          time.Time     `json:"time"`
	Version       string        `json:"version"`
	Kind          string        `json:"kind"`
	Name          string        `json:"name,omitempty"`
	State         string        `json:"state"` // running, paused, draining
	UptimeSeconds float64       `json:"uptime_seconds"`
	SendHWM       int64         `json:"send_hwm"` // -1: no limit
	Forward       directionView `json:"forward"`
	Backward      directionView `json:"backward"`
	Frontend      socketView    `json:"frontend"`
	Backend       socketView    `json:"backend"`
}

type directionView struct {
	ReceivedMessages int64   `json:"received_messages"`
	ReceivedBytes    int64   `json:"received_bytes"`
	SentMessages     int64   `json:"sent_messages"`
	SentBytes        int64   `json:"sent_bytes"`
	RefusedMessages  int64   `json:"refused_messages"`
	DroppedMessages  int64   `json:"dropped_messages"`
	InHandMessages   int64   `json:"in_hand_messages"`
	MessagesPerSec   float64 `json:"messages_per_second"`
	BytesPerSec      float64 `json:"bytes_per_second"`
}

type socketView struct {
	Type             string   `json:"type"`
	Role             string   `json:"role"`
	Endpoints        []string `json:"endpoints"`
	Peers            int      `json:"peers"`
	Unmatched        int64    `json:"unmatched"`
	Connects         int64    `json:"connects"`
	Accepts          int64    `json:"accepts"`
	Disconnects      int64    `json:"disconnects"`
	HandshakesFailed int64    `json:"handshakes_failed"`
	Refused          int64    `json:"refused"`
	AcceptErrors     int64    `json:"accept_errors"`
	SlowPeers        int64    `json:"slow_peers"`
	Send             sendView `json:"send"`
	Recv             recvView `json:"recv"`
}

type sendView struct {
	Accepted      int64            `json:"accepted"`
	AcceptedBytes int64            `json:"accepted_bytes"`
	Written       int64            `json:"written"`
	InDoubt       int64            `json:"in_doubt"`
	Queued        int64            `json:"queued"`
	QueuedBytes   int64            `json:"queued_bytes"`
	Dropped       map[string]int64 `json:"dropped"`
	PerSec        float64          `json:"written_per_second"`
	BytesPerSec   float64          `json:"accepted_bytes_per_second"`
	DroppedPerSec float64          `json:"dropped_per_second"`
}

type recvView struct {
	Arrived  int64            `json:"arrived"`
	Returned int64            `json:"returned"`
	Queued   int64            `json:"queued"`
	Dropped  map[string]int64 `json:"dropped"`
	PerSec   float64          `json:"arrived_per_second"`
}

type peerView struct {
	ID            uint64            `json:"id"`
	Side          string            `json:"side"`
	Name          string            `json:"name"` // identity or X-Name quoted, else the address
	State         condition         `json:"state"`
	Ready         bool              `json:"ready"`
	Endpoint      string            `json:"endpoint"`
	Remote        string            `json:"remote,omitempty"`
	Identity      string            `json:"identity,omitempty"` // quoted
	Type          string            `json:"type,omitempty"`
	Version       string            `json:"version,omitempty"`
	Mechanism     string            `json:"mechanism,omitempty"`
	Principal     string            `json:"principal,omitempty"` // who an authenticator says it is
	Metadata      map[string]string `json:"metadata,omitempty"`  // values quoted
	Since         *time.Time        `json:"since,omitempty"`
	Connections   int               `json:"connections"`
	Subscriptions int               `json:"subscriptions"`
	RoundTrip     float64           `json:"round_trip_seconds,omitempty"`
	Send          sendView          `json:"send"`
	Recv          recvView          `json:"recv"`
}

func viewStats(c *config, sn *snapshot, started time.Time, draining bool) statsView {
	v := statsView{
		Time: utc(sn.Time), Version: version(), Kind: c.Kind.value, Name: c.Name.value, State: "running", SendHWM: c.SendHWM.value,
		UptimeSeconds: sn.Time.Sub(started).Seconds(),
		Forward:       viewDirection(&sn.Device.Forward, &sn.Flow[0]), Backward: viewDirection(&sn.Device.Backward, &sn.Flow[1]),
		Frontend: viewSocket(&sn.Sides[0]), Backend: viewSocket(&sn.Sides[1]),
	}
	switch {
	case draining:
		v.State = "draining"
	case sn.Device.Paused:
		v.State = "paused"
	}
	return v
}

func viewDirection(d *device.Direction, r *rates) directionView {
	return directionView{
		ReceivedMessages: d.Received.Messages, ReceivedBytes: d.Received.Bytes,
		SentMessages: d.Sent.Messages, SentBytes: d.Sent.Bytes, RefusedMessages: d.Refused.Messages,
		DroppedMessages: d.Dropped.Messages, InHandMessages: max(0, d.InHand()), MessagesPerSec: r.In, BytesPerSec: r.OutBytes,
	}
}

func viewSocket(s *sideState) socketView {
	st := &s.Stats
	return socketView{
		Type: s.Type, Role: s.Role, Endpoints: append([]string{}, s.Places...), Peers: st.Peers, Unmatched: st.Unmatched, Connects: st.Connects, Accepts: st.Accepts,
		Disconnects: st.Disconnects, HandshakesFailed: st.HandshakesFailed, Refused: st.Refused, AcceptErrors: st.AcceptErrors, SlowPeers: st.SlowPeers,
		Send: viewSend(&st.Counters, &s.Rates), Recv: viewRecv(&st.Counters, &s.Rates),
	}
}

func viewSend(c *socket.Counters, r *rates) sendView {
	return sendView{
		Accepted: c.Accepted, AcceptedBytes: c.AcceptedBytes, Written: c.Written, InDoubt: c.InDoubt, Queued: c.SendQueued,
		QueuedBytes: c.SendBytes, Dropped: viewDrops(&c.SendDropped), PerSec: r.Written, BytesPerSec: r.OutBytes, DroppedPerSec: r.Dropped,
	}
}

func viewRecv(c *socket.Counters, r *rates) recvView {
	return recvView{Arrived: c.Arrived, Returned: c.Returned, Queued: c.RecvQueued, Dropped: viewDrops(&c.RecvDropped), PerSec: r.In}
}

// reasons are the drops by reason, zeros included.
func reasons(d *socket.Drops) map[string]int64 {
	return map[string]int64{
		"hwm": d.HWM, "peer_gone": d.PeerGone, "no_route": d.NoRoute, "closed": d.Closed,
		"oversize": d.Oversize, "conflated": d.Conflated, "malformed": d.Malformed, "stale": d.Stale,
	}
}

// viewDrops has the total and the reasons that are not zero.
func viewDrops(d *socket.Drops) map[string]int64 {
	v := map[string]int64{"total": d.Total()}
	for reason, n := range reasons(d) {
		if n != 0 {
			v[reason] = n
		}
	}
	return v
}

func viewPeer(side string, p *peerState) peerView {
	v := peerView{
		ID: p.Peer.ID(), Side: side, Name: p.Name(), State: p.State, Ready: p.Ready, Endpoint: p.Endpoint, Remote: p.Remote,
		Type: printable(p.SocketType), Version: p.Version, Mechanism: printable(p.Mechanism), Principal: printable(p.Principal), Connections: p.Connections,
		Subscriptions: p.Subscriptions, RoundTrip: p.RoundTrip.Seconds(), Send: viewSend(&p.Counters, &p.Rates), Recv: viewRecv(&p.Counters, &p.Rates),
	}
	if v.Name == "" {
		v.Name = p.Endpoint
	}
	if len(p.Identity) > 0 {
		v.Identity = strconv.QuoteToASCII(string(p.Identity))
	}
	if !p.Since.IsZero() {
		since := utc(p.Since)
		v.Since = &since
	}
	for name, value := range p.Metadata {
		if v.Metadata == nil {
			v.Metadata = make(map[string]string)
		}
		v.Metadata[printable(name)] = strconv.QuoteToASCII(value)
	}
	return v
}

// viewPeers has at most limit peers, those in trouble first; 0 is all of them, as
// they came.
func viewPeers(sn *snapshot, limit int) []peerView {
	type one struct {
		side string
		peer *peerState
	}
	var list []one
	for i := range sn.Sides {
		for j := range sn.Sides[i].Peers {
			list = append(list, one{sideNames[i], &sn.Sides[i].Peers[j]})
		}
	}
	if limit > 0 && len(list) > limit {
		urgency := map[condition]int{stalled: 0, dropping: 1, connecting: 2, fine: 3}
		slices.SortStableFunc(list, func(a, b one) int {
			return cmp.Or(urgency[a.peer.State]-urgency[b.peer.State], cmp.Compare(drops(&b.peer.Counters), drops(&a.peer.Counters)))
		})
		list = list[:limit]
	}
	views := make([]peerView, len(list))
	for i, x := range list {
		views[i] = viewPeer(x.side, x.peer)
	}
	return views
}
