package report

import (
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/ringwire/ringwire/benchmarks/internal/result"
)

// percentilePlots draws the distributions of every row that has them.
func percentilePlots(run *result.Run) ([]Plot, error) {
	var plots []Plot
	for i := range run.Rows {
		row := &run.Rows[i]
		var measured []*result.Contender
		for j := range row.Contenders {
			if c := &row.Contenders[j]; c.Latency != nil && len(distribution(c.Latency)) > 0 {
				measured = append(measured, c)
			}
		}
		if len(measured) == 0 {
			continue
		}
		p, err := percentilePlot(row, measured)
		if err != nil {
			return nil, err
		}
		plots = append(plots, p)
	}
	return plots, nil
}

// rareness is where a percentile is on an axis that gives each further nine
// the same room: the logarithm of 1/(1-p).
func rareness(percent float64) float64 { return -math.Log10(1 - percent/100) }

// last is the rarest percentile that is shown. What is beyond, to the
// greatest, is one or few messages, whose place on the axis would depend on
// how many were sent.
const last = 99.99

type point struct{ x, y float64 }

// distribution is what can be shown of l.
func distribution(l *result.Latency) []point {
	var points []point
	for _, p := range l.Percentiles {
		if p.Percent <= last && p.Value > 0 && l.Supports(p.Percent) {
			points = append(points, point{rareness(p.Percent), math.Log10(ofNanoseconds(p.Value))})
		}
	}
	return points
}

func percentilePlot(row *result.Row, measured []*result.Contender) (Plot, error) {
	p := newPlot()
	p.X.Label.Text = "percentile of all messages or round trips"
	p.Y.Label.Text = "latency, logarithmic"
	p.X.Min, p.X.Max = 0, rareness(last)
	p.X.Tick.Marker = percentileTicks()
	var seen span
	var said []string
	p.Add(ruled{x: true, y: true})
	for _, c := range measured {
		points := distribution(c.Latency)
		for _, point := range points {
			seen.add(math.Pow(10, point.y))
		}
		style := lineOf(c.Label)
		p.Legend.Add(c.Label, swatch{style})
		p.Add(drawing(func(canvas draw.Canvas, p *plot.Plot) {
			trX, trY := p.Transforms(&canvas)
			line := make([]vg.Point, len(points))
			for i, point := range points {
				line[i] = vg.Point{X: trX(point.x), Y: trY(point.y)}
			}
			canvas.StrokeLines(style, canvas.ClipLinesXY(line)...)
		}))
		var figures []string
		for _, percent := range percentiles {
			figures = append(figures, percentileName(percent)+" "+percentile(c.Latency, percent))
		}
		said = append(said, c.Label+": "+strings.Join(figures, ", ")+", greatest "+amount(ofNanoseconds(c.Latency.Max), "s"))
	}
	low, high := seen.low*0.8, seen.high*1.25
	p.Y.Min, p.Y.Max = math.Log10(low), math.Log10(high)
	p.Y.Tick.Marker = logTicks(low, high, func(v float64) string { return tickAmount(v, "s") })
	p.Legend.Top, p.Legend.Left = true, true
	p.Legend.XOffs, p.Legend.YOffs = 8, -4
	title := row.Name + ": latency by percentile"
	return render(p, "percentiles-"+slug(row.Name), title, title+". "+strings.Join(said, "; ")+".", 560, 320)
}

func percentileTicks() plot.ConstantTicks {
	var ticks plot.ConstantTicks
	for _, percent := range []float64{0, 50, 90, 99, 99.9, 99.99} {
		ticks = append(ticks, plot.Tick{Value: rareness(percent), Label: tickAmount(percent, "") + " %"})
	}
	return ticks
}
