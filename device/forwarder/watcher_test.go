package main

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/ringwire/ringwire/device"
	"github.com/ringwire/ringwire/socket"
)

func TestRates(t *testing.T) {
	var track track
	now := time.Now()
	c := &socket.Counters{Accepted: 1000, Written: 1000}
	track.update(now, c) // the first look has no past
	if r := track.rates; r != (rates{}) {
		t.Errorf("rates %+v after the first look", r)
	}
	for range 40 { // 20 seconds
		now = now.Add(lookInterval)
		c.Accepted, c.Written, c.AcceptedBytes, c.Arrived = c.Accepted+50, c.Written+40, c.AcceptedBytes+5000, c.Arrived+10
		c.SendDropped.HWM += 10
		track.update(now, c)
	}
	r := track.rates
	for name, x := range map[string][2]float64{
		"out": {r.Out, 100}, "written": {r.Written, 80}, "bytes": {r.OutBytes, 10000}, "in": {r.In, 20}, "dropped": {r.Dropped, 20},
	} {
		if math.Abs(x[0]-x[1]) > x[1]/100 {
			t.Errorf("%s: %g/s, want %g/s", name, x[0], x[1])
		}
	}
	for range 60 {
		now = now.Add(lookInterval)
		track.update(now, c)
	}
	if track.rates != (rates{}) {
		t.Errorf("rates %+v after half a minute without anything", track.rates)
	}
}

func TestConditions(t *testing.T) {
	var track track
	now := time.Now()
	c := &socket.Counters{Written: 5}
	step := func(change func()) condition {
		change()
		now = now.Add(lookInterval)
		track.update(now, c)
		return track.condition(now, true)
	}
	for i, x := range []struct {
		change func()
		want   condition
	}{
		{func() {}, fine},
		{func() { c.SendQueued = 10 }, fine}, // half a second is not long
		{func() {}, stalled},                 // a whole one is
		{func() { c.SendDropped.HWM++ }, stalled},
		{func() { c.Written++ }, dropping}, // it moves, and missed something
		{func() { c.SendQueued = 0 }, dropping},
		{func() { now = now.Add(dropMemory) }, fine},
	} {
		if got := step(x.change); got != x.want {
			t.Errorf("step %d: %s, want %s", i, got, x.want)
		}
	}
	if got := track.condition(now, false); got != connecting {
		t.Errorf("without a connection it is %s", got)
	}
}

func TestHistory(t *testing.T) {
	var h history
	now := time.Now()
	sn := &snapshot{Time: now}
	h.add(sn)
	for i := range 2*historyLength + 2 {
		now = now.Add(lookInterval)
		sn = &snapshot{Time: now, Device: device.Stats{Forward: device.Direction{Received: device.Traffic{Messages: int64(50 * (i + 1))}}}}
		sn.Sides[1].Stats.Written = int64(25 * (i + 1))
		sn.Sides[1].Stats.SendQueued = 7
		h.add(sn)
	}
	all := h.since(0)
	if len(all) != historyLength {
		t.Fatalf("%d points, want %d", len(all), historyLength)
	}
	for i, p := range all {
		if p.Number != int64(i+2) || p.In != 100 || p.Out != 50 || p.Dropped != 0 || p.Queued != 7 {
			t.Fatalf("point %d is %+v", i, p)
		}
	}
	last := all[len(all)-1].Number
	if got := h.since(last - 2); len(got) != 2 || got[1].Number != last {
		t.Errorf("the last two are %+v", got)
	}
	if got := h.since(last); got == nil || len(got) != 0 {
		t.Errorf("nothing new is %+v, want an empty list", got)
	}
}

func TestEventLog(t *testing.T) {
	var l eventLog
	for range 3 {
		l.add(eventView{Time: time.Unix(1, 0), Times: 1, Kind: "slow peer", Remote: "a"})
		l.add(eventView{Time: time.Unix(2, 0), Times: 1, Kind: "slow peer", Remote: "b"})
	}
	if got := l.all(); len(got) != 2 || got[0].Times != 3 || got[1].Times != 3 || got[1].Remote != "b" {
		t.Errorf("repeated events are %+v", got)
	}
	for i := range 2 * eventLength {
		l.add(eventView{Times: 1, Unsent: int64(i + 1)})
	}
	if got := l.all(); len(got) != eventLength || got[eventLength-1].Unsent != 2*eventLength {
		t.Errorf("%d events, the last is %+v", len(got), got[len(got)-1])
	}
}

// TestEventLogNames: what is called by its address only has no name.
func TestEventLogNames(t *testing.T) {
	var l eventLog
	l.listen(slices.Values([]socket.Event{
		{Kind: socket.Ready, Name: `"archive"`, Remote: "127.0.0.1:1"},
		{Kind: socket.Ready, Name: "127.0.0.1:2", Remote: "127.0.0.1:2"},
	}), "backend")
	if len(l.list) != 2 || l.list[0].Name != `"archive"` || l.list[1].Name != "" {
		t.Errorf("got %+v, want the name of the first alone", l.list)
	}
}
