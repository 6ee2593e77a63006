//go:build linux || darwin || freebsd

package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// systemClock is CLOCK_MONOTONIC, in nanoseconds.
func systemClock() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		panic(fmt.Sprintf("CLOCK_MONOTONIC is one that every such system has: %v", err))
	}
	return t.Nano()
}
