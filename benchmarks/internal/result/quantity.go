package result

import "strings"

// Quantity is something that slices have a figure of.
type Quantity string

// Quantities of a slice. All but Value and the percentiles are per message.
const (
	Value    Quantity = "value" // in the unit of the row's metric
	CPU      Quantity = "cpu"   // seconds of processor time
	P50      Quantity = "p50"   // seconds
	P99      Quantity = "p99"   // seconds
	Allocs   Quantity = "allocs"
	Syscalls Quantity = "syscalls"
)

// Quantities are all of them.
var Quantities = []Quantity{Value, CPU, P50, P99, Allocs, Syscalls}

// of returns the figure of s, if it has one.
func (q Quantity) of(s Slice) (float64, bool) {
	var p *float64
	switch q {
	case Value:
		return s.Value, true
	case CPU:
		p = s.CPU
	case P50:
		p = s.P50
	case P99:
		p = s.P99
	case Allocs:
		p = s.Allocs
	case Syscalls:
		p = s.Syscalls
	}
	if p == nil {
		return 0, false
	}
	return *p, true
}

// Row returns the row of that name, or nil.
func (r *Run) Row(name string) *Row {
	for i := range r.Rows {
		if r.Rows[i].Name == name {
			return &r.Rows[i]
		}
	}
	return nil
}

// Contender returns the contender of that label, or nil.
func (r *Row) Contender(label string) *Contender {
	for i := range r.Contenders {
		if r.Contenders[i].Label == label {
			return &r.Contenders[i]
		}
	}
	return nil
}

// IsOurs reports whether label is the library that the suite is about, or one
// of its variants.
func IsOurs(label string) bool { return isVariant(label, Ours) }

// IsLimit reports whether label is a raw probe: what the machine can do
// without any library, and so neither won nor lost against.
func IsLimit(label string) bool { return isVariant(label, "limit") }

func isVariant(label, base string) bool {
	return label == base || strings.HasPrefix(label, base+"-")
}

// Estimate returns the median of what the contender's slices have of q. It is
// false unless every slice has it: a median of some would not say which.
func (c *Contender) Estimate(q Quantity) (Estimate, bool) {
	values, ok := c.values(q)
	if !ok {
		return Estimate{}, false
	}
	return estimate(values), true
}

func (c *Contender) values(q Quantity) ([]float64, bool) {
	values := make([]float64, 0, len(c.Slices))
	for _, s := range c.Slices {
		v, ok := q.of(s)
		if !ok {
			return nil, false
		}
		values = append(values, v)
	}
	return values, len(values) > 0
}

// Ratio returns the median of the ratios ours/other of slices with the same
// index. It is false when either has no such figure, and when one of the
// other's is 0, which has no ratio.
func Ratio(ours, other *Contender, q Quantity) (Estimate, bool) {
	ratios, ok := ratios(ours, other, q)
	if !ok {
		return Estimate{}, false
	}
	return estimate(ratios), true
}

func ratios(ours, other *Contender, q Quantity) ([]float64, bool) {
	x, okX := ours.values(q)
	y, okY := other.values(q)
	if !okX || !okY {
		return nil, false
	}
	n := min(len(x), len(y))
	pairs := make([]float64, n)
	for i := range pairs {
		if y[i] == 0 {
			return nil, false
		}
		pairs[i] = x[i] / y[i]
	}
	return pairs, true
}
