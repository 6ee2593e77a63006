package result

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Verdict is what the comparison of two runs shows about the second.
type Verdict string

// Verdicts. Better and worse are for what is neither a rate nor a time.
const (
	Faster       Verdict = "faster"
	Slower       Verdict = "slower"
	GotBetter    Verdict = "better"
	GotWorse     Verdict = "worse"
	NotDifferent Verdict = "no difference shown"
)

// significance is below which probability of chance a difference is shown.
const significance = 0.05

// Comparison is two runs, the first A, then B, side by side.
type Comparison struct {
	StartedA, StartedB time.Time

	// Warnings are what makes the runs hard to compare: other machines, other
	// versions.
	Warnings []string

	Rows []Compared // what is in both

	OnlyA, OnlyB []string // rows, and contenders of rows, that only one has
}

// Compared is one contender of one row in both runs.
type Compared struct {
	Row, Metric, Label string
	LowerBetter        bool

	// Absolute compares the values. Between two runs the machine may have
	// changed, so that they differ although nothing else did.
	Absolute Change

	// Relative compares the ratios to Control, which ran in turn with the
	// contender in both runs. Nil when there is no control.
	Relative *Change
	Control  string
}

// Verdict is that of the relative change where there is one.
func (c Compared) Verdict() Verdict {
	if c.Relative != nil {
		return c.Relative.Verdict
	}
	return c.Absolute.Verdict
}

// Change is a figure in both runs.
type Change struct {
	A, B    Estimate
	Ratio   float64 // of the medians, B/A; 0 when A is 0
	P       float64 // that chance alone makes such a difference, by Mann and Whitney's test
	Verdict Verdict
}

// Compare puts two runs side by side.
func Compare(a, b *Run) Comparison {
	c := Comparison{StartedA: a.Started, StartedB: b.Started, Warnings: differences(a.Environment, b.Environment)}
	for _, which := range []struct {
		name string
		run  *Run
	}{{"first", a}, {"second", b}} {
		if which.run.Interrupted {
			c.Warnings = append(c.Warnings, "the "+which.name+" run was interrupted: rows are missing")
		}
	}
	for i := range a.Rows {
		rowA := &a.Rows[i]
		rowB := b.Row(rowA.Name)
		switch {
		case rowB == nil:
			c.OnlyA = append(c.OnlyA, rowA.Name)
		case rowA.Metric != rowB.Metric || rowA.LowerBetter != rowB.LowerBetter || rowA.Size != rowB.Size || rowA.Load != rowB.Load:
			c.Warnings = append(c.Warnings, fmt.Sprintf("%s is not the same work in both runs (%s and %s): not compared", rowA.Name, work(rowA), work(rowB)))
		default:
			c.compareRows(rowA, rowB)
		}
	}
	for _, row := range b.Rows {
		if a.Row(row.Name) == nil {
			c.OnlyB = append(c.OnlyB, row.Name)
		}
	}
	return c
}

func work(r *Row) string {
	s := fmt.Sprintf("%d bytes, %s", r.Size, r.Metric)
	if r.Load != "" {
		s += " at load " + r.Load
	}
	if r.LowerBetter {
		s += ", lower is better"
	}
	return s
}

func (c *Comparison) compareRows(a, b *Row) {
	for i := range a.Contenders {
		contenderA := &a.Contenders[i]
		name := a.Name + " " + contenderA.Label
		contenderB := b.Contender(contenderA.Label)
		measuredA := len(contenderA.Slices) > 0
		measuredB := contenderB != nil && len(contenderB.Slices) > 0
		switch {
		case measuredA && measuredB:
			c.Rows = append(c.Rows, compareContenders(a, b, contenderA, contenderB))
		case measuredA:
			c.OnlyA = append(c.OnlyA, name)
		case measuredB:
			c.OnlyB = append(c.OnlyB, name)
		}
	}
	for _, contender := range b.Contenders {
		if a.Contender(contender.Label) == nil && len(contender.Slices) > 0 {
			c.OnlyB = append(c.OnlyB, b.Name+" "+contender.Label)
		}
	}
}

func compareContenders(rowA, rowB *Row, a, b *Contender) Compared {
	c := Compared{Row: rowA.Name, Metric: rowA.Metric, Label: a.Label, LowerBetter: rowA.LowerBetter}
	valuesA, _ := a.values(Value)
	valuesB, _ := b.values(Value)
	c.Absolute = change(rowA, valuesA, valuesB)
	for _, label := range []string{"libzmq", "limit"} {
		controlA, controlB := rowA.Contender(label), rowB.Contender(label)
		if controlA == nil || controlB == nil || label == a.Label {
			continue
		}
		ratiosA, okA := ratios(a, controlA, Value)
		ratiosB, okB := ratios(b, controlB, Value)
		if okA && okB {
			relative := change(rowA, ratiosA, ratiosB)
			c.Relative, c.Control = &relative, label
			break
		}
	}
	return c
}

func change(row *Row, a, b []float64) Change {
	c := Change{A: estimate(a), B: estimate(b), P: mannWhitney(a, b), Verdict: NotDifferent}
	if c.A.Median != 0 {
		c.Ratio = c.B.Median / c.A.Median
	}
	if c.P >= significance || c.A.Median == c.B.Median {
		return c
	}
	words := []Verdict{GotWorse, GotBetter}
	if row.isSpeed() {
		words = []Verdict{Slower, Faster}
	}
	if (c.B.Median > c.A.Median) != row.LowerBetter {
		c.Verdict = words[1]
	} else {
		c.Verdict = words[0]
	}
	return c
}

// isSpeed reports whether the metric is a rate or a time, of which one says
// that it is faster or slower.
func (r *Row) isSpeed() bool {
	unit := r.Unit()
	return unit == "s" || strings.HasSuffix(unit, "/s") && unit != "s/s"
}

// Unit is that of the row's values: the last word of the metric.
func (r *Row) Unit() string {
	words := strings.Fields(r.Metric)
	if len(words) == 0 {
		return ""
	}
	return words[len(words)-1]
}

// differences says in what two environments differ that moves figures.
func differences(a, b Environment) []string {
	var found []string
	for _, d := range []struct {
		name string
		a, b any
	}{
		{"processor", a.CPU, b.CPU},
		{"cores", a.Cores, b.Cores},
		{"GOMAXPROCS", a.GOMAXPROCS, b.GOMAXPROCS},
		{"memory", a.Memory, b.Memory},
		{"system", a.OS, b.OS},
		{"Go", a.Go, b.Go},
	} {
		if d.a != d.b {
			found = append(found, fmt.Sprintf("%s differs: %v, then %v", d.name, known(d.a), known(d.b)))
		}
	}
	libraries := make(map[string]bool)
	for name := range a.Versions {
		libraries[name] = true
	}
	for name := range b.Versions {
		libraries[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(libraries)) {
		if a.Versions[name] != b.Versions[name] {
			found = append(found, fmt.Sprintf("%s differs: %v, then %v", name, known(a.Versions[name]), known(b.Versions[name])))
		}
	}
	return found
}

func known(v any) any {
	if v == "" || v == 0 || v == int64(0) {
		return "unknown"
	}
	return v
}
