package report

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ringwire/ringwire/benchmarks/internal/result"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// golden compares with a file. go test -update writes it anew.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(got, want) {
		return
	}
	gotLines, wantLines := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(gotLines), len(wantLines)) {
		var g, w string
		if i < len(gotLines) {
			g = gotLines[i]
		}
		if i < len(wantLines) {
			w = wantLines[i]
		}
		if g != w {
			t.Fatalf("%s line %d:\ngot  %q\nwant %q\n(go test -update rewrites the file)", path, i+1, g, w)
		}
	}
}

func written(t *testing.T, write func(io.Writer, *result.Run) error, run *result.Run) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b, run); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestTable(t *testing.T) {
	got := written(t, Table, synthetic())
	golden(t, "table.txt", got)
	for i, line := range strings.Split(string(got), "\n") {
		if n := utf8.RuneCountInString(line); n > columns {
			t.Errorf("line %d has %d columns, want at most %d: %q", i+1, n, columns, line)
		}
	}
}

// The longest figures that there can be still fit.
func TestTableIsNotTooWide(t *testing.T) {
	run := synthetic()
	for i := range run.Rows {
		for j := range run.Rows[i].Contenders {
			c := &run.Rows[i].Contenders[j]
			tiny := 0.000123
			for k := range c.Slices {
				c.Slices[k].Value *= 0.000987
				c.Slices[k].Allocs, c.Slices[k].Syscalls = &tiny, &tiny
			}
		}
	}
	for i, line := range strings.Split(string(written(t, Table, run)), "\n") {
		if n := utf8.RuneCountInString(line); n > columns {
			t.Errorf("line %d has %d columns, want at most %d: %q", i+1, n, columns, line)
		}
	}
}

