package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	dto "github.com/prometheus/client_model/go"

	"github.com/ringwire/ringwire/pattern"
)

// metrics parses what Prometheus would.
func (p *process) metrics() map[string]*dto.MetricFamily {
	p.t.Helper()
	_, body := p.ask("GET", "/metrics")
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(body))
	if err != nil {
		p.t.Fatalf("%v in\n%s", err, body)
	}
	return families
}

// metric is the value of a metric with all these labels: name=value.
func metric(t testing.TB, families map[string]*dto.MetricFamily, name string, labels ...string) float64 {
	t.Helper()
	f := families[name]
	if f == nil {
		t.Fatalf("there is no %s", name)
	}
	for _, m := range f.Metric {
		have := make(map[string]bool)
		for _, l := range m.Label {
			have[l.GetName()+"="+l.GetValue()] = true
		}
		all := true
		for _, l := range labels {
			all = all && have[l]
		}
		if !all {
			continue
		}
		if m.Counter != nil {
			return m.Counter.GetValue()
		}
		return m.Gauge.GetValue()
	}
	t.Fatalf("there is no %s with %v", name, labels)
	return 0
}

func TestMetrics(t *testing.T) {
	p := start(t, "--metrics-peers", "--heartbeat-interval", "100ms")
	sub := newSocket(t, pattern.Sub, named("s"), p.backend)
	second := newSocket(t, pattern.Sub, nil, p.backend)
	pub := newSocket(t, pattern.Pub, nil, p.frontend)
	if err := pub.WaitSubscribers(patience(t), "", 1); err != nil {
		t.Fatal(err)
	}
	eventually(t, "both subscribers count", func() bool { return p.stats().Backend.Peers == 2 })
	for range 5 {
		send(t, pub, "topic", "body")
		recv(t, sub)
		recv(t, second)
	}
	eventually(t, "the metrics have everything", func() bool {
		m := p.metrics()
		return metric(t, m, "ringwire_socket_written_messages_total", "side=backend") == 10 &&
			metric(t, m, "ringwire_peer_round_trip_seconds", `peer="s"`) > 0
	})
	m := p.metrics()
	for _, x := range []struct {
		want   float64
		name   string
		labels []string
	}{
		{1, "build_info", []string{"kind=forwarder"}},
		{0, "forwarder_paused", nil},
		{0, "forwarder_draining", nil},
		{5, "forwarder_received_messages_total", []string{"direction=forward"}},
		{45, "forwarder_received_bytes_total", []string{"direction=forward"}},
		{5, "forwarder_sent_messages_total", []string{"direction=forward"}},
		{0, "forwarder_refused_messages_total", []string{"direction=backward"}},
		{1, "socket_peers", []string{"side=frontend"}},
		{2, "socket_peers", []string{"side=backend"}},
		{2, "socket_accepts_total", []string{"side=backend"}},
		{0, "socket_connects_total", []string{"side=backend"}},
		{10, "socket_accepted_messages_total", []string{"side=backend"}},
		{0, "socket_send_queued_messages", []string{"side=backend"}},
		{5, "socket_arrived_messages_total", []string{"side=frontend"}},
		{5, "socket_returned_messages_total", []string{"side=frontend"}},
		{0, "socket_send_dropped_messages_total", []string{"side=backend", "reason=hwm"}},
		{0, "socket_recv_dropped_messages_total", []string{"side=frontend", "reason=oversize"}},
		{0, "socket_stalled_peers", []string{"side=backend"}},
		{5, "peer_written_messages_total", []string{"side=backend", `peer="s"`}},
		{0, "peer_stalled", []string{"side=backend", `peer="s"`}},
	} {
		if got := metric(t, m, "ringwire_"+x.name, x.labels...); got != x.want {
			t.Errorf("%s%v is %v, want %v", x.name, x.labels, got, x.want)
		}
	}
	for name, f := range m {
		if f.GetHelp() == "" {
			t.Errorf("%s has no help", name)
		}
		if total := strings.HasSuffix(name, "_total"); strings.HasPrefix(name, "ringwire_") && total != (f.GetType() == dto.MetricType_COUNTER) {
			t.Errorf("%s is a %v", name, f.GetType())
		}
	}

	// The README has them all, and no other.
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := make(map[string]bool)
	for _, name := range regexp.MustCompile("`(ringwire_[a-z_]+)`").FindAllStringSubmatch(string(text), -1) {
		documented[name[1]] = true
		if m[name[1]] == nil {
			t.Errorf("README.md has %s, which does not exist", name[1])
		}
	}
	for name := range m {
		if strings.HasPrefix(name, "ringwire_") && !documented[name] {
			t.Errorf("README.md does not have %s", name)
		}
	}
}
