package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/ringwire/ringwire/benchmarks/internal/result"
)

// throughput is the result of a throughput tool, as its JSON has it.
type throughput struct {
	Tool      string  `json:"tool"`
	Library   string  `json:"library"`
	Size      int     `json:"message_size"` // bytes
	Count     int     `json:"message_count"`
	Seconds   float64 `json:"seconds"` // from the first message to the last
	PerSecond float64 `json:"messages_per_second"`
	Megabits  float64 `json:"megabits_per_second"`
}

// reportThroughput prints libzmq's four lines, or JSON. elapsed is the time of
// all messages but the first.
func reportThroughput(out io.Writer, j *job, elapsed time.Duration) error {
	seconds := max(elapsed, 1).Seconds()
	perSecond := float64(j.count-1) / seconds
	megabits := perSecond * float64(j.size) * 8 / 1e6
	if j.json {
		return json.NewEncoder(out).Encode(throughput{j.tool, j.lib, j.size, j.count, seconds, perSecond, megabits})
	}
	_, err := fmt.Fprintf(out, "message size: %d [B]\nmessage count: %d\nmean throughput: %d [msg/s]\nmean throughput: %.3f [Mb/s]\n",
		j.size, j.count, int64(perSecond), megabits)
	return err
}

// latency is the result of a latency tool, as its JSON has it. What libzmq
// calls latency is half of a round trip; the percentiles are that, too.
type latency struct {
	Tool        string              `json:"tool"`
	Library     string              `json:"library"`
	Size        int                 `json:"message_size"` // bytes
	Count       int                 `json:"roundtrip_count"`
	Seconds     float64             `json:"seconds"` // of all round trips
	Average     float64             `json:"average_latency_us"`
	Percentiles []latencyPercentile `json:"latency_percentiles"`
}

type latencyPercentile struct {
	Percent float64  `json:"percent"`
	Micros  *float64 `json:"latency_us"` // null: too few round trips to tell
}

// reportedPercents are the percentiles that are printed; 100 is the maximum.
var reportedPercents = []float64{50, 90, 99, 99.9, 99.99, 100}

// reportLatency prints libzmq's three lines and the percentiles, or JSON.
func reportLatency(out io.Writer, j *job, trips *roundTrips) error {
	l := latency{
		Tool: j.tool, Library: j.lib, Size: j.size, Count: j.count,
		Seconds: trips.elapsed.Seconds(),
		Average: halfMicros(float64(trips.elapsed) / float64(j.count)),
	}
	for _, percent := range reportedPercents {
		value := trips.histogram.ValueAtPercentile(percent)
		if percent == 100 {
			value = trips.histogram.Max()
		}
		p := latencyPercentile{Percent: percent}
		if result.EnoughFor(trips.histogram.TotalCount(), percent) {
			half := halfMicros(float64(value))
			p.Micros = &half
		}
		l.Percentiles = append(l.Percentiles, p)
	}
	if j.json {
		return json.NewEncoder(out).Encode(l)
	}
	text := fmt.Appendf(nil, "message size: %d [B]\nroundtrip count: %d\naverage latency: %.3f [us]\npercentiles of it, half of a round trip each:\n",
		l.Size, l.Count, l.Average)
	for _, p := range l.Percentiles {
		name := fmt.Sprintf("p%g", p.Percent)
		if p.Percent == 100 {
			name = "max"
		}
		if p.Micros == nil {
			text = fmt.Appendf(text, "%s latency: n/a (too few)\n", name)
			continue
		}
		text = fmt.Appendf(text, "%s latency: %.3f [us]\n", name, *p.Micros)
	}
	_, err := out.Write(text)
	return err
}

// halfMicros is half of a round trip of that many nanoseconds, in microseconds.
func halfMicros(nanoseconds float64) float64 { return nanoseconds / 2 / 1e3 }
