package sockettest

import (
	"bytes"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// leakGrace is how long goroutines that are about to end are waited for. A
// healthy test does not wait: it looks until nothing is left.
const leakGrace = 5 * time.Second

// CheckLeaks makes t fail if, at its end, goroutines are left that were not
// there when CheckLeaks was called, or, on Linux, open files and connections.
// Call it first in a test: the check is the last of its clean-ups, after five
// seconds in which what is about to end may do so. The error has the stacks.
//
// Both are looked for in the whole process. A test that runs in parallel with
// others sees theirs, so it must not be parallel; goroutines of the testing
// package and of bubbles are left out. Called inside a bubble of
// testing/synctest it leaves goroutines to the bubble, which does not end
// before they have and fails if they cannot, and looks for descriptors only;
// the five seconds are the bubble's.
func CheckLeaks(t testing.TB) {
	t.Helper()
	checkLeaks(t, leakGrace)
}

func checkLeaks(t testing.TB, grace time.Duration) {
	t.Helper()
	bubble := inBubble()
	before, files := goroutines(), descriptors()
	t.Cleanup(func() {
		t.Helper()
		var stacks, open []string
		end := time.Now().Add(grace)
		for pause := time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
			if !bubble {
				stacks = added(before, goroutines())
			}
			open = added(files, descriptors())
			if len(stacks)+len(open) == 0 || !time.Now().Before(end) {
				break
			}
			time.Sleep(pause)
		}
		if len(stacks) > 0 {
			t.Errorf("%d goroutines are left that the test started:\n\n%s", len(stacks), strings.Join(stacks, "\n\n"))
		}
		if len(open) > 0 {
			t.Errorf("%d descriptors are left that the test opened: %s", len(open), strings.Join(open, ", "))
		}
	})
}

// added is the values of after whose keys are not in before, sorted.
func added(before, after map[string]string) []string {
	maps.DeleteFunc(after, func(key, _ string) bool {
		_, old := before[key]
		return old
	})
	return slices.Sorted(maps.Values(after))
}

// goroutines is the stacks of all goroutines that can be leaked, by number.
func goroutines() map[string]string {
	list := make(map[string]string)
	for i, stack := range bytes.Split(stacks(true), []byte("\n\n")) {
		text := strings.TrimSpace(string(stack))
		if i == 0 || !leakable(text) { // the first is the caller's
			continue
		}
		number, _, _ := strings.Cut(strings.TrimPrefix(text, "goroutine "), " ")
		list[number] = text
	}
	return list
}

// leakable leaves out what the runtime and the testing package start.
func leakable(stack string) bool {
	state, _, _ := strings.Cut(stack, "\n")
	if strings.Contains(state, "synctest bubble") {
		return false
	}
	for _, own := range []string{"\ncreated by testing.", "\ncreated by runtime.", "\ncreated by os/signal.", "\ntesting.(*M).", "\nos/signal.signal_recv"} {
		if strings.Contains(stack, own) {
			return false
		}
	}
	return true
}

// inBubble reports whether the caller is in a bubble of testing/synctest,
// which only the header of its stack tells.
func inBubble() bool {
	state, _, _ := bytes.Cut(stacks(false), []byte("\n"))
	return bytes.Contains(state, []byte("synctest bubble"))
}

// stacks is what runtime.Stack prints, all of it.
func stacks(all bool) []byte {
	for size := 64 << 10; ; size *= 2 {
		buf := make([]byte, size)
		if n := runtime.Stack(buf, all); n < size {
			return buf[:n]
		}
	}
}
