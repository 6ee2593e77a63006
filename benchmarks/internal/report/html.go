package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/ringwire/ringwire/benchmarks/internal/result"
)

//go:embed page.html.tmpl
var pageText string

//go:embed page.css
var pageStyle string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"number":  result.Number,
	"outcome": func(o result.Outcome) string { return outcomeClasses[o] },
}).Parse(pageText))

// outcomeClasses are the classes of cells.
var outcomeClasses = map[result.Outcome]string{
	result.Better: "better", result.Worse: "worse", result.NoDifference: "open", result.Neutral: "neutral", result.TooFew: "neutral",
}

// view is what the page's template shows.
type view struct {
	Style     template.CSS
	Title     string
	Headline  string
	Facts     []fact
	Labels    []fact
	Run       *result.Run
	Grid      grid
	Forests   []figure
	Sizes     []figure
	Latencies []figure
	Rows      []rowView
}

// rowView is one row's details.
type rowView struct {
	Row      *result.Row
	ID       string
	Headline string
	Header   []string
	Lines    [][]string
	Remarks  []string
	Slices   *figure
}

// figure is a plot as an element of the page.
type figure struct {
	ID, Title string
	SVG       template.HTML
}

// HTML writes the run as one page. It loads nothing, so it can be opened
// without a network and be sent around as one file.
func HTML(w io.Writer, run *result.Run) error {
	plots, err := Plots(run)
	if err != nil {
		return err
	}
	v := view{
		Style:    template.CSS(themeStyle() + strings.ReplaceAll(pageStyle, "FONTS", fonts)),
		Title:    "Ringwire benchmark suite, " + run.Started.UTC().Format("2006-01-02 15:04 UTC"),
		Headline: headline(run),
		Facts:    facts(run),
		Labels:   labelsOf(run),
		Run:      run,
		Grid:     gridOf(run),
	}
	drawn := make(map[string]figure)
	for _, p := range plots {
		// The text in it was escaped when it was drawn.
		f := figure{ID: p.Name, Title: p.Title, SVG: template.HTML(p.inline)}
		drawn[p.Name] = f
		switch name, _, _ := strings.Cut(p.Name, "-"); name {
		case "ratios":
			v.Forests = append(v.Forests, f)
		case "sizes":
			v.Sizes = append(v.Sizes, f)
		case "percentiles":
			v.Latencies = append(v.Latencies, f)
		}
	}
	for i := range run.Rows {
		row := &run.Rows[i]
		d := detailOf(row)
		r := rowView{Row: row, ID: "row-" + slug(row.Name), Headline: rowHeadline(row), Header: d.header, Lines: d.lines, Remarks: d.remarks}
		if f, ok := drawn["slices-"+slug(row.Name)]; ok {
			r.Slices = &f
		}
		v.Rows = append(v.Rows, r)
	}
	// A page that cannot be completed is not begun.
	var b strings.Builder
	if err := page.Execute(&b, v); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	_, err = io.WriteString(w, b.String())
	return err
}

// ID is where the row's details are on the page.
func (l gridLine) ID() string { return "row-" + slug(l.Row.Name) }
