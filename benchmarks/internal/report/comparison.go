package report

import (
	"io"
	"strings"

	"github.com/ringwire/ringwire/benchmarks/internal/result"
)

const comparisonLegend = "first, second: medians of the slices. Between two runs the machine may have changed, so these alone show little. " +
	"to libzmq, or to limit: the ratio to that contender, which ran in turn, in both runs. change: second divided by first, of that ratio where there is one. " +
	"p: how likely chance alone makes such a difference between the slices (Mann and Whitney's test, two-sided); a verdict needs p < 0.05, " +
	"which three slices cannot reach. With many lines, one in twenty reaches it by chance. absolute: second divided by first of the medians."

// Comparison writes two runs side by side as plain text.
func Comparison(w io.Writer, c result.Comparison) error {
	var b strings.Builder
	const layout = "2006-01-02 15:04:05 UTC"
	b.WriteString("first: run of " + c.StartedA.UTC().Format(layout) + ", second: run of " + c.StartedB.UTC().Format(layout) + "\n")
	for _, warning := range c.Warnings {
		hang(&b, "WARNING: ", warning)
	}
	b.WriteString("\n")
	hang(&b, "", comparisonLegend)
	for i := 0; i < len(c.Rows); {
		j := i
		for j < len(c.Rows) && c.Rows[j].Row == c.Rows[i].Row {
			j++
		}
		compareRow(&b, c.Rows[i:j])
		i = j
	}
	if len(c.Rows) == 0 {
		b.WriteString("\nno contender was measured in both\n")
	}
	for _, only := range []struct {
		title string
		names []string
	}{{"only in the first run: ", c.OnlyA}, {"only in the second run: ", c.OnlyB}} {
		if len(only.names) > 0 {
			b.WriteString("\n")
			hang(&b, only.title, strings.Join(only.names, ", "))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func compareRow(b *strings.Builder, contenders []result.Compared) {
	first := contenders[0]
	better := "higher is better"
	if first.LowerBetter {
		better = "lower is better"
	}
	b.WriteString("\n")
	hang(b, "", first.Row+": "+first.Metric+", "+better)
	unit := (&result.Row{Metric: first.Metric}).Unit()
	lines := [][]string{{"contender", "first", "second", "absolute", "to", "first", "second", "change", "p", "verdict"}}
	for _, c := range contenders {
		line := []string{c.Label, amount(c.Absolute.A.Median, unit), amount(c.Absolute.B.Median, unit), times(c.Absolute.Ratio)}
		judged := c.Absolute
		if c.Relative != nil {
			judged = *c.Relative
			line = append(line, c.Control, result.Number(judged.A.Median), result.Number(judged.B.Median))
		} else {
			line = append(line, "-", "", "")
		}
		verdict := string(judged.Verdict)
		if c.Relative == nil && judged.Verdict != result.NotDifferent {
			verdict += " (absolute)"
		}
		lines = append(lines, append(line, times(judged.Ratio), probability(judged.P), verdict))
	}
	align(b, lines)
}

func times(ratio float64) string {
	if ratio == 0 {
		return absent
	}
	return "x" + result.Number(ratio)
}

func probability(p float64) string {
	if p < 0.001 {
		return "<0.001"
	}
	return result.Number(p)
}
