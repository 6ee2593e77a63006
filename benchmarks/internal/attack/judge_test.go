package attack

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// calm is an outcome in which everything holds.
func calm() *Outcome {
	o := newOutcome(Cells([]string{"SEC-18-no-files/pull/null/tcp", "SEC-01*/pull/null/tcp"})[0])
	o.Inputs = 2
	latency := Latency{Count: 1000, P50: 0.1, P99: 1, P999: 2, Max: 3}
	for range Pairs {
		p := Pair{Before: latency, During: latency, Ratio: 1, Newcomer: 2}
		p.weigh(&usage{Live: 1 << 20, Resident: 20 << 20}, &usage{Live: 2 << 20, Resident: 30 << 20}, &raid{Open: 10, OpenNow: 10})
		o.add(p, &raid{Connections: 20, Refused: 20, Inputs: 2, All: 2, Events: map[string]int64{rejected: 20}})
	}
	o.Events[rejected] = 20 * Pairs
	o.NewcomerAfter = 2
	return o
}

// Each requirement breaks the run when it is not met, and nothing else does.
func TestJudge(t *testing.T) {
	for name, x := range map[string]struct {
		change func(o *Outcome)
		want   string // empty: nothing is broken
		quick  bool
	}{
		"calm":                       {func(*Outcome) {}, "", false},
		"twice as late":              {late(2), "", false},
		"later":                      {late(2.1), "2.1 times as much", false},
		"later, quick":               {late(2.1), "", true},
		"late twice":                 {func(o *Outcome) { o.Pairs[0].Ratio, o.Pairs[1].Ratio = 100, 100 }, "", false},
		"a message is missing":       {func(o *Outcome) { o.Pairs[4].Lost = 1 }, "1 messages of legitimate peers", true},
		"a newcomer is slow":         {func(o *Outcome) { o.Pairs[2].Newcomer = 1001 }, "served after 1001 ms during", true},
		"a newcomer is slow after":   {func(o *Outcome) { o.NewcomerAfter = 1001 }, "served after 1001 ms after", true},
		"heap":                       {func(o *Outcome) { o.Pairs[1].HeapGrown = o.Pairs[1].HeapBound + 1 }, "the heap grew", true},
		"resident memory":            {func(o *Outcome) { o.Pairs[1].ResidentGrown = o.Pairs[1].ResidentBound + 1 }, "resident memory grew", true},
		"a surprise":                 {func(o *Outcome) { o.Raid.Surprises = []string{"x: kept"} }, "not as expected: x: kept", true},
		"an event is missing":        {func(o *Outcome) { o.Events[rejected]-- }, "99 of 100 events", true},
		"an event is lost":           {func(o *Outcome) { o.Events[rejected]--; o.EventsLost = 1 }, "", true},
		"an event too many":          {func(o *Outcome) { o.Events[rejected]++; o.EventsLost = 1 }, "101 of 100 events", true},
		"an event that must be":      {func(o *Outcome) { o.must = "accept failed" }, `no event "accept failed"`, true},
		"inputs not sent":            {func(o *Outcome) { o.Inputs = 3 }, "time for 2 of 3 inputs", false},
		"inputs not sent, quick":     {func(o *Outcome) { o.Inputs = 3 }, "", true},
		"no connection":              {func(o *Outcome) { o.Raid.Connections = 0 }, "made no connection", true},
		"goroutines":                 {func(o *Outcome) { o.Goroutines = goroutinesLeft + 1 }, "left over: 3 goroutines", true},
		"descriptors":                {func(o *Outcome) { o.Descriptors = 1 }, "1 descriptors", true},
		"what an attack left behind": {func(o *Outcome) { o.Heap = heapLeft + 1 }, "left over", true},
		"a secret":                   {func(o *Outcome) { o.Leak = rejected }, "secret", true},
	} {
		o := calm()
		x.change(o)
		o.judge(x.quick)
		if o.Spread != 1 {
			t.Errorf("%s: got spread %g of equal slices, want 1", name, o.Spread)
		}
		if got := strings.Join(o.Broken, "; "); x.want == "" && got != "" || !strings.Contains(got, x.want) || len(o.Broken) > 1 {
			t.Errorf("%s: got %q, want %q", name, got, x.want)
		}
	}
}

// late makes most of the pairs so much slower.
func late(ratio float64) func(o *Outcome) {
	return func(o *Outcome) {
		for i := range o.Pairs[:Pairs/2+1] {
			o.Pairs[i].During.P99, o.Pairs[i].Ratio = ratio, ratio
		}
	}
}

// The bound is 64 KiB for each connection and what was sent, beside fixed parts; a
// system that cannot tell its resident memory is not judged by it.
func TestWeigh(t *testing.T) {
	var p Pair
	r := &raid{Open: 20, OpenNow: 10, Entitled: 7000, Now: 5000}
	p.weigh(&usage{Live: 100, Resident: 1000}, &usage{Live: 300, Resident: 5000}, r)
	want := Pair{HeapGrown: 200, HeapBound: heapSlack + 10*perConnection + 5000, ResidentGrown: 4000, ResidentBound: rssSlack + 2*(20*perConnection+7000)}
	if p != want {
		t.Errorf("got %+v, want %+v", p, want)
	}
	p = Pair{}
	p.weigh(&usage{Resident: -1}, &usage{Resident: -1}, r)
	if p.ResidentBound != 0 || p.over() != 0 {
		t.Errorf("without resident memory: got %+v", p)
	}
}

// The table has a line for each outcome, and says what was broken; JSON has it all.
func TestReport(t *testing.T) {
	good, bad := calm(), calm()
	bad.Leak = rejected
	good.judge(false)
	bad.judge(false)
	r := NewReport(3 * time.Second)
	r.Outcomes = []*Outcome{good, bad}
	if got := r.Failed(); got != 1 {
		t.Errorf("got %d failed, want 1", got)
	}
	var b strings.Builder
	if err := r.Table(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"p99 ms before", good.Name, "BROKEN " + bad.Name + ": an event", "100/100", "SEC-16: files"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("got the table\n%s\nwant %q in it", &b, want)
		}
	}
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back Report
	lines := json.NewDecoder(bytes.NewReader(data))
	lines.DisallowUnknownFields()
	if err := lines.Decode(&back); err != nil || len(back.Outcomes) != 2 || back.Outcomes[1].Broken[0] != bad.Broken[0] || back.Outcomes[0].Raid.Refused != 100 {
		t.Errorf("got %+v, %v, want what was written", back, err)
	}
}
