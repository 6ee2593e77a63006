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
	b.WriteString("\n↑ higher is better, ↓ lower is better. A ratio is the first divided by the one above the column, with its 95 % interval; " +
		"**bold**: better, ▼: worse, plain: no difference shown, a limit or a variant of our own; n/a: not measured.\n")
	_, err := io.WriteString(w, b.String())
	return err
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
	return fmt.Sprintf("%s (%s to %s)", median, low, high)
}

// escapeMarkdown keeps text in its cell, and what could be markup text.
func escapeMarkdown(s string) string {
	return strings.NewReplacer("|", `\|`, "*", `\*`, "_", `\_`, "<", "&lt;", "`", "\\`", "[", `\[`, "\n", " ").Replace(s)
}
