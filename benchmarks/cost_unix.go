//go:build unix

package main

import "golang.org/x/sys/unix"

// cpuSeconds is the CPU time of this process, of all threads.
func cpuSeconds() *float64 {
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &r); err != nil {
		return nil
	}
	seconds := float64(r.Utime.Nano()+r.Stime.Nano()) / 1e9
	return &seconds
}

// openFiles is how many files a process may open.
func openFiles() uint64 {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return uint64(limit.Max)
}
