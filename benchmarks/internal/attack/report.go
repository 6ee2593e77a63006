package attack

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Report is all runs of a command.
type Report struct {
	Version     int        `json:"version"`
	Started     time.Time  `json:"started"`
	Seconds     float64    `json:"seconds"`
	Command     []string   `json:"command"`
	Environment any        `json:"environment,omitempty"`
	Interrupted bool       `json:"interrupted,omitempty"`
	Duration    float64    `json:"attack_seconds"` // of each attack, in slices
	Load        int        `json:"legitimate_messages_per_second"`
	Peers       int        `json:"legitimate_peers"`
	MaxRatio    float64    `json:"p99_ratio_allowed"`
	MaxNewcomer float64    `json:"newcomer_allowed_ms"`
	Quick       bool       `json:"quick"` // neither p99 nor missing inputs broke anything
	Outcomes    []*Outcome `json:"outcomes"`
}

// ReportVersion is that of the form of a report.
const ReportVersion = 1

// NewReport is one without outcomes.
func NewReport(length time.Duration) *Report {
	return &Report{Version: ReportVersion, Duration: length.Seconds(), Load: loadRate, Peers: goodLanes, MaxRatio: maxRatio, MaxNewcomer: maxNewcomer}
}

// Failed is how many cells broke a requirement.
func (r *Report) Failed() (n int) {
	for _, o := range r.Outcomes {
		if len(o.Broken) > 0 {
			n++
		}
	}
	return n
}

var columns = []string{"attack on victim", "attacker's rate", "inputs", "connections", "refused/kept/left", "as expected", "events", "p99 ms before", "spread", "during", "ratio", "newcomer ms", "after", "memory/bound", "left over"}

// Table writes the outcomes, and what failed.
func (r *Report) Table(out io.Writer) error {
	lines := [][]string{columns}
	for _, o := range r.Outcomes {
		lines = append(lines, o.cells())
	}
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
			if i < 2 {
				text += cell + pad + "  "
			} else {
				text += pad + cell + "  "
			}
		}
		b.WriteString(strings.TrimRight(text, " ") + "\n")
	}
	fmt.Fprintf(&b, "\n%d legitimate peers and %d messages a second. p99 is of their latency from when each message was due, the median of %d\n"+
		"slices of each kind; the ratio is the median of %d pairs, at most %g. Round trips with ROUTER, one way with the others.\n"+
		"Spread is the largest p99 without the attack against the smallest: where it is large, the machine has other work. A newcomer\n"+
		"has %g ms from its socket's making until it is served. memory/bound: the worse of reachable heap (%d KiB for each open connection,\n"+
		"what it has sent, and for topics their bytes twice again and %d bytes each; beside %d MiB) and of resident memory (%d times as much, beside %d MiB).\n"+
		"Inputs: those that there was time for, of all. Events: those that refusals must have raised, of those that they should; l: events that nobody took in time. Left over:\n"+
		"goroutines, descriptors, KiB of heap.\n",
		goodLanes, loadRate, Pairs, Pairs, maxRatio, maxNewcomer, perConnection>>10, perTopic, heapSlack>>20, rssFactor, rssSlack>>20)
	for _, e := range Elsewhere {
		fmt.Fprintf(&b, "%s: %s\n", e.SEC, e.Why)
	}
	for _, o := range r.Outcomes {
		for _, what := range o.Broken {
			fmt.Fprintf(&b, "BROKEN %s: %s\n", o.Name, what)
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func (o *Outcome) cells() []string {
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	ms := func(v float64, digits int) string { return strconv.FormatFloat(v, 'f', digits, 64) }
	expected := "yes"
	if len(o.Raid.Surprises) > 0 || o.missing() != "" || len(o.Pairs) == 0 {
		expected = "NO"
	}
	var want, got int64
	for _, key := range slices.Sorted(maps.Keys(o.Raid.Events)) {
		want, got = want+o.Raid.Events[key], got+o.Events[key]
	}
	events := fmt.Sprintf("%d/%d", got, want)
	if o.EventsLost > 0 {
		events += fmt.Sprintf(" l%d", o.EventsLost)
	}
	newcomer := ms(o.Newcomer, 1)
	if o.shut {
		newcomer = "n/a"
	}
	return []string{
		o.Name, o.Rate, fmt.Sprintf("%d/%d", o.Raid.Inputs, o.Inputs), number(o.Raid.Connections), fmt.Sprintf("%d/%d/%d", o.Raid.Refused, o.Raid.Kept, o.Raid.Left), expected, events,
		ms(o.Before, 2), ms(o.Spread, 1), ms(o.During, 2), ms(o.Ratio, 2), newcomer, ms(o.NewcomerAfter, 1), ms(o.Memory, 2),
		fmt.Sprintf("%d/%d/%d", o.Goroutines, o.Descriptors, o.Heap>>10),
	}
}

// Progress is an outcome in a line.
func (o *Outcome) Progress() string {
	state := fmt.Sprintf("ok, p99 %.2f ms, %.1f times", o.During, o.Ratio)
	if len(o.Broken) > 0 {
		state = "BROKEN: " + o.Broken[0]
	}
	return o.Name + ": " + state
}
