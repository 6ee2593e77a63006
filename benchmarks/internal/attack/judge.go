package attack

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// What has to hold.
const (
	maxRatio    = 2.0    // p99 of the legitimate messages' latency, during the attack against without
	maxNewcomer = 1000.0 // ms until a new legitimate peer is served

	perConnection = 64 << 10
	heapSlack     = 1 << 20  // of the victim's own work
	rssSlack      = 32 << 20 // garbage before the collector runs, and what the runtime keeps
	// rssFactor is Go's: a heap may double before it is collected.
	rssFactor = 2
)

// Latency is a distribution of latencies, in milliseconds.
type Latency struct {
	Count int64   `json:"count"`
	P50   float64 `json:"p50_ms"`
	P99   float64 `json:"p99_ms"`
	P999  float64 `json:"p99_9_ms"`
	Max   float64 `json:"max_ms"`
}

// Pair is a slice without the attack and one with it.
type Pair struct {
	Before    Latency `json:"before"`
	During    Latency `json:"during"`
	Ratio     float64 `json:"p99_ratio"`
	Newcomer  float64 `json:"newcomer_ms"` // 0: none came
	Lost      int64   `json:"lost"`        // messages of legitimate peers
	VictimCPU float64 `json:"victim_cpu"`  // processors that it kept busy

	HeapGrown     int64 `json:"heap_grown_bytes"` // reachable, with the connections that are held
	HeapBound     int64 `json:"heap_bound_bytes"`
	ResidentGrown int64 `json:"resident_grown_bytes"` // at its peak
	ResidentBound int64 `json:"resident_bound_bytes"`
}

// Outcome is a cell that was played.
type Outcome struct {
	Name      string `json:"name"`
	SEC       string `json:"sec"`
	Victim    string `json:"victim"`
	Mechanism string `json:"mechanism"`
	Network   string `json:"network"`
	Rate      string `json:"rate"` // what the attacker was held to

	Pairs         []Pair           `json:"pairs"`
	Before        float64          `json:"p99_before_ms"` // medians of the pairs
	During        float64          `json:"p99_during_ms"`
	Spread        float64          `json:"p99_before_spread"` // the largest without the attack against the smallest: what the machine does to it
	Ratio         float64          `json:"p99_ratio"`
	Newcomer      float64          `json:"newcomer_during_ms"` // the slowest
	NewcomerAfter float64          `json:"newcomer_after_ms"`
	Memory        float64          `json:"memory_over_bound"` // the worse of heap and resident memory, the worst of the pairs
	Raid          raid             `json:"raid"`
	Events        map[string]int64 `json:"events"` // of the victim
	EventsLost    int64            `json:"events_lost"`
	Accepts       int64            `json:"accepts"` // counters of the victim
	Failed        int64            `json:"handshakes_failed"`
	RefusedCount  int64            `json:"refused"`
	Disconnects   int64            `json:"disconnects"`
	Goroutines    int64            `json:"goroutines_left"`
	Descriptors   int64            `json:"descriptors_left"`
	Heap          int64            `json:"heap_left_bytes"`
	Leak          string           `json:"leak,omitempty"`
	Broken        []string         `json:"broken,omitempty"`

	Inputs int `json:"inputs"` // that the attack has; those that there was time for are in Raid

	shut bool
	must string
}

func newOutcome(c Cell) *Outcome {
	return &Outcome{Name: c.Name(), SEC: c.Attack.SEC, Victim: c.Victim, Mechanism: c.Mechanism, Network: c.Network,
		Events: make(map[string]int64), Raid: raid{Events: make(map[string]int64)}, shut: c.Attack.Shut != "", must: c.Attack.Must}
}

// rate is what the attacker is held to, in words.
func (a *Attack) rate(connections int) string {
	text := fmt.Sprintf("%d conn/s", connections)
	if a.Hold > 0 {
		text = fmt.Sprintf("%d held, %s", a.Hold, text)
	}
	if a.Flood > 0 {
		text = fmt.Sprintf("%d x %d KiB/s", a.Hold, a.Flood>>10)
	}
	return text
}

func (o *Outcome) breaks(format string, args ...any) {
	o.Broken = append(o.Broken, fmt.Sprintf(format, args...))
}

// weigh compares the memory of the victim with what its connections entitle it to.
func (p *Pair) weigh(base, now *usage, r *raid) {
	p.HeapGrown = now.Live - base.Live
	p.HeapBound = heapSlack + r.OpenNow*perConnection + r.Now
	if base.Resident >= 0 {
		p.ResidentGrown = now.Resident - base.Resident
		p.ResidentBound = rssSlack + rssFactor*(r.Open*perConnection+r.Entitled)
	}
}

// over is how much of its bound the memory has.
func (p *Pair) over() float64 {
	worst := float64(p.HeapGrown) / float64(p.HeapBound)
	if p.ResidentBound > 0 {
		worst = max(worst, float64(p.ResidentGrown)/float64(p.ResidentBound))
	}
	return max(worst, 0)
}

