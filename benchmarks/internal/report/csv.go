package report

import (
	"encoding/csv"
	"io"
	"strconv"

	"github.com/ringwire/ringwire/benchmarks/internal/result"
)

// csvHeader names the fields. A line is one slice; what cannot be counted is
// empty. Units are in the names; value is in the unit at the end of metric.
// A contender without slices has one line, whose slice is empty and whose
// missing says why.
var csvHeader = []string{
	"row", "transport", "pattern", "size_bytes", "load", "metric", "lower_better", "contender",
	"slice", // counted from 1; slices of the same number in one row ran in turn
	"value", "messages", "seconds", "cpu_seconds_per_message", "allocs_per_message", "syscalls_per_message",
	"p50_seconds", "p99_seconds", "missing", "note",
}

// CSV writes one line per slice, below a header.
func CSV(w io.Writer, run *result.Run) error {
	out := csv.NewWriter(w)
	if err := out.Write(csvHeader); err != nil {
		return err
	}
	for _, row := range run.Rows {
		for _, c := range row.Contenders {
			before := []string{row.Name, row.Transport, row.Pattern, strconv.Itoa(row.Size), row.Load, row.Metric, strconv.FormatBool(row.LowerBetter), c.Label}
			after := []string{c.Missing, c.Note}
			if len(c.Slices) == 0 {
				if err := out.Write(join(before, make([]string, 9), after)); err != nil {
					return err
				}
			}
			for i, s := range c.Slices {
				figures := []string{
					strconv.Itoa(i + 1), exact(&s.Value), strconv.FormatInt(s.Messages, 10), exact(&s.Seconds),
					exact(s.CPU), exact(s.Allocs), exact(s.Syscalls), exact(s.P50), exact(s.P99),
				}
				if err := out.Write(join(before, figures, after)); err != nil {
					return err
				}
			}
		}
	}
	out.Flush()
	return out.Error()
}

func join(parts ...[]string) []string {
	var all []string
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// exact writes every digit that there is.
func exact(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'g', -1, 64)
}
