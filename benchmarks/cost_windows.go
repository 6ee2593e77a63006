package main

import "math"

// cpuSeconds is not counted here.
func cpuSeconds() *float64 { return nil }

// openFiles is how many files a process may open.
func openFiles() uint64 { return math.MaxUint64 }