// add takes in a pair and what came of its attack.
func (o *Outcome) add(p Pair, raids ...*raid) {
	o.Pairs = append(o.Pairs, p)
	for _, r := range raids {
		sum := &o.Raid
		sum.Connections += r.Connections
		sum.Inputs, o.Inputs = max(sum.Inputs, r.Inputs), r.All
		sum.Refused += r.Refused
		sum.Kept += r.Kept
		sum.Left += r.Left
		sum.Bytes += r.Bytes
		sum.Open, sum.Entitled = max(sum.Open, r.Open), max(sum.Entitled, r.Entitled)
		for k, n := range r.Events {
			sum.Events[k] += n
		}
		for _, s := range r.Surprises {
			if !slices.Contains(sum.Surprises, s) {
				sum.Surprises = append(sum.Surprises, s)
			}
		}
	}
}

// happened takes in what the victim has counted between two looks.
func (o *Outcome) happened(before, after reply) {
	for k, n := range after.Events {
		if n -= before.Events[k]; n > 0 {
			o.Events[k] = n
		}
	}
	o.EventsLost = after.Lost - before.Lost
	o.Leak = after.Leak
	o.Accepts = after.Stats.Accepts - before.Stats.Accepts
	o.Failed = after.Stats.HandshakesFailed - before.Stats.HandshakesFailed
	o.RefusedCount = after.Stats.Refused - before.Stats.Refused
	o.Disconnects = after.Stats.Disconnects - before.Stats.Disconnects
}

// heapLeft is what may be there after an attack: the runtime's records of goroutines
// that are gone, and what pools have grown to.
const heapLeft = 2 << 20

// goroutinesLeft are the writers of the legitimate peers' sessions, which start when a
// first write cannot be made at once.
const goroutinesLeft = goodLanes

func (o *Outcome) remains() bool {
	return o.Goroutines > goroutinesLeft || o.Descriptors > 0 || o.Heap > heapLeft || o.missing() != ""
}

// missing is an event that the victim should have had, or had too often.
func (o *Outcome) missing() string {
	var list []string
	for _, key := range slices.Sorted(maps.Keys(o.Raid.Events)) {
		want, got := o.Raid.Events[key], o.Events[key]
		if got > want || got+o.EventsLost < want {
			list = append(list, fmt.Sprintf("%d of %d events %q", got, want, key))
		}
	}
	return strings.Join(list, ", ")
}

// judge compares what was measured with what has to hold.
func (o *Outcome) judge(quick bool) {
	var before, during, ratios []float64
	for i := range o.Pairs {
		p := &o.Pairs[i]
		before, during, ratios = append(before, p.Before.P99), append(during, p.During.P99), append(ratios, p.Ratio)
		o.Newcomer = max(o.Newcomer, p.Newcomer)
		o.Memory = max(o.Memory, p.over())
		if p.Lost != 0 {
			o.breaks("pair %d: %d messages of legitimate peers did not arrive within %v", i+1, p.Lost, guard)
		}
		if p.HeapGrown > p.HeapBound {
			o.breaks("pair %d: the heap grew by %d bytes, bound %d", i+1, p.HeapGrown, p.HeapBound)
		}
		if p.ResidentGrown > p.ResidentBound {
			o.breaks("pair %d: the resident memory grew by %d bytes, bound %d", i+1, p.ResidentGrown, p.ResidentBound)
		}
	}
	if len(before) > 0 {
		o.Spread = slices.Max(before) / slices.Min(before)
	}
	o.Before, o.During, o.Ratio = median(before), median(during), median(ratios)
	if !quick && o.Ratio > maxRatio {
		o.breaks("p99 of legitimate messages is %.2f ms, and %.2f ms without the attack: %.1f times as much, at most %g is allowed", o.During, o.Before, o.Ratio, maxRatio)
	}
	if o.Newcomer > maxNewcomer {
		o.breaks("a new legitimate peer was served after %.0f ms during the attack, want at most %.0f", o.Newcomer, maxNewcomer)
	}
	if o.NewcomerAfter > maxNewcomer {
		o.breaks("a new legitimate peer was served after %.0f ms after the attack, want at most %.0f", o.NewcomerAfter, maxNewcomer)
	}
	if len(o.Pairs) == 0 {
		return // and why is known
	}
	if !quick && o.Raid.Inputs < o.Inputs {
		o.breaks("there was time for %d of %d inputs: it has to last longer", o.Raid.Inputs, o.Inputs)
	}
	for _, s := range o.Raid.Surprises {
		o.breaks("not as expected: %s", s)
	}
	if o.Raid.Connections == 0 {
		o.breaks("the attacker made no connection")
	}
	if o.must != "" && o.Events[o.must] == 0 {
		o.breaks("the victim had no event %q, which is the point of the attack", o.must)
	}
	if what := o.missing(); what != "" {
		o.breaks("got %s (%d events were lost)", what, o.EventsLost)
	}
	if o.Goroutines > goroutinesLeft || o.Descriptors > 0 || o.Heap > heapLeft {
		o.breaks("left over: %d goroutines, %d descriptors, %d bytes of heap; allowed are %d, 0 and %d", o.Goroutines, o.Descriptors, o.Heap, goroutinesLeft, heapLeft)
	}
	if o.Leak != "" {
		o.breaks("an event %q has a secret in its text", o.Leak)
	}
}
