package report

import (
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/ringwire/ringwire/benchmarks/internal/result"
)

// slicePlots draws every slice of every row, so that the noise is seen.
func slicePlots(run *result.Run) ([]Plot, error) {
	var plots []Plot
	for i := range run.Rows {
		row := &run.Rows[i]
		var measured []*result.Contender
		for j := range row.Contenders {
			if c := &row.Contenders[j]; len(c.Slices) > 0 {
				measured = append(measured, c)
			}
		}
		if len(measured) == 0 {
			continue
		}
		p, err := slicePlot(row, measured)
		if err != nil {
			return nil, err
		}
		plots = append(plots, p)
	}
	return plots, nil
}

func slicePlot(row *result.Row, measured []*result.Contender) (Plot, error) {
	p := newPlot()
	unit := row.Unit()
	var seen span
	var names plot.ConstantTicks
	var said []string
	for i, c := range measured {
		names = append(names, plot.Tick{Value: float64(-i), Label: c.Label})
		var own span
		for _, s := range c.Slices {
			seen.add(s.Value)
			own.add(s.Value)
		}
		said = append(said, c.Label+" from "+amount(own.low, unit)+" to "+amount(own.high, unit))
	}
	label := func(v float64) string { return tickAmount(v, unit) }
	at := func(v float64) float64 { return v }
	if seen.wide() {
		at = math.Log10
		low, high := seen.low*0.8, seen.high*1.25
		p.X.Min, p.X.Max = at(low), at(high)
		p.X.Tick.Marker = logTicks(low, high, label)
		p.X.Label.Text = row.Metric + ", logarithmic"
	} else {
		high := seen.high * 1.05
		if high == 0 {
			high = 1
		}
		p.X.Min, p.X.Max = 0, high
		p.X.Tick.Marker = linearTicks(high, label)
		p.X.Label.Text = row.Metric
	}
	p.Y.Min, p.Y.Max = -float64(len(measured))+0.4, 0.6
	p.Y.Tick.Marker = names
	p.Y.Tick.Length = 0
	p.Y.LineStyle.Width = 0
	p.Add(ruled{x: true}, drawing(func(c draw.Canvas, p *plot.Plot) {
		trX, trY := p.Transforms(&c)
		for i, contender := range measured {
			color := colorOf(contender.Label)
			if e, ok := contender.Estimate(result.Value); ok {
				x := trX(at(e.Median))
				c.StrokeLine2(draw.LineStyle{Color: color, Width: 1.4}, x, trY(float64(-i)-0.42), x, trY(float64(-i)+0.42))
			}
			for j, s := range contender.Slices {
				// The first slice at the top of the lane, the last at its foot.
				y := float64(-i) + 0.32 - 0.64*float64(j)/float64(max(1, len(contender.Slices)-1))
				c.DrawGlyph(draw.GlyphStyle{Color: color, Radius: 2, Shape: draw.CircleGlyph{}}, vg.Point{X: trX(at(s.Value)), Y: trY(y)})
			}
		}
	}))
	title := row.Name + ": every slice"
	return render(p, "slices-"+slug(row.Name), title, title+", a dot each, the first at the top of its lane, a bar at the median. "+strings.Join(said, "; ")+".",
		760, vg.Length(56+34*len(measured)))
}
