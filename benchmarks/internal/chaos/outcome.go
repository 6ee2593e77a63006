package chaos

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Outcome is one run.
type Outcome struct {
	Name        string              `json:"name"`
	Replay      string              `json:"replay"` // the arguments that run it again
	Plan        string              `json:"plan,omitempty"`
	Library     string              `json:"library"`
	Where       string              `json:"where"` // memory, tcp or ipc
	Pattern     Pattern             `json:"pattern"`
	Faults      []Fault             `json:"faults"`
	Skipped     string              `json:"skipped,omitempty"` // why it was not run
	Figures     Figures             `json:"figures"`
	Recovery    map[Fault][]float64 `json:"recovery_ms"`
	Fullest     *float64            `json:"memory_over_bound"`
	Goroutines  *int64              `json:"goroutines_left"`
	Descriptors *int64              `json:"descriptors_left"` // in memory: connections
	HeapPeak    *int64              `json:"heap_peak_bytes"`  // of the larger of two processes
	Resident    *int64              `json:"resident_peak_bytes"`
	Notes       []string            `json:"notes,omitempty"`
	Broken      []string            `json:"broken,omitempty"`
}

// judge joins the flows of the run.
func (o *Outcome) judge(flows []Flow) {
	for _, f := range flows {
		figures, broken := Judge(f)
		o.Figures.add(figures)
		o.Broken = append(o.Broken, broken...)
	}
}

// Report is all runs of a command.
type Report struct {
	Version     int        `json:"version"`
	Started     time.Time  `json:"started"`
	Seconds     float64    `json:"seconds"`
	Command     []string   `json:"command"`
	Environment any        `json:"environment,omitempty"`
	Interrupted bool       `json:"interrupted,omitempty"`
	Total       Row        `json:"total"`
	Rows        []Row      `json:"rows"`
	Failures    []*Outcome `json:"failures"`
	Others      []*Outcome `json:"others,omitempty"` // runs of other libraries in which the same laws do not hold
	Skipped     []*Outcome `json:"skipped,omitempty"`
	Runs        []*Outcome `json:"runs,omitempty"` // of real processes, in which all laws hold; seeds can be run again
}

// Row is the runs of one fault and one pattern. A run with several faults is a
// part of several rows, and its figures are.
type Row struct {
	Library     string    `json:"library,omitempty"`
	Where       string    `json:"where,omitempty"`
	Fault       Fault     `json:"fault,omitempty"`
	Pattern     Pattern   `json:"pattern,omitempty"`
	Runs        int       `json:"runs"`
	Failed      int       `json:"failed"`
	Skipped     int       `json:"skipped,omitempty"`
	Figures     Figures   `json:"figures"`
	RecoveryP50 *float64  `json:"recovery_p50_ms"`
	RecoveryMax *float64  `json:"recovery_max_ms"`
	Fullest     *float64  `json:"memory_over_bound"`
	Goroutines  *int64    `json:"goroutines_left"`
	Descriptors *int64    `json:"descriptors_left"`
	HeapPeak    *int64    `json:"heap_peak_bytes"`
	Resident    *int64    `json:"resident_peak_bytes"`
	recovery    []float64 // milliseconds
}

// ReportVersion is that of the form of a report.
const ReportVersion = 1

// Add takes in a run.
func (r *Report) Add(o *Outcome) {
	if o.Skipped != "" {
		r.Skipped = append(r.Skipped, o)
	} else {
		switch {
		case len(o.Broken) > 0 && o.Library != "ringwire":
			r.Others = append(r.Others, o)
		case len(o.Broken) > 0:
			r.Failures = append(r.Failures, o)
		}
		r.Total.add(o, "")
		if o.Where != "memory" && len(o.Broken) == 0 {
			r.Runs = append(r.Runs, o)
		}
	}
	for _, f := range slices.Compact(slices.Sorted(slices.Values(o.Faults))) {
		r.row(o, f).add(o, f)
	}
}

// row finds or makes a row.
func (r *Report) row(o *Outcome, f Fault) *Row {
	for i := range r.Rows {
		if w := &r.Rows[i]; w.Library == o.Library && w.Where == o.Where && w.Fault == f && w.Pattern == o.Pattern {
			return w
		}
	}
	r.Rows = append(r.Rows, Row{Library: o.Library, Where: o.Where, Fault: f, Pattern: o.Pattern})
	return &r.Rows[len(r.Rows)-1]
}

func (w *Row) add(o *Outcome, f Fault) {
	if o.Skipped != "" {
		w.Skipped++
		return
	}
	w.Runs++
	if len(o.Broken) > 0 {
		w.Failed++
	}
	w.Figures.add(o.Figures)
	for fault, list := range o.Recovery {
		if f == "" || fault == f {
			w.recovery = append(w.recovery, list...)
		}
	}
	if len(w.recovery) > 0 {
		p50, most := median(w.recovery), slices.Max(w.recovery)
		w.RecoveryP50, w.RecoveryMax = &p50, &most
	}
	largest(&w.Fullest, o.Fullest)
	total(&w.Goroutines, o.Goroutines)
	total(&w.Descriptors, o.Descriptors)
	largest(&w.HeapPeak, o.HeapPeak)
	largest(&w.Resident, o.Resident)
}

