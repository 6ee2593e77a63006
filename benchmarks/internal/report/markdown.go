package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/ringwire/ringwire/benchmarks/internal/result"
)

// Markdown writes the table of ratios for a document on GitHub.
func Markdown(w io.Writer, run *result.Run) error {
	var b strings.Builder
	g := gridOf(run)
	b.WriteString("| work | measured | of | median |")
	for _, label := range g.Columns {
		b.WriteString(" / " + escapeMarkdown(label) + " |")
	}
	b.WriteString("\n|---|---|---|---:|" + strings.Repeat("---:|", len(g.Columns)) + "\n")
	for _, line := range g.Lines {
		arrow := "↑"
		if line.Row.LowerBetter {
			arrow = "↓"
		}
		fmt.Fprintf(&b, "| %s | %s %s | %s | %s |", escapeMarkdown(line.Row.Name), escapeMarkdown(line.Row.Metric), arrow, escapeMarkdown(line.Ours), escapeMarkdown(line.Median))
		for _, cell := range line.Cells {
			b.WriteString(" " + markdownCell(cell) + " |")
		}
		b.WriteString("\n")
	}
	b.WriteString("\n↑ higher is better, ↓ lower is better. A ratio is the first divided by the one above the column, with its 95 % interval, or of fewer than six pairs of slices with their range; " +
		"**bold**: better, ▼: worse, plain: no difference shown, too few slices for a verdict (a range), a limit or a variant of our own; n/a: not measured.\n")
	markdownRequirements(&b, run)
	_, err := io.WriteString(w, b.String())
	return err
}

func markdownRequirements(b *strings.Builder, run *result.Run) {
	if len(run.Requirements) == 0 {
		return
	}
	b.WriteString("\nRequirements:\n\n")
	for _, q := range run.Requirements {
		b.WriteString("- " + escapeMarkdown(q.Text) + "\n")
	}
}

func markdownCell(c cell) string {
	switch {
	case c.Empty:
		return ""
	case !c.OK:
		return absent
	}
	low, high := result.Number(c.Ratio.Low), result.Number(c.Ratio.High)
	median := result.Number(c.Ratio.Median)
	switch c.Outcome {
	case result.Better:
		median = "**" + median + "**"
	case result.Worse:
		median = "▼ " + median
	}
	of := ""
	if c.Ratio.IsRange() {
		of = fmt.Sprintf(", range of %d", c.Ratio.N)
	}
	return fmt.Sprintf("%s (%s to %s%s)", median, low, high, of)
}

// escapeMarkdown keeps text in its cell, and what could be markup text.
func escapeMarkdown(s string) string {
	return strings.NewReplacer("|", `\|`, "*", `\*`, "_", `\_`, "<", "&lt;", "`", "\\`", "[", `\[`, "\n", " ").Replace(s)
}
