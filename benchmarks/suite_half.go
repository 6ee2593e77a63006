package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringwire/ringwire/benchmarks/internal/result"
)

// calibrationPairs and calibrationSlice are for when the row that says what
// half the load is was not run.
const (
	calibrationPairs = 3
	calibrationSlice = 200 * time.Millisecond
)

// halfRate is half of what the slower ones can in tcp/push-pull/64, and says
// whose half it is: libzmq's, or in a build without it that of the slower of
// ringwire and go-zeromq.
func (s *suite) halfRate(ctx context.Context) (rate float64, note string, err error) {
	names := []string{"libzmq"}
	if findEngine(names[0]) == nil {
		names = slices.DeleteFunc([]string{"ringwire", "go-zeromq"}, func(name string) bool { return findEngine(name) == nil })
	}
	r := throughputRow("tcp", 64, contend(names...))
	find := func(rows []result.Row) (label string, slowest float64) {
		run := &result.Run{Rows: rows}
		row := run.Row(r.name)
		if row == nil {
			return "", 0
		}
		for _, name := range names {
			c := row.Contender(name)
			if c == nil {
				return "", 0
			}
			e, ok := c.Estimate(result.Value)
			if !ok {
				return "", 0
			}
			if label == "" || e.Median < slowest {
				label, slowest = name, e.Median
			}
		}
		return label, slowest
	}
	label, median := find(s.done)
	if label == "" {
		short := *s
		short.pairs, short.exactPairs = min(s.pairs, calibrationPairs), true
		short.slice, short.exactSlice = min(s.slice, calibrationSlice), true
		short.progress = silent
		found := short.measureRow(ctx, r)
		s.endpoints = short.endpoints
		if label, median = find([]result.Row{found}); label == "" {
			var why []string
			for _, c := range found.Contenders {
				why = append(why, c.Label+": "+c.Missing)
			}
			return 0, "", fmt.Errorf("no rate to take half of: %s", strings.Join(why, "; "))
		}
	}
	return median / 2, fmt.Sprintf("%.0f msg/s, half of what %s reached in %s", median/2, label, r.name), nil
}
