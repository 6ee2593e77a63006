package report

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/plot"
)

func TestAmount(t *testing.T) {
	for _, test := range []struct {
		v    float64
		unit string
		want string
	}{
		{15.2e6, "msg/s", "15.2 M msg/s"},
		{999.7, "msg/s", "1.00 k msg/s"},
		{999.4, "msg/s", "999 msg/s"},
		{12, "deliveries/s", "12.0 deliveries/s"},
		{2.89e9, "B/s", "2.89 GB/s"},
		{9.51e-6, "s", "9.51 us"},
		{350e-9, "s", "350 ns"},
		{1.5, "s", "1.50 s"},
		{0.012, "s", "12.0 ms"},
		{90, "s", "90.0 s"},
		{0, "s", "0 s"},
		{0, "msg/s", "0 msg/s"},
		{4300, "bytes", "4.20 KiB"},
		{8 << 30, "bytes", "8.00 GiB"},
		{12, "bytes", "12.0 B"},
		{0.25, "s/s", "0.250 s/s"},
		{0.25, "", "0.250"},
	} {
		if got := amount(test.v, test.unit); got != test.want {
			t.Errorf("%v %s: got %q, want %q", test.v, test.unit, got, test.want)
		}
	}
}

func TestTicks(t *testing.T) {
	for _, test := range []struct {
		v          float64
		unit, want string
	}{
		{5e7, "msg/s", "50 M"}, {0, "msg/s", "0"}, {5e-5, "s", "50 us"}, {2e-4, "s", "200 us"}, {0.2, "", "0.2"}, {99.99, "", "99.99"}, {4096, "bytes", "4 KiB"},
	} {
		if got := tickAmount(test.v, test.unit); got != test.want {
			t.Errorf("%v %s: got %q, want %q", test.v, test.unit, got, test.want)
		}
	}
	for _, test := range []struct {
		high float64
		want []float64
	}{
		{0, []float64{0}},
		{1, []float64{0, 0.2, 0.4, 0.6, 0.8, 1}},
		{19, []float64{0, 2, 4, 6, 8, 10, 12, 14, 16, 18}},
		{2.2e7, []float64{0, 0.5e7, 1e7, 1.5e7, 2e7}},
		{70, []float64{0, 10, 20, 30, 40, 50, 60, 70}},
	} {
		wantTicks(t, test.high, linearTicks(test.high, func(float64) string { return "x" }), test.want)
	}
}

func wantTicks(t *testing.T, high float64, ticks plot.ConstantTicks, want []float64) {
	t.Helper()
	if len(ticks) != len(want) {
		t.Errorf("up to %v: got %v, want %v", high, ticks, want)
		return
	}
	for i, tick := range ticks {
		if math.Abs(tick.Value-want[i]) > 1e-9*high {
			t.Errorf("up to %v: got tick %d at %v, want %v", high, i, tick.Value, want[i])
		}
	}
}

func TestLogTicks(t *testing.T) {
	for _, test := range []struct {
		low, high float64
		labels    string
	}{
		{0.09, 2.1, "0.1 0.2 0.5 1 2"},
		{1, 5, "1 1.5 2 3 4 5"},
		{0.5, 900000, "1 10 100 1000 10000 100000"},
	} {
		var labels []string
		for _, tick := range logTicks(test.low, test.high, func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }) {
			if tick.Label != "" {
				labels = append(labels, tick.Label[:min(len(tick.Label), 6)])
			}
		}
		if got := strings.Join(labels, " "); got != test.labels {
			t.Errorf("from %v to %v: got labels %q, want %q", test.low, test.high, got, test.labels)
		}
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[int]string{16: "16 B", 64: "64 B", 1024: "1 KiB", 65536: "64 KiB", 1 << 20: "1 MiB", 1500: "1.46484 KiB"} {
		if got := size(n); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
}