// largest keeps the larger of what is known.
func largest[T int64 | float64](most **T, one *T) {
	if one == nil {
		return
	}
	v := *one
	if *most != nil {
		v = max(v, **most)
	}
	*most = &v
}

// Sort brings the rows into the order of the list of faults.
func (r *Report) Sort() {
	order := func(w Row) int {
		return slices.IndexFunc(FaultNames, func(n struct {
			Fault Fault
			Name  string
		}) bool {
			return n.Fault == w.Fault
		})
	}
	slices.SortStableFunc(r.Rows, func(a, b Row) int {
		if d := order(a) - order(b); d != 0 {
			return d
		}
		if d := slices.Index(Patterns, a.Pattern) - slices.Index(Patterns, b.Pattern); d != 0 {
			return d
		}
		return strings.Compare(a.Library+a.Where, b.Library+b.Where)
	})
}

var columns = []string{"fault", "pattern", "where", "runs", "accepted", "delivered", "dropped", "in doubt", "lost", "unexplained", "duplicated", "reordered", "torn", "foreign",
	"recovery p50", "max", "memory/bound", "MB", "goroutines", "descriptors"}

// Table writes the rows and what failed.
func (r *Report) Table(out io.Writer) error {
	lines := [][]string{columns}
	for i := range r.Rows {
		w := &r.Rows[i]
		lines = append(lines, append([]string{string(w.Fault) + " " + nameOf(w.Fault), string(w.Pattern), strings.TrimPrefix(w.Library+" "+w.Where, "ringwire ")}, w.cells()...))
	}
	total := append([]string{"all", "", ""}, r.Total.cells()...)
	lines = append(lines, total)
	widths := make([]int, len(columns))
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], len(cell))
		}
	}
	var b strings.Builder
	for _, line := range lines {
		text := ""
		for i, cell := range line {
			pad := strings.Repeat(" ", widths[i]-len(cell))
			if i < 3 {
				text += cell + pad + "  "
			} else {
				text += pad + cell + "  "
			}
		}
		b.WriteString(strings.TrimRight(text, " ") + "\n")
	}
	b.WriteString("\nA run with several faults is a part of each of its rows, and is in the last one once. Recovery is in milliseconds,\n" +
		"from the end of a fault until a message arrives that was made after it. memory/bound is the fullest queue. A sum\n" +
		"leaves out the runs in which a figure cannot be counted; n/a is where there is no other.\n")
	if slices.ContainsFunc(r.Rows, func(w Row) bool { return w.Where == "memory" }) {
		for _, f := range FaultNames {
			if why := NotInMemory[f.Fault]; why != "" {
				fmt.Fprintf(&b, "%s %s: n/a, %s\n", f.Fault, f.Name, why)
			}
		}
	}
	reasons := make(map[string][]string)
	for _, o := range r.Skipped {
		reasons[o.Skipped] = append(reasons[o.Skipped], o.Name)
	}
	for _, why := range slices.Sorted(maps.Keys(reasons)) {
		fmt.Fprintf(&b, "skipped: %s: %s\n", strings.Join(reasons[why], ", "), why)
	}
	for _, o := range r.Others {
		o.describe(&b, "WITH "+o.Library+" ")
	}
	for _, o := range r.Failures {
		o.describe(&b, "BROKEN ")
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// describe writes what is wrong with a run.
func (o *Outcome) describe(b *strings.Builder, title string) {
	const most = 8
	fmt.Fprintf(b, "%s%s: %s\n", title, o.Name, o.Plan)
	for i, what := range o.Broken {
		if i == most {
			fmt.Fprintf(b, "    and %d more\n", len(o.Broken)-i)
			break
		}
		fmt.Fprintf(b, "    %s\n", what)
	}
	fmt.Fprintf(b, "    again: benchmarks %s\n", o.Replay)
}

func nameOf(f Fault) string {
	for _, n := range FaultNames {
		if n.Fault == f {
			return n.Name
		}
	}
	return ""
}

func (w *Row) cells() []string {
	if w.Runs == 0 {
		cells := []string{"0"}
		for range len(columns) - 4 {
			cells = append(cells, "n/a")
		}
		return cells
	}
	f := &w.Figures
	dropped := "n/a"
	if f.Dropped != nil {
		var n int64
		for _, count := range f.Dropped {
			n += count
		}
		dropped = strconv.FormatInt(n, 10)
	}
	return []string{
		strconv.Itoa(w.Runs), strconv.FormatInt(f.Accepted, 10), strconv.FormatInt(f.Delivered, 10), dropped, count(f.InDoubt), count(f.Lost), count(f.Unexplained),
		strconv.FormatInt(f.Duplicated, 10), count(f.Reordered), count(f.Torn), strconv.FormatInt(f.Foreign, 10),
		decimal(w.RecoveryP50, 1), decimal(w.RecoveryMax, 1), decimal(w.Fullest, 2), megabytes(w.Resident), count(w.Goroutines), count(w.Descriptors),
	}
}

func count(n *int64) string {
	if n == nil {
		return "n/a"
	}
	return strconv.FormatInt(*n, 10)
}

func megabytes(n *int64) string {
	if n == nil {
		return "n/a"
	}
	return strconv.FormatInt((*n+1<<19)>>20, 10)
}

func decimal(v *float64, digits int) string {
	if v == nil {
		return "n/a"
	}
	return strconv.FormatFloat(*v, 'f', digits, 64)
}
