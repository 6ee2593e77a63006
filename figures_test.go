package ringwire_test

import (
	"encoding/json"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// run is what is needed of a result of the suite.
type run struct {
	Rows []struct {
		Name, Metric string
		Size         float64
		Contenders   []struct {
			Label  string
			Slices []struct{ Value, CPU float64 }
		}
	}
}

func runs(t *testing.T) (list []run) {
	t.Helper()
	for _, file := range []string{"benchmarks/results/run1.json", "benchmarks/results/run2.json"} {
		var r run
		if err := json.Unmarshal([]byte(readFile(t, file)), &r); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		list = append(list, r)
	}
	return list
}

// of returns the slices of a row that a document names: its name in backticks, then
// whose they are, if not ringwire's, and "cpu" for the processor time instead.
func (r *run) of(t *testing.T, reference, whose string) (values []float64, size float64, metric string) {
	t.Helper()
	fields := strings.Fields(strings.ReplaceAll(reference, "`", ""))
	name, cpu := fields[0], false
	for _, f := range fields[1:] {
		switch {
		case f == "cpu":
			cpu = true
		case whose == "ringwire":
			whose = f
		}
	}
	for _, row := range r.Rows {
		if row.Name != name {
			continue
		}
		metric, size = row.Metric, row.Size
		if cpu {
			metric = "s"
		}
		for _, c := range row.Contenders {
			for _, s := range c.Slices {
				switch {
				case c.Label != whose:
				case cpu:
					values = append(values, s.CPU)
				default:
					values = append(values, s.Value)
				}
			}
		}
	}
	if len(values) == 0 {
		t.Errorf("the results have no %s of %s", reference, whose)
	}
	return values, size, metric
}

func median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}

var (
	figure  = regexp.MustCompile(`\d+(?:,\d{3})*(?:\.\d+)?`)
	scale   = map[string]float64{"M": 1e6, "k": 1e3, "GB/s": 1e9, "us": 1e-6, "ns": 1e-9, "ms": 1e-3, "KiB": 1 << 10}
	results = "times libzmq, both runs"
)

// same reports whether a figure is the value, rounded to the digits that it has.
func same(text string, value float64) bool {
	_, decimals, _ := strings.Cut(text, ".")
	got, err := strconv.ParseFloat(strings.ReplaceAll(text, ",", ""), 64)
	return err == nil && math.Abs(got-value) <= 0.5000001*math.Pow(10, -float64(len(decimals)))
}

// tables returns the rows, header first, of every table of a document whose header has
// the given cell.
func tables(t *testing.T, document, has string) (list [][][]string) {
	t.Helper()
	var table [][]string
	for line := range strings.Lines(readFile(t, document) + "\n") {
		if text := strings.TrimSpace(line); strings.HasPrefix(text, "|") {
			var cells []string
			for _, c := range strings.Split(strings.Trim(text, "|"), "|") {
				cells = append(cells, strings.TrimSpace(c))
			}
			table = append(table, cells)
			continue
		}
		if len(table) > 2 && slices.Contains(table[0], has) {
			list = append(list, append(table[:1], table[2:]...))
		}
		table = nil
	}
	return list
}

// Every figure in the tables of speed is the median of the row of the results that is
// named beside it, and every ratio the median of the ratios of slices that took turns.
func TestFiguresAreMeasured(t *testing.T) {
	all := runs(t)
	n := 0
	for _, document := range []string{"README.md", "docs/tuning.md"} {
		for _, table := range tables(t, document, results) {
			for _, row := range table[1:] {
				n++
				number, unit, _ := strings.Cut(row[1], " ")
				unit, _, _ = strings.Cut(unit, " ")
				ours, size, metric := all[0].of(t, row[3], "ringwire")
				value := median(ours)
				if unit == "GB/s" {
					value *= size
				}
				if f := scale[unit]; f == 0 {
					t.Errorf("%s: unit of %q is unknown", document, row[1])
				} else if !same(number, value/f) {
					t.Errorf("%s: %s: got %s, the results have %.4g %s", document, row[0], row[1], value, metric)
				}
				ratios := figure.FindAllString(row[2], -1)
				if len(ratios) != len(all) {
					t.Errorf("%s: %s: got %q, want a ratio of each run", document, row[0], row[2])
					continue
				}
				for i := range all {
					ours, _, _ := all[i].of(t, row[3], "ringwire")
					theirs, _, _ := all[i].of(t, strings.ReplaceAll(row[3], "ringwire-spin-off", ""), "libzmq")
					pairs := make([]float64, min(len(ours), len(theirs)))
					for k := range pairs {
						pairs[k] = ours[k] / theirs[k]
					}
					if len(pairs) > 0 && !same(ratios[i], median(pairs)) {
						t.Errorf("%s: %s: got %s times libzmq in run %d, the results have %.4g", document, row[0], ratios[i], i+1, median(pairs))
					}
				}
			}
		}
	}
	if n < 20 {
		t.Errorf("got %d rows, want the tables of README.md and docs/tuning.md", n)
	}
}

// Every ratio to another library in the README is the median of the ratios of the
// slices of the row that is named beside it.
func TestRatiosAreMeasured(t *testing.T) {
	all := runs(t)
	n := 0
	for _, table := range tables(t, "README.md", "divided by") {
		for _, row := range table[1:] {
			ratios := figure.FindAllString(row[2], -1)
			if len(ratios) != len(all) {
				t.Errorf("README.md: %s: got %q, want a ratio of each run", row[0], row[2])
				continue
			}
			for i := range all {
				n++
				name, other, _ := strings.Cut(row[3], " ")
				ours, _, _ := all[i].of(t, name, "ringwire")
				theirs, _, _ := all[i].of(t, name, other)
				pairs := make([]float64, min(len(ours), len(theirs)))
				for k := range pairs {
					pairs[k] = ours[k] / theirs[k]
				}
				if len(pairs) > 0 && !same(ratios[i], median(pairs)) {
					t.Errorf("README.md: %s, divided by %s: got %s in run %d, the results have %.4g", row[0], row[1], ratios[i], i+1, median(pairs))
				}
			}
		}
	}
	if n < 10 {
		t.Errorf("got %d ratios, want those of the README", n)
	}
}

// Every figure whose row names a file is in that file.
func TestFiguresAreInTheirFile(t *testing.T) {
	n := 0
	for _, document := range documents(t) {
		for _, table := range tables(t, document, "measured in") {
			at := slices.Index(table[0], "measured in")
			for _, row := range table[1:] {
				file := strings.Trim(row[at], "`")
				in := figure.FindAllString(readFile(t, file), -1)
				for _, number := range figure.FindAllString(row[at-1], -1) {
					if n++; !slices.Contains(in, number) {
						t.Errorf("%s: %s: %s is not in %s", document, row[0], number, file)
					}
				}
			}
		}
	}
	if n < 20 {
		t.Errorf("got %d figures, want those of docs/tuning.md", n)
	}
}
