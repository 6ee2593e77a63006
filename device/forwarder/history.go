package main

import "time"

// point is one second of the plot.
type point struct {
	Number  int64   `json:"n"` // counts the points since the start
	Time    int64   `json:"t"` // in milliseconds since 1970
	In      float64 `json:"in"`
	Out     float64 `json:"out"`
	Dropped float64 `json:"dropped"`
	Queued  int64   `json:"queued"`
}

// historyLength is how many seconds are kept: five minutes.
const historyLength = 300

// history has a point for each of the last seconds: what moved in it, per
// second. The watcher guards it.
type history struct {
	points []point // the last ones, oldest first
	time   time.Time
	total  totals // at that time
}

type totals struct{ in, out, dropped int64 }

// add makes a point when a second has passed since the last one.
func (h *history) add(sn *snapshot) {
	var now totals
	var queued int64
	for _, s := range sn.Sides {
		c := &s.Stats.Counters
		now.dropped += drops(c)
		queued += c.SendQueued + c.RecvQueued
		now.out += c.Written
	}
	now.in = sn.Device.Forward.Received.Messages + sn.Device.Backward.Received.Messages
	if h.time.IsZero() {
		h.time, h.total = sn.Time, now
		return
	}
	// Half a look early is near enough: the next look may come late.
	elapsed := sn.Time.Sub(h.time)
	if elapsed < time.Second-lookInterval/2 {
		return
	}
	rate := func(before, after int64) float64 { return float64(after-before) / elapsed.Seconds() }
	p := point{
		Time: millis(sn.Time), In: rate(h.total.in, now.in), Out: rate(h.total.out, now.out),
		Dropped: rate(h.total.dropped, now.dropped), Queued: queued,
	}
	if n := len(h.points); n > 0 {
		p.Number = h.points[n-1].Number + 1
	} else {
		p.Number = 1
	}
	if len(h.points) == historyLength {
		copy(h.points, h.points[1:])
		h.points = h.points[:historyLength-1]
	}
	h.points = append(h.points, p)
	h.time, h.total = sn.Time, now
}

// since returns a copy of the points after number n.
func (h *history) since(n int64) []point {
	list := []point{}
	for _, p := range h.points {
		if p.Number > n {
			list = append(list, p)
		}
	}
	return list
}
