package main

import (
	"fmt"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/ringwire/ringwire/benchmarks/internal/result"
)

// The range of a histogram, in nanoseconds. What is outside counts as the
// nearest bound, so that nothing is left out. The lower bound also decides how
// fine the steps are: with 100 they would be of 64 ns, too coarse for a round
// trip inside a process.
const (
	minLatency = 1
	maxLatency = 60_000_000_000
)

// histogram is a distribution of latencies in nanoseconds. It travels between
// processes in HdrHistogram's own compressed encoding.
type histogram struct{ *hdrhistogram.Histogram }

func newHistogram() *histogram {
	return &histogram{hdrhistogram.New(minLatency, maxLatency, 3)}
}

// record adds one latency.
func (h *histogram) record(nanoseconds int64) {
	// The range was checked: the only error there is.
	_ = h.RecordValue(min(max(nanoseconds, minLatency), maxLatency))
}

// MarshalText encodes h, as base64.
func (h *histogram) MarshalText() ([]byte, error) {
	return h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
}

// UnmarshalText is the inverse of MarshalText.
func (h *histogram) UnmarshalText(text []byte) error {
	decoded, err := hdrhistogram.Decode(text)
	if err != nil {
		return fmt.Errorf("histogram: %w", err)
	}
	h.Histogram = decoded
	return nil
}

// seconds is the latency that the given percentage does not exceed.
func (h *histogram) seconds(percent float64) float64 {
	return float64(h.ValueAtPercentile(percent)) / 1e9
}

// percents are the points of a distribution that are kept.
var percents = []float64{0, 10, 25, 50, 75, 90, 95, 99, 99.9, 99.99, 100}

// latency is h as the results have it.
func (h *histogram) latency() *result.Latency {
	l := &result.Latency{Count: h.TotalCount(), Min: h.Min(), Max: h.Max(), Mean: h.Mean()}
	for _, p := range percents {
		l.Percentiles = append(l.Percentiles, result.Percentile{Percent: p, Value: h.ValueAtPercentile(p)})
	}
	return l
}
