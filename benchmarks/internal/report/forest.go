package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/ringwire/ringwire/benchmarks/internal/result"
)

// forests draws all ratios with their intervals: those of which more is
// better, and those of which less is.
func forests(run *result.Run) ([]Plot, error) {
	var plots []Plot
	for _, half := range []struct {
		lower       bool
		name, title string
		axis        string
	}{
		{false, "ratios-higher", "Ratios where higher is better", "ratio, logarithmic: to the right of 1 ringwire is better"},
		{true, "ratios-lower", "Ratios where lower is better", "ratio, logarithmic: to the left of 1 ringwire is better"},
	} {
		var pairs []result.Pair
		for i := range run.Rows {
			if run.Rows[i].LowerBetter != half.lower {
				continue
			}
			of := run.Rows[i].Pairs()
			// Libraries first, then limits and variants, as in the table.
			slices.SortStableFunc(of, func(a, b result.Pair) int {
				return cmp.Or(cmp.Compare(variant(a.Ours.Label), variant(b.Ours.Label)), cmp.Compare(kind(a.Other.Label), kind(b.Other.Label)))
			})
			for _, p := range of {
				// A logarithm needs more than 0; the table has the rest.
				if p.OK && p.Ratio.Low > 0 && !math.IsInf(p.Ratio.High, 1) {
					pairs = append(pairs, p)
				}
			}
		}
		if len(pairs) == 0 {
			continue
		}
		p, err := forest(pairs, half.name, half.title, half.axis)
		if err != nil {
			return nil, err
		}
		plots = append(plots, p)
	}
	return plots, nil
}

func forest(pairs []result.Pair, name, title, axis string) (Plot, error) {
	p := newPlot()
	p.X.Label.Text = axis
	var seen span
	seen.add(1)
	var names plot.ConstantTicks
	var said []string
	for i, pair := range pairs {
		seen.add(pair.Ratio.Low)
		seen.add(pair.Ratio.High)
		text := versus(pair)
		said = append(said, pair.Row.Name+", "+text+": "+interval(pair.Ratio)+rangeOf(pair.Ratio)+strings.TrimRight(" "+pair.Outcome.String(), " "))
		if i == 0 || pairs[i-1].Row != pair.Row {
			text = pair.Row.Name + "\u00a0\u00a0\u00a0" + text // other spaces would run together
		}
		names = append(names, plot.Tick{Value: float64(-i), Label: text})
	}
	// Room to the right for a column of numbers.
	seen.low, seen.high = seen.low*0.85, seen.high*1.15
	axisEnd := seen.high * math.Pow(seen.high/seen.low, 0.32)
	p.X.Min, p.X.Max = math.Log10(seen.low), math.Log10(axisEnd)
	p.X.Tick.Marker = logTicks(seen.low, seen.high, func(v float64) string { return tickAmount(v, "") })
	p.Y.Min, p.Y.Max = -float64(len(pairs))+0.4, 0.6
	p.Y.Tick.Marker = names
	p.Y.Tick.Length = 0
	p.Y.LineStyle.Width = 0
	p.Add(ruled{x: true}, drawing(func(c draw.Canvas, p *plot.Plot) { drawForest(c, p, pairs) }))
	return render(p, name, title, title+": ringwire's value divided by that of each other contender, with 95 % intervals where there is no other word. "+strings.Join(said, "; ")+".",
		760, vg.Length(60+16*len(pairs)))
}

// rangeOf says of an interval that it is a range.
func rangeOf(e result.Estimate) string {
	if !e.IsRange() {
		return ""
	}
	return fmt.Sprintf(" (range of %d)", e.N)
}

// variant is 0 for ringwire itself and 1 for its variants.
func variant(label string) int {
	if label == result.Ours {
		return 0
	}
	return 1
}

// versus names a pair within its row.
func versus(p result.Pair) string {
	if p.Ours.Label == result.Ours {
		return p.Other.Label
	}
	return strings.TrimPrefix(p.Ours.Label, result.Ours+"-") + " / " + p.Other.Label
}

func drawForest(c draw.Canvas, p *plot.Plot, pairs []result.Pair) {
	trX, trY := p.Transforms(&c)
	at := func(v float64) vg.Length { return trX(math.Log10(v)) }
	one := at(1)
	c.StrokeLine2(draw.LineStyle{Color: ink, Width: 1}, one, c.Min.Y, one, c.Max.Y)
	for i, pair := range pairs {
		y := trY(float64(-i))
		if i > 0 && pairs[i-1].Row != pair.Row {
			border := trY(float64(-i) + 0.5)
			c.StrokeLine2(draw.LineStyle{Color: rule, Width: 0.6}, c.Min.X, border, c.Max.X, border)
		}
		glyph := glyphOf(pair.Outcome)
		c.StrokeLine2(draw.LineStyle{Color: glyph.Color, Width: 1.6}, at(pair.Ratio.Low), y, at(pair.Ratio.High), y)
		c.DrawGlyph(glyph, vg.Point{X: at(pair.Ratio.Median), Y: y})
		text := p.X.Tick.Label
		text.XAlign, text.YAlign = draw.XRight, -0.35
		text.Color = glyph.Color
		c.FillText(text, vg.Point{X: c.Max.X, Y: y}, interval(pair.Ratio))
	}
}

// glyphOf marks an outcome by shape as well as by colour.
func glyphOf(o result.Outcome) draw.GlyphStyle {
	switch o {
	case result.Better:
		return draw.GlyphStyle{Color: lightOf("better"), Radius: 3.6, Shape: draw.CircleGlyph{}}
	case result.Worse:
		return draw.GlyphStyle{Color: lightOf("worse"), Radius: 4.4, Shape: draw.PyramidGlyph{}}
	case result.NoDifference:
		return draw.GlyphStyle{Color: lightOf("open"), Radius: 3.6, Shape: draw.RingGlyph{}}
	}
	return draw.GlyphStyle{Color: muted, Radius: 3, Shape: draw.BoxGlyph{}}
}
