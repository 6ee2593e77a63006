package report

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/ringwire/ringwire/benchmarks/internal/result"
)

// family is rows that differ in the size of their messages only. The work is
// all but the last element of the name: Pattern alone does not tell one sender
// from eight.
type family struct {
	work, load, metric string
}

func familyOf(row *result.Row) family {
	work := row.Name
	if i := strings.LastIndexByte(work, '/'); i >= 0 {
		work = work[:i]
	}
	return family{strings.ReplaceAll(work, "/", " "), row.Load, row.Metric}
}

// sizePlots draws the values by message size wherever there are two sizes or
// more.
func sizePlots(run *result.Run) ([]Plot, error) {
	var order []family
	rows := make(map[family][]*result.Row)
	for i := range run.Rows {
		row := &run.Rows[i]
		f := familyOf(row)
		if rows[f] == nil {
			order = append(order, f)
		}
		rows[f] = append(rows[f], row)
	}
	var plots []Plot
	for _, f := range order {
		members := rows[f]
		slices.SortStableFunc(members, func(a, b *result.Row) int { return cmp.Compare(a.Size, b.Size) })
		members = slices.CompactFunc(members, func(a, b *result.Row) bool { return a.Size == b.Size })
		if len(members) < 2 || members[0].Size <= 0 {
			continue
		}
		p, ok, err := sizePlot(f, members)
		if err != nil {
			return nil, err
		}
		if ok {
			plots = append(plots, p)
		}
	}
	return plots, nil
}

// sizePoint is a contender's figure at a size.
type sizePoint struct {
	size int
	e    result.Estimate
}

func sizePlot(f family, rows []*result.Row) (_ Plot, ok bool, _ error) {
	p := newPlot()
	unit := rows[0].Unit()
	p.X.Label.Text = "bytes of a message, logarithmic"
	p.Y.Label.Text = f.metric + ", logarithmic"
	var labels []string
	points := make(map[string][]sizePoint)
	var seen span
	for _, row := range rows {
		for i := range row.Contenders {
			c := &row.Contenders[i]
			e, ok := c.Estimate(result.Value)
			if !ok || e.Low <= 0 {
				continue
			}
			if points[c.Label] == nil {
				labels = append(labels, c.Label)
			}
			points[c.Label] = append(points[c.Label], sizePoint{row.Size, e})
		}
	}
	// One point is no line: such a contender is in the rows' own plots.
	labels = slices.DeleteFunc(labels, func(label string) bool { return len(points[label]) < 2 })
	if len(labels) == 0 {
		return Plot{}, false, nil
	}
	p.Add(ruled{x: true, y: true})
	var said []string
	for _, label := range labels {
		style := lineOf(label)
		p.Legend.Add(label, swatch{style})
		p.Add(drawing(func(c draw.Canvas, p *plot.Plot) { drawSizes(c, p, points[label], style) }))
		var figures []string
		for _, point := range points[label] {
			seen.add(point.e.Low)
			seen.add(point.e.High)
			figures = append(figures, amount(point.e.Median, unit)+" at "+size(point.size))
		}
		said = append(said, label+": "+strings.Join(figures, ", "))
	}
	low, high := seen.low*0.8, seen.high*1.25
	p.Y.Min, p.Y.Max = math.Log10(low), math.Log10(high)
	p.Y.Tick.Marker = logTicks(low, high, func(v float64) string { return tickAmount(v, unit) })
	first, end := float64(rows[0].Size), float64(rows[len(rows)-1].Size)
	p.X.Min, p.X.Max = math.Log2(first)-0.3, math.Log2(end)+0.3
	var ticks plot.ConstantTicks
	for _, row := range rows {
		ticks = append(ticks, plot.Tick{Value: math.Log2(float64(row.Size)), Label: size(row.Size)})
	}
	p.X.Tick.Marker = ticks
	// Rates fall with the size, and times rise with it.
	p.Legend.Top, p.Legend.Left = true, rows[0].LowerBetter
	p.Legend.YOffs = -4

	name := f.work
	if f.load != "" {
		name += " at " + f.load
	}
	title := name + ": " + f.metric + " by message size"
	drawn, err := render(p, "sizes-"+slug(name+" "+f.metric), title, title+". "+strings.Join(said, "; ")+".", 560, 320)
	return drawn, true, err
}

func drawSizes(c draw.Canvas, p *plot.Plot, points []sizePoint, style draw.LineStyle) {
	trX, trY := p.Transforms(&c)
	var line []vg.Point
	whisker := draw.LineStyle{Color: style.Color, Width: 1}
	for _, point := range points {
		x := trX(math.Log2(float64(point.size)))
		c.StrokeLine2(whisker, x, trY(math.Log10(point.e.Low)), x, trY(math.Log10(point.e.High)))
		line = append(line, vg.Point{X: x, Y: trY(math.Log10(point.e.Median))})
	}
	c.StrokeLines(style, line)
	for _, at := range line {
		c.DrawGlyph(draw.GlyphStyle{Color: style.Color, Radius: 3, Shape: draw.CircleGlyph{}}, at)
	}
}
