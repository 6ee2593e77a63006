package report

import (
	"fmt"

	"github.com/ringwire/ringwire/benchmarks/internal/result"
)

// detail is everything about one row, one line per contender that has slices.
type detail struct {
	header  []string
	lines   [][]string
	remarks []string // contenders that are missing, and notes
}

// percentiles are the points of a distribution that are shown.
var percentiles = []float64{50, 99, 99.9, 99.99}

// detailOf collects what is known of a row. A column that no contender has a
// figure for is there all the same for what every row is measured for, so that
// its absence is seen.
func detailOf(row *result.Row) detail {
	var d detail
	hasLatency := false
	for _, c := range row.Contenders {
		hasLatency = hasLatency || c.Latency != nil
	}
	hasBandwidth := bandwidth(row, 1) != ""

	d.header = []string{"contender", "median"}
	if hasBandwidth {
		d.header = append(d.header, "payload")
	}
	d.header = append(d.header, "ratio ["+intervalName(row)+"]")
	if hasLatency {
		for _, p := range percentiles {
			d.header = append(d.header, percentileName(p))
		}
	}
	d.header = append(d.header, "CPU/msg", "allocs", "syscalls")

	ours := row.Contender(result.Ours)
	for i := range row.Contenders {
		c := &row.Contenders[i]
		if c.Note != "" {
			d.remarks = append(d.remarks, "note on "+c.Label+": "+c.Note)
		}
		value, ok := c.Estimate(result.Value)
		if !ok {
			reason := c.Missing
			if reason == "" {
				reason = "no reason was recorded"
			}
			d.remarks = append(d.remarks, c.Label+" is missing: "+reason)
			continue
		}
		line := []string{c.Label, amount(value.Median, row.Unit())}
		if hasBandwidth {
			line = append(line, bandwidth(row, value.Median))
		}
		line = append(line, ratioCell(row, ours, c))
		if hasLatency {
			for _, p := range percentiles {
				line = append(line, percentile(c.Latency, p))
			}
		}
		d.lines = append(d.lines, append(line, cost(c, result.CPU), cost(c, result.Allocs), cost(c, result.Syscalls)))
	}
	return d
}

// marks stand behind a ratio in plain text.
var marks = map[result.Outcome]string{result.Better: " +", result.Worse: " -", result.NoDifference: " ~", result.Neutral: "  ", result.TooFew: " ?"}

// intervalName says what is behind the ratios of a row.
func intervalName(row *result.Row) string {
	n := 0
	for _, p := range row.Pairs() {
		if p.OK {
			n = max(n, p.Ratio.N)
		}
	}
	if e := (result.Estimate{N: n}); n > 0 && e.IsRange() {
		return fmt.Sprintf("range of %d", n)
	}
	return "95 % interval"
}

func ratioCell(row *result.Row, ours, c *result.Contender) string {
	if ours == nil {
		return absent
	}
	if ours == c {
		return ""
	}
	p := row.Pair(ours, c)
	if !p.OK {
		return absent
	}
	return interval(p.Ratio) + marks[p.Outcome]
}

// bandwidth is the payload that goes through at that rate, where messages are
// large enough for it to matter and the row measures a rate.
func bandwidth(row *result.Row, rate float64) string {
	if row.Size < 1024 || !isRate(row) {
		return ""
	}
	return amount(rate*float64(row.Size), "B/s")
}

func isRate(row *result.Row) bool {
	scales, _ := scalesOf(row.Unit())
	return len(scales) > 0 && &scales[0] == &decimal[0] && !row.LowerBetter
}

func cost(c *result.Contender, q result.Quantity) string {
	e, ok := c.Estimate(q)
	switch {
	case !ok:
		return absent
	case q == result.CPU:
		return amount(e.Median, "s")
	}
	return result.Number(e.Median)
}

func percentileName(p float64) string { return "p" + tickAmount(p, "") }

// percentile returns the smallest recorded point at or above p, as HDR
// histograms do.
func percentile(l *result.Latency, p float64) string {
	if l == nil {
		return absent
	}
	if !l.Supports(p) {
		return tooFew
	}
	for _, point := range l.Percentiles {
		if point.Percent >= p {
			return amount(ofNanoseconds(point.Value), "s")
		}
	}
	return absent
}
