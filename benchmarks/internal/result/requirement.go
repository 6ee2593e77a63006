package result

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Requirement is one figure that a run must reach.
type Requirement struct {
	text     string // as it was written
	row      string
	quantity Quantity
	baseline string // of a ratio; empty: the figure itself
	ours     string
	op       string
	limit    float64
}

// operators in the order in which they are looked for: the longer first.
var operators = []string{">=", "<=", ">", "<"}

// ratioSuffix on a quantity asks for its ratio. The ratio of the value is
// "ratio" alone.
const ratioSuffix = "-ratio"

// ratioQuantities are those that a ratio may be of.
var ratioQuantities = map[string]Quantity{
	"ratio": Value, "cpu" + ratioSuffix: CPU, "p50" + ratioSuffix: P50, "p99" + ratioSuffix: P99,
}

const accepted = `want <row>/<quantity>[:<baseline>][@<ours>]<op><number>, for example tcp/push-pull/64/ratio:libzmq>=2.5; ` +
	`quantities are value, cpu, p50, p99, allocs, syscalls, and with a baseline ratio, cpu-ratio, p50-ratio, p99-ratio; operators are >=, <=, >, <`

// ParseRequirement reads a requirement,
//
//	<row>/<quantity>[:<baseline>][@<ours>]<op><number>
//
// where a ratio is that of <ours>, ringwire unless it is named, to the
// baseline. Numbers are in the row's unit, in seconds for cpu, p50 and p99,
// and per message for cpu, allocs and syscalls.
func ParseRequirement(s string) (Requirement, error) {
	r, err := parseRequirement(s)
	if err != nil {
		return Requirement{}, fmt.Errorf("requirement %q: %w; %s", s, err, accepted)
	}
	return r, nil
}

func parseRequirement(s string) (Requirement, error) {
	r := Requirement{text: strings.TrimSpace(s), ours: Ours}
	at := strings.IndexAny(s, "<>")
	if at < 0 {
		return r, errors.New("it has no operator")
	}
	left, right := strings.TrimSpace(s[:at]), s[at:]
	for _, op := range operators {
		if number, ok := strings.CutPrefix(right, op); ok {
			r.op, right = op, strings.TrimSpace(number)
			break
		}
	}
	limit, err := strconv.ParseFloat(right, 64)
	if err != nil || math.IsNaN(limit) || math.IsInf(limit, 0) || limit < 0 {
		return r, fmt.Errorf("%q after %s is not a number of at least 0", right, r.op)
	}
	r.limit = limit

	slash := strings.LastIndexByte(left, '/')
	if slash <= 0 {
		return r, errors.New("it does not name a row and, after a slash, a quantity")
	}
	r.row = left[:slash]
	word, ours, named := strings.Cut(left[slash+1:], "@")
	if named {
		r.ours = ours
	}
	word, r.baseline, named = strings.Cut(word, ":")
	for _, label := range []string{r.ours, r.baseline} {
		if strings.ContainsAny(label, "@:= \t\r\n") {
			return r, fmt.Errorf("%q is not a contender's label", label)
		}
	}
	if strings.ContainsAny(r.row, " \t\r\n") {
		return r, fmt.Errorf("the row %q has a space in it", r.row)
	}
	if r.ours == "" {
		return r, errors.New("no label after @")
	}
	if q, ok := ratioQuantities[word]; ok {
		if r.baseline == "" {
			return r, fmt.Errorf("%s has no baseline, as in %s:libzmq", word, word)
		}
		if r.baseline == r.ours {
			return r, fmt.Errorf("%s of %s to itself is always 1", word, r.ours)
		}
		r.quantity = q
		return r, nil
	}
	if named {
		return r, fmt.Errorf("%q cannot have a baseline, only a ratio can", word)
	}
	if !slices.Contains(Quantities, Quantity(word)) {
		return r, fmt.Errorf("%q is not a quantity", word)
	}
	r.quantity = Quantity(word)
	return r, nil
}

// String is the requirement as it was written.
func (r Requirement) String() string { return r.text }

// Row is the name of the row that it is about.
func (r Requirement) Row() string { return r.row }

// Labels are the contenders that it is about: ours, and the baseline of a
// ratio.
func (r Requirement) Labels() []string {
	if r.baseline == "" {
		return []string{r.ours}
	}
	return []string{r.ours, r.baseline}
}

// Quantity is what it is about, of the contenders of Labels.
func (r Requirement) Quantity() Quantity { return r.quantity }

