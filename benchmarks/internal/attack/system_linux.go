package attack

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// playable reports whether this system can play a cell.
func playable(Cell) bool { return true }

// limitFiles lets this process open so many descriptors more.
func limitFiles(more int) error {
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("getrlimit: %w", err)
	}
	limit.Cur = uint64(len(open) + more)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("setrlimit: %w", err)
	}
	return nil
}

// sleepUntil waits on the clock that now reads. The runtime's timers are a
// millisecond apart while a process is idle, which would be most of a latency.
func sleepUntil(_ func() int64, due int64) {
	at := unix.NsecToTimespec(due)
	for errors.Is(unix.ClockNanosleep(unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, &at, nil), unix.EINTR) {
	}
}

// processorTime is what this process has used.
func processorTime() time.Duration {
	var r unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
