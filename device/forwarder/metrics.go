package main

import (
	"net/http"
	"runtime"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/ringwire/ringwire/device"
	"github.com/ringwire/ringwire/socket"
)

// metrics collects what the watcher has seen, for Prometheus.
type metrics struct {
	service *service
	kind    string
	peers   bool // also each of them
}

// newMetrics returns a handler with a registry of its own.
func newMetrics(s *service, c *config) http.Handler {
	r := prometheus.NewRegistry()
	r.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		&metrics{s, c.Kind.value, c.MetricPeers.value},
	)
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{})
}

// Labels: side is frontend or backend, direction forward or backward.
var (
	bySide      = []string{"side"}
	byReason    = []string{"side", "reason"}
	byDirection = []string{"direction"}
	byPeer      = []string{"side", "peer", "id"}

	describeBuild    = describe("build_info", "Always 1; the labels say what runs.", []string{"version", "goversion", "kind"})
	describePaused   = describe("forwarder_paused", "1 while paused.", nil)
	describeDraining = describe("forwarder_draining", "1 while draining.", nil)

	describeReceived      = describe("forwarder_received_messages_total", "Messages that the device received.", byDirection)
	describeReceivedBytes = describe("forwarder_received_bytes_total", "Bytes of their frames.", byDirection)
	describeSent          = describe("forwarder_sent_messages_total", "Messages that the other socket accepted.", byDirection)
	describeRefused       = describe("forwarder_refused_messages_total", "Messages that can never be forwarded.", byDirection)

	describePeers      = describe("socket_peers", "Peers that are ready.", bySide)
	describeConnects   = describe("socket_connects_total", "Connections made.", bySide)
	describeAccepts    = describe("socket_accepts_total", "Connections accepted.", bySide)
	describeGone       = describe("socket_disconnects_total", "Ready peers that went.", bySide)
	describeFailed     = describe("socket_handshakes_failed_total", "Connections that did not become a peer.", bySide)
	describeLimited    = describe("socket_refused_total", "Connections that a limit refused.", bySide)
	describeAcceptFail = describe("socket_accept_errors_total", "Times that a listener could not accept.", bySide)
	describeSlow       = describe("socket_slow_peers_total", "Times that a peer began to miss messages.", bySide)
	describeUnmatched  = describe("socket_unmatched_messages_total", "Messages that nobody had subscribed to.", bySide)
	describeAccepted   = describe("socket_accepted_messages_total", "Messages accepted for peers; to several subscribers, once for each.", bySide)
	describeOutBytes   = describe("socket_accepted_bytes_total", "Their bytes.", bySide)
	describeWritten    = describe("socket_written_messages_total", "Messages given to the kernel.", bySide)
	describeQueued     = describe("socket_send_queued_messages", "Messages that wait to be written.", bySide)
	describeQueuedB    = describe("socket_send_queued_bytes", "Their bytes.", bySide)
	describeArrived    = describe("socket_arrived_messages_total", "Messages that came from peers.", bySide)
	describeReturned   = describe("socket_returned_messages_total", "The part of them that the device took.", bySide)
	describeRecvQueued = describe("socket_recv_queued_messages", "Messages that wait for the device.", bySide)
	describeSendDrop   = describe("socket_send_dropped_messages_total", "Messages for peers that were dropped, by reason.", byReason)
	describeRecvDrop   = describe("socket_recv_dropped_messages_total", "Messages from peers that were dropped, by reason.", byReason)
	describeStalled    = describe("socket_stalled_peers", "Peers for which something is queued and nothing goes out.", bySide)

	describePeerWritten = describe("peer_written_messages_total", "Messages given to the kernel for the peer.", byPeer)
	describePeerArrived = describe("peer_arrived_messages_total", "Messages that came from the peer.", byPeer)
	describePeerQueued  = describe("peer_send_queued_messages", "Messages that wait to be written to the peer.", byPeer)
	describePeerDropped = describe("peer_dropped_messages_total", "Messages for or from the peer that were dropped.", byPeer)
	describePeerTrip    = describe("peer_round_trip_seconds", "How long its last answer took; only with heartbeats.", byPeer)
	describePeerStalled = describe("peer_stalled", "1 while something is queued for the peer and nothing goes out.", byPeer)
)

func describe(name, help string, labels []string) *prometheus.Desc {
	return prometheus.NewDesc("ringwire_"+name, help, labels, nil)
}

// Describe implements prometheus.Collector. It describes nothing: which metrics
// there are is checked when they are collected.
func (m *metrics) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(to chan<- prometheus.Metric) {
	counter := func(d *prometheus.Desc, n int64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	s := m.service
	sn := s.watcher.now()
	gauge(describeBuild, 1, version(), runtime.Version(), m.kind)
	gauge(describePaused, number(sn.Device.Paused))
	gauge(describeDraining, number(s.draining.Load()))
	for name, d := range map[string]*device.Direction{"forward": &sn.Device.Forward, "backward": &sn.Device.Backward} {
		counter(describeReceived, d.Received.Messages, name)
		counter(describeReceivedBytes, d.Received.Bytes, name)
		counter(describeSent, d.Sent.Messages, name)
		counter(describeRefused, d.Refused.Messages, name)
	}
	for i := range sn.Sides {
		st, side := &sn.Sides[i].Stats, sideNames[i]
		gauge(describePeers, float64(st.Peers), side)
		counter(describeConnects, st.Connects, side)
		counter(describeAccepts, st.Accepts, side)
		counter(describeGone, st.Disconnects, side)
		counter(describeFailed, st.HandshakesFailed, side)
		counter(describeLimited, st.Refused, side)
		counter(describeAcceptFail, st.AcceptErrors, side)
		counter(describeSlow, st.SlowPeers, side)
		counter(describeUnmatched, st.Unmatched, side)
		counter(describeAccepted, st.Accepted, side)
		counter(describeOutBytes, st.AcceptedBytes, side)
		counter(describeWritten, st.Written, side)
		gauge(describeQueued, float64(st.SendQueued), side)
		gauge(describeQueuedB, float64(st.SendBytes), side)
		counter(describeArrived, st.Arrived, side)
		counter(describeReturned, st.Returned, side)
		gauge(describeRecvQueued, float64(st.RecvQueued), side)
		for _, x := range []struct {
			desc  *prometheus.Desc
			drops *socket.Drops
		}{{describeSendDrop, &st.SendDropped}, {describeRecvDrop, &st.RecvDropped}} {
			for reason, n := range reasons(x.drops) {
				counter(x.desc, n, side, reason)
			}
		}
		stuck := 0
		for j := range sn.Sides[i].Peers {
			p := &sn.Sides[i].Peers[j]
			if p.State == stalled {
				stuck++
			}
			if !m.peers {
				continue
			}
			v := viewPeer(side, p)
			labels := []string{side, v.Name, strconv.FormatUint(v.ID, 10)}
			counter(describePeerWritten, p.Written, labels...)
			counter(describePeerArrived, p.Arrived, labels...)
			gauge(describePeerQueued, float64(p.SendQueued), labels...)
			counter(describePeerDropped, drops(&p.Counters), labels...)
			gauge(describePeerTrip, p.RoundTrip.Seconds(), labels...)
			gauge(describePeerStalled, number(p.State == stalled), labels...)
		}
		gauge(describeStalled, float64(stuck), side)
	}
}

func number(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
