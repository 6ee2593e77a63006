package sockettest

import (
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
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
// package and of bubbles of testing/synctest are left out.
//
// Called inside a bubble it looks for goroutines of that bubble, and the five
// seconds are the bubble's. That is more patient than the bubble itself, whose
// clock stands still when the test function has returned: there a goroutine
// that waits for a timer makes the bubble panic, and with CheckLeaks it may
// still end. One that does not end is reported first.
func CheckLeaks(t testing.TB) {
	t.Helper()
	checkLeaks(t, leakGrace)
}

func checkLeaks(t testing.TB, grace time.Duration) {
	t.Helper()
	bubble := ownBubble()
	before, files := goroutines(bubble), descriptors()
	t.Cleanup(func() {
		t.Helper()
		if bubble != "" {
			// A goroutine that enters Sleep is for a moment not shown as the bubble's.
			synctest.Wait()
		}
		var stacks, open []string
		end := time.Now().Add(grace)
		for pause := time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
			stacks = added(before, goroutines(bubble))
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

// goroutines is the stacks of all goroutines of a bubble that can be leaked, by
// number; outside of bubbles for "".
func goroutines(bubble string) map[string]string {
	list := make(map[string]string)
	for i, stack := range strings.Split(stacks(true), "\n\n") {
		stack = strings.TrimSpace(stack)
		if i == 0 || bubbleOf(stack) != bubble || !leakable(stack) { // the first is the caller's
			continue
		}
		number, _, _ := strings.Cut(strings.TrimPrefix(stack, "goroutine "), " ")
		list[number] = stack
	}
	return list
}

// leakable leaves out what the runtime and the testing package start.
func leakable(stack string) bool {
	for _, own := range []string{"\ncreated by testing.", "\ncreated by runtime.", "\ncreated by os/signal.", "\ntesting.(*M).", "\nos/signal.signal_recv"} {
		if strings.Contains(stack, own) {
			return false
		}
	}
	return true
}

// ownBubble is the caller's bubble.
func ownBubble() string { return bubbleOf(stacks(false)) }

// bubbleOf is the name of the bubble that a goroutine is in, "" for none: only
// the header of its stack tells.
func bubbleOf(stack string) string {
	header, _, _ := strings.Cut(stack, "\n")
	_, state, _ := strings.Cut(header, "[")
	for part := range strings.SplitSeq(strings.TrimSuffix(state, "]:"), ", ") {
		if strings.HasPrefix(part, "synctest bubble ") {
			return part
		}
	}
	return ""
}

// stacks is what runtime.Stack prints, all of it.
func stacks(all bool) string {
	for size := 64 << 10; ; size *= 2 {
		buf := make([]byte, size)
		if n := runtime.Stack(buf, all); n < size {
			return string(buf[:n])
		}
	}
}
