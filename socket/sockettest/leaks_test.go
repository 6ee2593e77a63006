package sockettest_test

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwire/ringwire/socket/sockettest"
)

// recorder is a test that is watched: what it reports, and when it ends.
type recorder struct {
	testing.TB
	cleanups []func()
	errors   []string
}

func (r *recorder) Helper()          {}
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func (r *recorder) end() {
	for _, f := range r.cleanups {
		f()
	}
}

// leak is a goroutine to be found by name.
func leak(stop <-chan struct{}, done chan<- struct{}) {
	<-stop
	close(done)
}

func TestCheckLeaksGoroutine(t *testing.T) {
	stop, done := make(chan struct{}), make(chan struct{})
	before := make(chan struct{})
	go leak(stop, before) // started before: not the test's
	r := &recorder{TB: t}
	sockettest.CheckLeaksWithin(r, time.Millisecond)
	go leak(stop, done)
	r.end()
	// Whether it has come to leak by now or not, its stack says who made it.
	if len(r.errors) != 1 || !strings.Contains(r.errors[0], "1 goroutines") || !strings.Contains(r.errors[0], "created by github.com/ringwire/ringwire/socket/sockettest_test.TestCheckLeaksGoroutine") {
		t.Errorf("got %q, want one goroutine with its stack", r.errors)
	}
	close(stop)
	<-done
	<-before
}

// TestCheckLeaksGrace: what ends by itself is no leak.
func TestCheckLeaksGrace(t *testing.T) {
	stop, done := make(chan struct{}), make(chan struct{})
	r := &recorder{TB: t}
	sockettest.CheckLeaksWithin(r, time.Minute)
	go leak(stop, done)
	time.AfterFunc(20*time.Millisecond, func() { close(stop) })
	r.end()
	if len(r.errors) != 0 {
		t.Errorf("got %q, want nothing", r.errors)
	}
	<-done
}

func TestCheckLeaksDescriptor(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("descriptors can be listed on Linux only")
	}
	for _, bubble := range []bool{false, true} {
		check := func(t *testing.T) {
			r := &recorder{TB: t}
			sockettest.CheckLeaksWithin(r, time.Millisecond)
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			f, err := os.Open(os.DevNull)
			if err != nil {
				t.Fatal(err)
			}
			r.end()
			if len(r.errors) != 1 || !strings.Contains(r.errors[0], "2 descriptors") ||
				!strings.Contains(r.errors[0], "socket:[") || !strings.Contains(r.errors[0], os.DevNull) {
				t.Errorf("bubble %v: got %q, want a socket and %s", bubble, r.errors, os.DevNull)
			}
			l.Close()
			f.Close()
			r.errors = nil
			r.end()
			if len(r.errors) != 0 {
				t.Errorf("bubble %v, closed: got %q, want nothing", bubble, r.errors)
			}
		}
		if bubble {
			synctest.Test(t, check)
		} else {
			check(t)
		}
	}
}

// TestCheckLeaksInBubble: goroutines of the bubble have five seconds of its
// clock to end; those outside do not count.
func TestCheckLeaksInBubble(t *testing.T) {
	outside, ended := make(chan struct{}), make(chan struct{})
	synctest.Test(t, func(t *testing.T) {
		sockettest.CheckLeaks(t)
		go time.Sleep(4 * time.Second)
	})
	go leak(outside, ended)
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{TB: t}
		sockettest.CheckLeaks(r)
		stop, done := make(chan struct{}), make(chan struct{})
		go leak(stop, done)
		start := time.Now()
		r.end()
		if len(r.errors) != 1 || !strings.Contains(r.errors[0], "1 goroutines") || !strings.Contains(r.errors[0], "sockettest_test.leak") {
			t.Errorf("got %q, want one goroutine with its stack", r.errors)
		}
		if took := time.Since(start); took < 5*time.Second || took > 6*time.Second {
			t.Errorf("it waited for %v, want 5s", took)
		}
		close(stop)
		<-done
	})
	close(outside)
	<-ended
}

func TestCheckLeaksNothing(t *testing.T) {
	sockettest.CheckLeaks(t)
	t.Run("sub", func(t *testing.T) { sockettest.CheckLeaks(t) })
	synctest.Test(t, func(t *testing.T) {
		n := sockettest.NewNetwork(1)
		a, b := connect(t, n)
		write(t, a, "x")
		want(t, b, "x")
	})
}
