package report

import (
	"cmp"
	"slices"

	"github.com/ringwire/ringwire/benchmarks/internal/result"
)

// grid is the table of ratios: a line per row and contender of ours, a column
// per other contender.
type grid struct {
	Columns []string
	Lines   []gridLine

	Better, Worse, NoDifference, TooFew int // cells of ringwire itself, not of its variants
}

type gridLine struct {
	Row    *result.Row
	Ours   string
	Median string
	Cells  []cell
}

// cell is one ratio. Empty is where there is nothing to compare: the row does
// not have that contender.
type cell struct {
	result.Pair
	Empty  bool
	Reason string // why there is no ratio
}

func gridOf(run *result.Run) grid {
	var g grid
	for _, row := range run.Rows {
		for _, c := range row.Contenders {
			if c.Label != result.Ours && !slices.Contains(g.Columns, c.Label) {
				g.Columns = append(g.Columns, c.Label)
			}
		}
	}
	// Libraries, then limits, then our own variants, each in the order in
	// which they come in the run.
	slices.SortStableFunc(g.Columns, func(a, b string) int { return cmp.Compare(kind(a), kind(b)) })

	for i := range run.Rows {
		row := &run.Rows[i]
		for j := range row.Contenders {
			if ours := &row.Contenders[j]; result.IsOurs(ours.Label) {
				g.add(row, ours)
			}
		}
	}
	return g
}

func kind(label string) int {
	switch {
	case result.IsOurs(label):
		return 2
	case result.IsLimit(label):
		return 1
	}
	return 0
}

func (g *grid) add(row *result.Row, ours *result.Contender) {
	line := gridLine{Row: row, Ours: ours.Label, Median: absent}
	if e, ok := ours.Estimate(result.Value); ok {
		line.Median = amount(e.Median, row.Unit())
	}
	for _, label := range g.Columns {
		c := cell{Empty: true}
		other := row.Contender(label)
		if other != nil && (!result.IsOurs(label) || ours.Label == result.Ours) {
			c = cell{Pair: row.Pair(ours, other), Reason: reason(ours, other)}
		}
		if ours.Label == result.Ours {
			g.count(c.Outcome)
		}
		line.Cells = append(line.Cells, c)
	}
	g.Lines = append(g.Lines, line)
}

func (g *grid) count(o result.Outcome) {
	switch o {
	case result.Better:
		g.Better++
	case result.Worse:
		g.Worse++
	case result.NoDifference:
		g.NoDifference++
	case result.TooFew:
		g.TooFew++
	}
}

// reason says why two contenders have no ratio.
func reason(ours, other *result.Contender) string {
	for _, c := range []*result.Contender{ours, other} {
		if len(c.Slices) == 0 {
			if c.Missing != "" {
				return c.Label + " is missing: " + c.Missing
			}
			return c.Label + " was not measured"
		}
	}
	return other.Label + " measured 0 in a slice"
}

// Judged is how many cells could be won or lost.
func (g grid) Judged() int { return g.Better + g.Worse + g.NoDifference }
