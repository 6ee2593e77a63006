package report

import (
	"bytes"
	"fmt"
	"html"
	"regexp"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/ringwire/ringwire/benchmarks/internal/result"
)

// Plot is a picture of a run.
type Plot struct {
	Name        string // of a file, without .svg
	Title       string
	Description string // for who cannot see it
	SVG         []byte // a file of its own

	inline string // the same as an element of a page, which has the style
}

// Plots draws everything that the HTML page shows.
func Plots(run *result.Run) ([]Plot, error) {
	// A figure that is not finite has no place on an axis.
	if err := run.Validate(); err != nil {
		return nil, fmt.Errorf("draw a run: %w", err)
	}
	var plots []Plot
	for _, group := range []func(*result.Run) ([]Plot, error){forests, sizePlots, percentilePlots, slicePlots} {
		more, err := group(run)
		if err != nil {
			return nil, err
		}
		plots = append(plots, more...)
	}
	return plots, nil
}

// newPlot returns a plot in the style of the page.
func newPlot() *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil // the page shows through
	p.Title.TextStyle.Color = ink
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Color = muted
		axis.Tick.Color = muted
		axis.Tick.Label.Color = ink
		axis.Label.TextStyle.Color = ink
		axis.Tick.Label.Font.Variant, axis.Tick.Label.Font.Size = "Sans", 11
		axis.Label.TextStyle.Font.Variant, axis.Label.TextStyle.Font.Size = "Sans", 12
		axis.Label.Padding = 4
		axis.Tick.Length = 4
	}
	p.Title.TextStyle.Font.Variant, p.Title.TextStyle.Font.Size = "Sans", 11
	p.Title.Padding = 6
	p.Legend.TextStyle.Font.Variant, p.Legend.TextStyle.Font.Size = "Sans", 11
	p.Legend.TextStyle.Color = ink
	p.Legend.Padding = 2
	return p
}

// render draws p, w points wide and h high.
func render(p *plot.Plot, name, title, description string, w, h vg.Length) (Plot, error) {
	canvas := vgsvg.New(w, h)
	p.Draw(draw.Crop(draw.New(canvas), 4, -8, 4, -4))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return Plot{}, fmt.Errorf("draw %s: %w", name, err)
	}
	_, drawing, ok := strings.Cut(b.String(), "<svg ")
	if ok {
		_, drawing, ok = strings.Cut(drawing, ">")
	}
	if !ok {
		return Plot{}, fmt.Errorf("draw %s: no svg element in it", name)
	}
	drawing = themed(drawing)
	head := fmt.Sprintf(`viewBox="0 0 %g %g" role="img" aria-labelledby="%s-t %s-d"><title id="%s-t">%s</title><desc id="%s-d">%s</desc>`,
		w.Points(), h.Points(), name, name, name, html.EscapeString(title), name, html.EscapeString(description))
	file := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%g" height="%g" %s<style>%s svg{font-family:%s}</style><rect width="100%%" height="100%%" style="fill:var(--page)"/>%s`,
		w.Points(), h.Points(), head, themeStyle(), fonts, drawing)
	// On a small screen it scrolls rather than becoming too small to read.
	inline := fmt.Sprintf(`<svg style="min-width:%.0fpx" %s%s`, 0.88*w.Points(), head, drawing)
	return Plot{Name: name, Title: title, Description: description, SVG: []byte(file), inline: inline}, nil
}

// fonts have the widths that the layout was made with, or nearly.
const fonts = "'Liberation Sans',Arial,Helvetica,sans-serif"

var (
	fontStyle = regexp.MustCompile(`font-family:[^;"]*;font-variant:[^;"]*;font-weight:normal;font-style:normal;`)
	hexColor  = regexp.MustCompile(`#[0-9A-F]{6}\b`)
)

// themed turns the colours and the font of a drawing over to style sheets.
func themed(drawing string) string {
	drawing = fontStyle.ReplaceAllString(drawing, "")
	return hexColor.ReplaceAllStringFunc(drawing, func(hex string) string {
		for _, t := range theme {
			if t.light == strings.ToLower(hex) {
				return "var(--" + t.name + ")"
			}
		}
		return hex
	})
}

// slug makes of a name what can be a file's name and an element's id.
func slug(name string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '-'
	}, name), "-")
}

// grid lines at the labelled ticks.
type ruled struct{ x, y bool }

func (r ruled) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	style := draw.LineStyle{Color: rule, Width: 0.6}
	if r.x {
		for _, t := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
			if x := trX(t.Value); !t.IsMinor() && c.ContainsX(x) {
				c.StrokeLine2(style, x, c.Min.Y, x, c.Max.Y)
			}
		}
	}
	if r.y {
		for _, t := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
			if y := trY(t.Value); !t.IsMinor() && c.ContainsY(y) {
				c.StrokeLine2(style, c.Min.X, y, c.Max.X, y)
			}
		}
	}
}

// drawing is a plotter made of a function.
type drawing func(c draw.Canvas, p *plot.Plot)

func (d drawing) Plot(c draw.Canvas, p *plot.Plot) { d(c, p) }

// swatch is a line in a legend.
type swatch struct{ style draw.LineStyle }

func (s swatch) Thumbnail(c *draw.Canvas) {
	y := c.Center().Y
	c.StrokeLine2(s.style, c.Min.X, y, c.Max.X, y)
}

// line is the style of a contender's line. Those that are no library are
// dashed, and of ours the first is the widest.
func lineOf(label string) draw.LineStyle {
	style := draw.LineStyle{Color: colorOf(label), Width: 1.6}
	switch {
	case label == result.Ours:
		style.Width = 2.4
	case result.IsOurs(label):
		style.Dashes = []vg.Length{6, 3}
	case kind(label) != 0 || label == "net" || label == "chan":
		style.Dashes = []vg.Length{2, 2}
	}
	return style
}
