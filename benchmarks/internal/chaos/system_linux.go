package chaos

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// stop and resume a process.
func stopProcess(pid int) error   { return syscall.Kill(pid, syscall.SIGSTOP) }
func resumeProcess(pid int) error { return syscall.Kill(pid, syscall.SIGCONT) }

// limitFiles lets a process open no more files than it has, until restore.
func limitFiles(pid int) (restore func() error, err error) {
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return nil, err
	}
	var old unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &old); err != nil {
		return nil, fmt.Errorf("prlimit: %w", err)
	}
	// The limit is on the largest number, and they may have gaps.
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: uint64(len(open)), Max: old.Max}, nil); err != nil {
		return nil, fmt.Errorf("prlimit: %w", err)
	}
	return func() error { return unix.Prlimit(pid, unix.RLIMIT_NOFILE, &old, nil) }, nil
}

// residentPeak is the most memory that a process had at once.
func residentPeak(pid int) (int64, bool) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, false
	}
	_, rest, found := strings.Cut(string(status), "VmHWM:")
	var kilobytes int64
	_, err = fmt.Sscan(rest, &kilobytes)
	return kilobytes << 10, found && err == nil
}

// islands are two network namespaces with a cable between them.
type islands struct {
	names     [2]string
	addresses [2]string
}

var islandCount atomic.Int64

// newIslands makes them, which needs the right to.
func newIslands() (*islands, error) {
	n := islandCount.Add(1)
	w := &islands{}
	for i := range w.names {
		w.names[i] = fmt.Sprintf("rwchaos%dx%d%c", os.Getpid(), n, 'a'+i)
		w.addresses[i] = fmt.Sprintf("10.77.%d.%d", n%250, i+1)
	}
	a, b := w.names[0], w.names[1]
	commands := [][]string{{"netns", "add", a}, {"netns", "add", b}, {"-n", a, "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", b}}
	for i, name := range w.names {
		commands = append(commands, []string{"-n", name, "addr", "add", w.addresses[i] + "/24", "dev", "cable"},
			[]string{"-n", name, "link", "set", "lo", "up"}, []string{"-n", name, "link", "set", "cable", "up"})
	}
	for _, c := range commands {
		if err := ip(c...); err != nil {
			w.close()
			return nil, fmt.Errorf("no network namespaces here: %w", err)
		}
	}
	return w, nil
}

func ip(args ...string) error {
	out, err := exec.Command("ip", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// cable takes the link of the first down or up again.
func (w *islands) cable(up bool) error {
	state := "down"
	if up {
		state = "up"
	}
	return ip("-n", w.names[0], "link", "set", "cable", state)
}

// blackhole has the second send nothing to the first, or undoes that.
func (w *islands) blackhole(on bool) error {
	verb := "add"
	if !on {
		verb = "del"
	}
	return ip("-n", w.names[1], "route", verb, "blackhole", w.addresses[0]+"/32")
}

// in is the command line that runs args in one of them.
func (w *islands) in(which int, args []string) []string {
	return append([]string{"ip", "netns", "exec", w.names[which]}, args...)
}

func (w *islands) close() {
	for _, name := range w.names {
		_ = ip("netns", "del", name) // it may not have been made
	}
}
