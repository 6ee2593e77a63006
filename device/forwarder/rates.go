package main

import (
	"math"
	"time"

	"github.com/ringwire/ringwire/socket"
)

// rates are per second, smoothed over about two seconds.
type rates struct {
	Out      float64 // messages accepted for the peer
	OutBytes float64
	Written  float64 // messages given to the kernel
	In       float64 // messages that came
	Dropped  float64
}

// track is what the watcher remembers of a peer, or of a socket.
type track struct {
	time   time.Time // of the counters; zero: none yet
	last   socket.Counters
	rates  rates
	moved  time.Time // when something went out, or nothing was queued
	missed time.Time // when something was dropped; zero: never
}

// smoothing is how long the past counts.
const smoothing = 2 * time.Second

// update takes the counters of now.
func (t *track) update(now time.Time, c *socket.Counters) rates {
	if t.time.IsZero() {
		t.time, t.last, t.moved = now, *c, now
		return t.rates
	}
	elapsed := now.Sub(t.time)
	if elapsed < 10*time.Millisecond { // too short for a rate
		return t.rates
	}
	weight := 1 - math.Exp(-float64(elapsed)/float64(smoothing))
	toward := func(rate *float64, before, after int64) {
		*rate += weight * (float64(after-before)/elapsed.Seconds() - *rate)
		if math.Abs(*rate) < 0.01 {
			*rate = 0
		}
	}
	toward(&t.rates.Out, t.last.Accepted, c.Accepted)
	toward(&t.rates.OutBytes, t.last.AcceptedBytes, c.AcceptedBytes)
	toward(&t.rates.Written, t.last.Written, c.Written)
	toward(&t.rates.In, t.last.Arrived, c.Arrived)
	toward(&t.rates.Dropped, drops(&t.last), drops(c))
	if c.Written != t.last.Written || c.SendQueued == 0 {
		t.moved = now
	}
	if drops(c) > drops(&t.last) {
		t.missed = now
	}
	t.time, t.last = now, *c
	return t.rates
}

// drops are the messages that did not reach their peer, or us.
func drops(c *socket.Counters) int64 { return c.SendDropped.Total() + c.RecvDropped.Total() }

func (t *track) condition(now time.Time, ready bool) condition {
	switch {
	case !ready:
		return connecting
	case now.Sub(t.moved) >= stallTime:
		return stalled
	case !t.missed.IsZero() && now.Sub(t.missed) < dropMemory:
		return dropping
	}
	return fine
}
