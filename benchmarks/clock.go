package main

import (
	"math"
	"runtime"
	"time"
)

// clock reads the system's monotonic clock, which all processes and libzmq's C
// loops share. Reading it is reading Go's own monotonic clock: no system call.
type clock struct {
	base   time.Time
	offset int64
}

// newClock finds out by how much the two clocks differ. The system's is read
// between two readings of Go's; the closest pair of a hundred counts.
func newClock() clock {
	c := clock{base: time.Now()}
	closest := time.Duration(math.MaxInt64)
	for range 100 {
		before := time.Since(c.base)
		now := systemClock()
		after := time.Since(c.base)
		if after-before < closest {
			closest = after - before
			c.offset = now - int64(before+closest/2)
		}
	}
	return c
}

// now is the time in nanoseconds.
func (c clock) now() int64 { return int64(time.Since(c.base)) + c.offset }

// waitUntil returns when it is due: at once if that is over. A timer is only as
// exact as the system wakes sleepers, so the last millisecond is spent looking.
func (c clock) waitUntil(due int64) {
	for look := 1; ; look++ {
		left := time.Duration(due - c.now())
		switch {
		case left <= 0:
			return
		case left > time.Millisecond:
			time.Sleep(left - time.Millisecond)
		case look%64 == 0:
			runtime.Gosched() // for goroutines of the library on this processor
		default:
			yield() // the kernel, as the loops in C do
		}
	}
}
