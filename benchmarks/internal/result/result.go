// Package result is what a run of the suite found: its schema, which is also
// the JSON that the suite writes, and the arithmetic on it.
//
// A run has rows. A row is one piece of work, done by several contenders in
// turn: slice i of every contender ran within the same few seconds, so only
// ratios of slices with the same index are compared.
package result

import (
	"math"
	"time"
)

// Version of the schema. A reader refuses any other.
const Version = 1

// Ours is the label of the contender that every ratio is of, unless another
// is named.
const Ours = "ringwire"

// Run is one run of the suite.
type Run struct {
	Version     int         `json:"version"`
	Started     time.Time   `json:"started"`
	Seconds     float64     `json:"seconds"` // how long it took
	Command     []string    `json:"command"`
	Environment Environment `json:"environment"`
	Interrupted bool        `json:"interrupted,omitempty"` // rows are missing
	Rows        []Row       `json:"rows"`

	// Requirements are what was required of the run, with the results.
	Requirements []Checked `json:"requirements,omitempty"`
}

// Checked is a requirement that was looked at.
type Checked struct {
	Text string `json:"text"` // what was measured and what was wanted
	OK   bool   `json:"ok"`
}

// Environment is what the figures depend on. What could not be found out is
// empty.
type Environment struct {
	CPU        string            `json:"cpu"`
	Cores      int               `json:"cores"`
	GOMAXPROCS int               `json:"gomaxprocs"`
	Memory     int64             `json:"memory"` // bytes
	OS         string            `json:"os"`     // operating system and kernel
	Go         string            `json:"go"`
	Commit     string            `json:"commit"`            // with "-dirty" when the tree had changes
	Versions   map[string]string `json:"versions"`          // of each library
	Missing    string            `json:"missing,omitempty"` // which libraries the program was built without, and how to have them
}

// Row is one piece of work.
type Row struct {
	Name      string `json:"name"` // transport/pattern/size[@load], unique in a run
	Transport string `json:"transport"`
	Pattern   string `json:"pattern"`
	Size      int    `json:"size"` // bytes of a message's body
	Load      string `json:"load,omitempty"`

	// Metric is what Slice.Value measures, with its unit: "msg/s",
	// "p50 round trip s".
	Metric      string `json:"metric"`
	LowerBetter bool   `json:"lower_better,omitempty"`

	Contenders []Contender `json:"contenders"`
}

// Contender is a library, or a limit, in a row.
type Contender struct {
	// Label is the library's name, with a variant after a dash where there is
	// one: "ringwire", "ringwire-spin-off", "libzmq", "limit".
	Label  string  `json:"label"`
	Slices []Slice `json:"slices,omitempty"`

	// Latency has all latencies of all slices, in nanoseconds, where the row
	// measures latency.
	Latency *Latency `json:"latency,omitempty"`

	// Missing says why there are no slices.
	Missing string `json:"missing,omitempty"`

	// Note is what a reader must know about this contender's figures.
	Note string `json:"note,omitempty"`
}

// Slice is one short measurement. Nil means that it cannot be counted.
type Slice struct {
	Value    float64  `json:"value"`    // in the unit of Row.Metric
	Messages int64    `json:"messages"` // or round trips, or deliveries
	Seconds  float64  `json:"seconds"`
	CPU      *float64 `json:"cpu,omitempty"`      // seconds of all processes per message
	Allocs   *float64 `json:"allocs,omitempty"`   // heap allocations per message, all processes
	Syscalls *float64 `json:"syscalls,omitempty"` // reads and writes per message, all processes
	P50      *float64 `json:"p50,omitempty"`      // latency of this slice, seconds
	P99      *float64 `json:"p99,omitempty"`
}

// Latency is a distribution.
type Latency struct {
	Count       int64        `json:"count"`
	Min         int64        `json:"min"`
	Max         int64        `json:"max"`
	Mean        float64      `json:"mean"`
	Percentiles []Percentile `json:"percentiles"` // ascending, to 99.99 and 100
}

// Supports reports whether there are enough latencies for that percentile: at
// least one is expected beyond it.
func (l *Latency) Supports(percent float64) bool { return EnoughFor(l.Count, percent) }

// EnoughFor reports whether of that many figures at least one is expected
// beyond the percentile, as with 1,000 for 99.9. It is true of 100, the
// greatest.
func EnoughFor(count int64, percent float64) bool {
	return percent >= 100 || count >= int64(math.Round(100/(100-percent)))
}

// Percentile is a point of a Latency.
type Percentile struct {
	Percent float64 `json:"percent"`
	Value   int64   `json:"value"` // nanoseconds
}