// Check reports whether the run meets the requirement, and says what was
// measured and what was wanted. What was not measured is missed.
func (r Requirement) Check(run *Run) (ok bool, text string) {
	e, err := r.measure(run)
	if err != nil {
		return false, fmt.Sprintf("MISSED %s: %v", r.text, err)
	}
	var inside bool
	switch r.op {
	case ">=":
		ok, inside = e.Median >= r.limit, e.Low >= r.limit
	case "<=":
		ok, inside = e.Median <= r.limit, e.High <= r.limit
	case ">":
		ok, inside = e.Median > r.limit, e.Low > r.limit
	case "<":
		ok, inside = e.Median < r.limit, e.High < r.limit
	}
	verdict, doubt := "met", ""
	switch {
	case !ok:
		verdict = "MISSED"
	case !inside:
		doubt = ", which is inside the interval: not certain"
	}
	kind := "95 % interval"
	if e.IsRange() {
		kind = "range"
	}
	return ok, fmt.Sprintf("%s %s: measured %s (%s %s to %s, n=%d), wanted %s %s%s", verdict, r.text,
		precise(e.Median, r.limit), kind, precise(e.Low, r.limit), precise(e.High, r.limit), e.N, r.op, strconv.FormatFloat(r.limit, 'g', -1, 64), doubt)
}

// precise writes v so that it does not look equal to a limit that it is not
// equal to.
func precise(v, limit float64) string {
	text := Number(v)
	if shown, err := strconv.ParseFloat(text, 64); err == nil && v != limit && (shown == limit || shown > limit != (v > limit)) {
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return text
}

// measure finds the figure, or says why there is none.
func (r Requirement) measure(run *Run) (Estimate, error) {
	row := run.Row(r.row)
	if row == nil {
		if run.Interrupted {
			return Estimate{}, fmt.Errorf("the run was interrupted and has no row %s", r.row)
		}
		return Estimate{}, fmt.Errorf("the run has no row %s", r.row)
	}
	ours, err := measured(row, r.ours)
	if err != nil {
		return Estimate{}, err
	}
	quantity := r.quantity
	if quantity == P50 && strings.HasPrefix(row.Metric, "p50 ") || quantity == P99 && strings.HasPrefix(row.Metric, "p99 ") {
		quantity = Value // the value of such a row is that percentile of the slice
	}
	if r.baseline == "" {
		e, ok := ours.Estimate(quantity)
		if !ok {
			return Estimate{}, fmt.Errorf("%s has no %s in this row", r.ours, r.quantity)
		}
		return e, nil
	}
	other, err := measured(row, r.baseline)
	if err != nil {
		return Estimate{}, err
	}
	for _, c := range []*Contender{ours, other} {
		values, ok := c.values(quantity)
		if !ok {
			return Estimate{}, fmt.Errorf("%s has no %s in this row", c.Label, r.quantity)
		}
		if c == other && slices.Contains(values, 0) {
			return Estimate{}, fmt.Errorf("%s of %s is 0 in a slice, so there is no ratio to it", r.quantity, c.Label)
		}
	}
	e, ok := Ratio(ours, other, quantity)
	if !ok {
		return Estimate{}, fmt.Errorf("%s and %s have no ratio of %s", r.ours, r.baseline, r.quantity)
	}
	return e, nil
}

// measured returns a contender that has slices.
func measured(row *Row, label string) (*Contender, error) {
	c := row.Contender(label)
	switch {
	case c == nil:
		labels := make([]string, 0, len(row.Contenders))
		for _, c := range row.Contenders {
			labels = append(labels, c.Label)
		}
		return nil, fmt.Errorf("the row has no contender %s, it has %s", label, strings.Join(labels, ", "))
	case len(c.Slices) == 0 && c.Missing != "":
		return nil, fmt.Errorf("%s was not measured: %s", label, c.Missing)
	case len(c.Slices) == 0:
		return nil, fmt.Errorf("%s was not measured", label)
	}
	return c, nil
}

// ReadRequirements reads one requirement per line. Empty lines and what
// follows a # are for the reader. A text without any is an error, because it
// would be met by every run.
func ReadRequirements(r io.Reader) ([]Requirement, error) {
	var requirements []Requirement
	lines := bufio.NewScanner(r)
	n := 0
	for lines.Scan() {
		n++
		text, _, _ := strings.Cut(lines.Text(), "#")
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		requirement, err := ParseRequirement(text)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		requirements = append(requirements, requirement)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("line %d: %w", n+1, err)
	}
	if len(requirements) == 0 {
		return nil, errors.New("no requirement in it, want one per line")
	}
	return requirements, nil
}
