// Package report shows a run to people and to other programs: as a plain text
// table, as one HTML page, as Markdown, as CSV, and as SVG plots. It decides
// nothing: all arithmetic is in package result. Start at Table and HTML.
package report

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ringwire/ringwire/benchmarks/internal/result"
)

// columns of a terminal that every line fits in, unless a single word does
// not.
const columns = 120

const legend = "ratio: ringwire's value divided by that contender's, median of pairs of slices that ran in turn. " +
	"Behind it, for ringwire: + better, - worse, ~ no difference shown (1 is inside the interval), ? too few slices for a verdict, nothing: a limit or a variant of its own. " +
	"Of fewer than six pairs there is their range instead of an interval, and no verdict. n/a: cannot be counted. CPU, heap allocations and syscalls (reads and writes) are per message, both ends together. " +
	"p50 to p99.99 are of all latencies of all slices; the median is that of the slices. too few: n/a, fewer latencies than it takes for one beyond that percentile."

// Table writes the run as plain text.
func Table(w io.Writer, run *result.Run) error {
	var b strings.Builder
	b.WriteString(headline(run) + "\n\n")

	for _, f := range facts(run) {
		hang(&b, fmt.Sprintf("%-12s", f.Name), f.Text)
	}
	b.WriteString("\n")
	for _, l := range labelsOf(run) {
		hang(&b, fmt.Sprintf("%-19s", l.Name), l.Text)
	}
	b.WriteString("\n")
	hang(&b, "", legend)
	for i := range run.Rows {
		row := &run.Rows[i]
		b.WriteString("\n")
		hang(&b, "", rowHeadline(row))
		d := detailOf(row)
		if len(d.lines) > 0 {
			align(&b, append([][]string{d.header}, d.lines...))
		}
		for _, remark := range d.remarks {
			hang(&b, "  ", remark)
		}
	}
	if len(run.Rows) == 0 {
		b.WriteString("\nno rows\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func headline(run *result.Run) string {
	text := fmt.Sprintf("Ringwire benchmark suite, %s, took %s", run.Started.UTC().Format("2006-01-02 15:04:05 UTC"), took(run))
	if run.Interrupted {
		text += ", INTERRUPTED: rows are missing"
	}
	return text
}

func took(run *result.Run) time.Duration {
	return time.Duration(run.Seconds * float64(time.Second)).Round(time.Second)
}

// rowHeadline names a row and says what was measured.
func rowHeadline(row *result.Row) string {
	better := "higher is better"
	if row.LowerBetter {
		better = "lower is better"
	}
	slices := 0
	for _, c := range row.Contenders {
		slices = max(slices, len(c.Slices))
	}
	plural := "s"
	if slices == 1 {
		plural = ""
	}
	return fmt.Sprintf("%s: %s, %s, %d slice%s", row.Name, row.Metric, better, slices, plural)
}

// align writes cells in columns: the first to the left, the others to the
// right.
func align(b *strings.Builder, lines [][]string) {
	widths := make([]int, len(lines[0]))
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, line := range lines {
		var text strings.Builder
		for i, cell := range line {
			padding := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				text.WriteString("  " + cell + padding)
			} else {
				text.WriteString("  " + padding + cell)
			}
		}
		b.WriteString(strings.TrimRight(text.String(), " ") + "\n")
	}
}

// hang writes text behind a prefix, broken between words, further lines
// indented below the first.
func hang(b *strings.Builder, prefix, text string) {
	width := utf8.RuneCountInString(prefix)
	line, used := prefix, width
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		if i > 0 {
			if used+1+n > columns {
				b.WriteString(line + "\n")
				line, used = strings.Repeat(" ", max(width, 2)), max(width, 2)
			} else {
				line, used = line+" ", used+1
			}
		}
		line, used = line+word, used+n
	}
	b.WriteString(strings.TrimRight(line, " ") + "\n")
}