func TestCSV(t *testing.T) {
	run := synthetic()
	got := written(t, CSV, run)
	golden(t, "run.csv", got)
	lines, err := csv.NewReader(bytes.NewReader(got)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := 1
	for _, row := range run.Rows {
		for _, c := range row.Contenders {
			want += max(1, len(c.Slices))
		}
	}
	if len(lines) != want {
		t.Errorf("got %d lines, want %d", len(lines), want)
	}
}

func TestMarkdown(t *testing.T) {
	got := written(t, Markdown, synthetic())
	golden(t, "ratios.md", got)
	bars := 0
	for i, line := range strings.Split(string(got), "\n") {
		if !strings.HasPrefix(line, "|") {
			continue
		}
		if n := strings.Count(line, "|"); i == 0 {
			bars = n
		} else if n != bars {
			t.Errorf("line %d has %d bars, want %d: %q", i+1, n, bars, line)
		}
	}
}

func TestComparison(t *testing.T) {
	a, b := synthetic(), synthetic()
	b.Started = b.Started.AddDate(0, 0, 1)
	b.Environment.CPU, b.Interrupted = "Synthetic Processor 2", true
	b.Rows = b.Rows[:len(b.Rows)-1]
	for i := range b.Rows[0].Contenders[0].Slices {
		b.Rows[0].Contenders[0].Slices[i].Value *= 1.5 // ours only
	}
	for i := range b.Rows[5].Contenders { // everybody
		for j := range b.Rows[5].Contenders[i].Slices {
			b.Rows[5].Contenders[i].Slices[j].Value *= 1.5
		}
	}
	var out bytes.Buffer
	if err := Comparison(&out, result.Compare(a, b)); err != nil {
		t.Fatal(err)
	}
	golden(t, "comparison.txt", out.Bytes())
	for i, line := range strings.Split(out.String(), "\n") {
		if n := utf8.RuneCountInString(line); n > columns {
			t.Errorf("line %d has %d columns, want at most %d: %q", i+1, n, columns, line)
		}
	}
	out.Reset()
	if err := Comparison(&out, result.Compare(&result.Run{}, &result.Run{})); err != nil || !strings.Contains(out.String(), "no contender was measured in both") {
		t.Errorf("got %q and error %v of empty runs, want that there is nothing", &out, err)
	}
}

func TestHTMLLoadsNothing(t *testing.T) {
	got := string(written(t, HTML, synthetic()))
	for _, banned := range []string{"://", `src=`, "url(", "@import", "<script", "<link", "<iframe", "<object", "xlink", `href="/`, "ZgotmplZ"} {
		if i := strings.Index(got, banned); i >= 0 {
			t.Errorf("the page has %q: %q", banned, got[max(0, i-40):min(len(got), i+60)])
		}
	}
	for _, match := range regexp.MustCompile(`(?:href|aria-labelledby)="([^"]*)"`).FindAllStringSubmatch(got, -1) {
		for _, id := range strings.Fields(strings.TrimPrefix(match[1], "#")) {
			if n := strings.Count(got, ` id="`+id+`"`); n != 1 {
				t.Errorf("%s leads to %d elements, want 1", match[0], n)
			}
		}
	}
}

func TestHTMLShowsEverything(t *testing.T) {
	run := synthetic()
	run.Interrupted = true
	got := string(written(t, HTML, run))
	for _, want := range []string{
		"This run was interrupted", "Synthetic Processor 1", "-dirty", "better in 9", "worse in 1",
		`class="worse"`, `class="better"`, `class="open"`, `class="neutral"`, "pebbe is missing: synthetic reason", "synthetic note",
		`<svg style="min-width:`, "prefers-color-scheme:dark", `name="viewport"`, `scope="row"`, `scope="col"`, "libzmq measured 0 in a slice",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	for _, row := range run.Rows {
		for _, want := range []string{`<details id="row-` + slug(row.Name), `<figure id="slices-` + slug(row.Name)} {
			if !strings.Contains(got, want) {
				t.Errorf("the page has no %q", want)
			}
		}
		if row.Contenders[0].Latency != nil && !strings.Contains(got, `<figure id="percentiles-`+slug(row.Name)) {
			t.Errorf("the page has no percentiles of %s", row.Name)
		}
	}
	if n, titles := strings.Count(got, "<svg "), strings.Count(got, "<title id="); n != titles || n != strings.Count(got, "<desc id=") {
		t.Errorf("got %d plots and %d titles, want a title and a description each", n, titles)
	}
	if strings.Contains(got, "#0067ab;fill") || regexp.MustCompile(`style="[^"]*#[0-9A-Fa-f]{6}`).MatchString(got) {
		t.Error("a plot has a colour that does not change in the dark")
	}
}

// Names come from a file that somebody else may have written.
func TestNamesAreText(t *testing.T) {
	run := synthetic()
	const evil = `"><script>alert(1)</script>|x`
	run.Rows[0].Name = evil
	run.Rows[0].Metric = "<b>msg/s"
	run.Rows[0].Contenders[1].Label = "<i>x"
	run.Rows[0].Contenders[0].Note = evil
	run.Environment.CPU = evil
	page := string(written(t, HTML, run))
	for _, banned := range []string{"<script", "<i>", "<b>msg"} {
		if strings.Contains(page, banned) {
			t.Errorf("the page has %q", banned)
		}
	}
	if table := string(written(t, Markdown, run)); strings.Contains(table, "<script") || !strings.Contains(table, `\|x`) {
		t.Errorf("got %q in Markdown, want it escaped", table)
	}
}

func TestPlotsAreFiles(t *testing.T) {
	plots, err := Plots(synthetic())
	if err != nil {
		t.Fatal(err)
	}
	names := make(map[string]bool)
	for _, p := range plots {
		if names[p.Name] || !regexp.MustCompile(`^[A-Za-z0-9-]+$`).MatchString(p.Name) {
			t.Errorf("got the name %q, want a new one of letters, digits and dashes", p.Name)
		}
		names[p.Name] = true
		if p.Title == "" || p.Description == "" || !bytes.HasPrefix(p.SVG, []byte(`<svg xmlns="http://www.w3.org/2000/svg" `)) {
			t.Errorf("%s: got title %q, description %q and %.60q", p.Name, p.Title, p.Description, p.SVG)
		}
		if bytes.Contains(p.SVG, []byte("NaN")) || bytes.Contains(p.SVG, []byte("Inf")) {
			t.Errorf("%s has a coordinate that is not a number", p.Name)
		}
		for dec := xml.NewDecoder(bytes.NewReader(p.SVG)); ; {
			if _, err := dec.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s is not XML: %v", p.Name, err)
			}
		}
	}
	if names["sizes-inproc-push-pull-4x1-msg-s"] {
		t.Error("got a plot by size of one size")
	}
	for _, want := range []string{
		"ratios-higher", "ratios-lower", "sizes-tcp-push-pull-msg-s", "percentiles-tcp-req-rep-64",
		"percentiles-tcp-push-pull-64-100", "slices-tcp-push-pull-64", "slices-tcp-connections-10000-idle-cpu",
	} {
		if !names[want] {
			t.Errorf("got no plot %s among %v", want, names)
		}
	}
}

// Runs at the edges: nothing in them may crash a report or look like a figure.
func TestOddRuns(t *testing.T) {
	one := func(row result.Row) *result.Run {
		return &result.Run{Version: result.Version, Rows: []result.Row{row}}
	}
	ofValues := func(values ...float64) []result.Slice {
		var s []result.Slice
		for _, v := range values {
			s = append(s, result.Slice{Value: v})
		}
		return s
	}
	for name, run := range map[string]*result.Run{
		"empty":           {Version: result.Version},
		"no contenders":   one(result.Row{Name: "a", Metric: "msg/s"}),
		"no metric":       one(result.Row{Name: "a", Contenders: []result.Contender{{Label: "ringwire", Slices: ofValues(1)}}}),
		"without ours":    one(result.Row{Name: "a", Metric: "msg/s", Contenders: []result.Contender{{Label: "libzmq", Slices: ofValues(1, 2)}}}),
		"nothing but 0":   one(result.Row{Name: "a", Metric: "msg/s", Contenders: []result.Contender{{Label: "ringwire", Slices: ofValues(0, 0)}, {Label: "libzmq", Slices: ofValues(0, 0)}}}),
		"far apart":       one(result.Row{Name: "a", Metric: "p50 s", LowerBetter: true, Contenders: []result.Contender{{Label: "ringwire", Slices: ofValues(1e-300)}, {Label: "libzmq", Slices: ofValues(1e300)}}}),
		"a name of marks": one(result.Row{Name: "///", Metric: "msg/s", Contenders: []result.Contender{{Label: "ringwire", Slices: ofValues(3)}}}),
		"empty latency":   one(result.Row{Name: "a", Metric: "p50 s", Contenders: []result.Contender{{Label: "ringwire", Slices: ofValues(3), Latency: &result.Latency{}}}}),
		"latency of 0":    one(result.Row{Name: "a", Metric: "p50 s", Contenders: []result.Contender{{Label: "ringwire", Latency: &result.Latency{Percentiles: []result.Percentile{{Percent: 50}, {Percent: 100}}}}}}),
		"one percentile":  one(result.Row{Name: "a", Metric: "p50 s", Contenders: []result.Contender{{Label: "ringwire", Latency: &result.Latency{Percentiles: []result.Percentile{{Percent: 50, Value: 7}}}}}}),
	} {
		t.Run(name, func(t *testing.T) {
			for _, write := range []func(io.Writer, *result.Run) error{Table, CSV, Markdown, HTML} {
				if got := written(t, write, run); bytes.Contains(got, []byte("NaN")) {
					t.Errorf("got NaN in %q", got)
				}
			}
		})
	}
	for _, v := range []float64{math.NaN(), math.Inf(1), -1} {
		run := one(result.Row{Name: "a", Metric: "msg/s", Contenders: []result.Contender{{Label: "ringwire", Slices: ofValues(v)}}})
		var b bytes.Buffer
		if err := HTML(&b, run); err == nil || b.Len() != 0 || !strings.Contains(err.Error(), "row a: ringwire: slice 1") {
			t.Errorf("%v: got %d bytes and error %v, want nothing and where it is", v, b.Len(), err)
		}
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWriteErrors(t *testing.T) {
	for _, write := range []func(io.Writer, *result.Run) error{Table, CSV, Markdown, HTML} {
		if err := write(fullDisk{}, synthetic()); err == nil || !strings.Contains(err.Error(), "disk full") {
			t.Errorf("got error %v, want that the disk is full", err)
		}
	}
	if err := Comparison(fullDisk{}, result.Comparison{}); err == nil {
		t.Error("got no error, want that the disk is full")
	}
}

// Few slices give a range and no verdict, few latencies no far percentile.
func TestFewFigures(t *testing.T) {
	run := synthetic()
	for i := range run.Rows {
		for j := range run.Rows[i].Contenders {
			c := &run.Rows[i].Contenders[j]
			c.Slices = c.Slices[:min(len(c.Slices), 5)]
			if c.Latency != nil {
				c.Latency.Count = 9999
			}
		}
	}
	run.Command = []string{"suite", "--row", "*/push-pull/64", "it's", ""}
	run.Environment.Missing = "libzmq is not here"
	run.Requirements = []result.Checked{{Text: "met something", OK: true}, {Text: "MISSED <another>"}}
	table, page, markdown := string(written(t, Table, run)), string(written(t, HTML, run)), string(written(t, Markdown, run))
	for _, want := range []string{"ratio [range of 5]", "] ?", "too few", `suite --row '*/push-pull/64' 'it'\''s' ''`, "not built   libzmq is not here", "\npebbe "} {
		if !strings.Contains(table, want) {
			t.Errorf("the table has no %q", want)
		}
	}
	for _, banned := range []string{"] +", "] -", "] ~"} {
		if strings.Contains(table, banned) {
			t.Errorf("the table has a verdict %q", banned)
		}
	}
	for _, want := range []string{"too few slices for a verdict", "range of 5", "libzmq is not here", "met something", "MISSED &lt;another&gt;", `<a href="#requirements">`, "<dt>pebbe</dt>"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	for _, banned := range []string{`td class="better"`, `td class="worse"`, `td class="open"`, "better in"} {
		if strings.Contains(page, banned) {
			t.Errorf("the page has a verdict %q", banned)
		}
	}
	for _, want := range []string{"range of 5", "- met something\n", "- MISSED &lt;another>\n"} {
		if !strings.Contains(markdown, want) {
			t.Errorf("the Markdown has no %q", want)
		}
	}
}
