//go:build linux && !race

package socket_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// What a message and a connection cost, where that can be counted exactly.
// Without the race detector, which changes what is counted.

// systemCalls is how many reads and writes this process has made.
func systemCalls(t *testing.T) (reads, writes int64) {
	t.Helper()
	text, err := os.ReadFile("/proc/self/io")
	if err != nil {
		t.Skipf("system calls cannot be counted here: %v", err)
	}
	for line := range bytes.Lines(text) {
		name, value, _ := bytes.Cut(bytes.TrimSpace(line), []byte(": "))
		n, _ := strconv.ParseInt(string(value), 10, 64)
		switch string(name) {
		case "syscr":
			reads = n
		case "syscw":
			writes = n
		}
	}
	return reads, writes
}

// TestSystemCallsOfStream: a stream of 64-byte messages takes at most one
// system call for 400 of them on each side. Both sides take turns on
// one processor: with two, how much a read finds depends on what else they do.
func TestSystemCallsOfStream(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for _, endpoint := range []string{"tcp://127.0.0.1:0", "ipc://*"} {
		t.Run(fmt.Sprintf("%.3s", endpoint), func(t *testing.T) {
			push, pull := allocPair(t, pattern.Push, pattern.Pull, endpoint)
			const n = 400_000
			done := make(chan error, 1)
			r0, w0 := systemCalls(t)
			go func() {
				body := make([]byte, 64)
				for range n {
					if err := push.Send(context.Background(), body); err != nil {
						done <- err
						return
					}
				}
				done <- nil
			}()
			var m ringwire.Message
			for range n {
				if err := pull.RecvInto(t.Context(), &m); err != nil {
					t.Fatal(err)
				}
			}
			m.Release()
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			r1, w1 := systemCalls(t)
			t.Logf("%d messages, %d reads, %d writes", n, r1-r0, w1-w0)
			if most := int64(n / 400); r1-r0 > most || w1-w0 > most {
				t.Errorf("%d messages took %d reads and %d writes, want at most %d", n, r1-r0, w1-w0, most)
			}
		})
	}
}

// TestSystemCallsOfRoundTrip: each way of a round trip is one write.
func TestSystemCallsOfRoundTrip(t *testing.T) {
	for _, endpoint := range []string{"tcp://127.0.0.1:0", "ipc://*"} {
		t.Run(fmt.Sprintf("%.3s", endpoint), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			rep, req := tokenOpen(t, pattern.Rep, socket.Options{}), tokenOpen(t, pattern.Req, socket.Options{})
			tokenConnect(t, req, tokenBind(t, rep, endpoint))
			if err := req.WaitPeers(ctx, 1); err != nil {
				t.Fatal(err)
			}
			const n = 2000
			done := make(chan error, 1)
			go func() {
				var m ringwire.Message
				defer m.Release()
				for range n {
					if err := rep.RecvInto(ctx, &m); err != nil {
						done <- err
						return
					}
					if err := rep.Send(ctx, m.Frame(0)); err != nil {
						done <- err
						return
					}
				}
				done <- nil
			}()
			_, w0 := systemCalls(t)
			var m ringwire.Message
			defer m.Release()
			for range n {
				if err := req.Send(ctx, []byte("ping")); err != nil {
					t.Fatal(err)
				}
				if err := req.RecvInto(ctx, &m); err != nil {
					t.Fatal(err)
				}
			}
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			_, w1 := systemCalls(t)
			// The runtime writes, too, now and then, to wake its poller.
			if got := w1 - w0; got < 2*n || got > 2*n+n/10 {
				t.Errorf("%d round trips took %d writes, want %d", n, got, 2*n)
			}
		})
	}
}

// idle opens n connections, and returns when all are ready and quiet.
func idle(t *testing.T, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	pull := tokenOpen(t, pattern.Pull, socket.Options{})
	at := tokenBind(t, pull, "tcp://127.0.0.1:0")
	push := tokenOpen(t, pattern.Push, socket.Options{})
	for range n {
		tokenConnect(t, push, at)
	}
	if err := pull.WaitPeers(ctx, n); err != nil {
		t.Fatal(err)
	}
	if err := push.WaitPeers(ctx, n); err != nil {
		t.Fatal(err)
	}
}

// TestCostOfIdleConnection bounds what a connection holds while nothing
// happens: goroutines, and heap and stack of both of its ends.
func TestCostOfIdleConnection(t *testing.T) {
	const n = 500
	idle(t, 1) // what is made once
	before, memory := runtime.NumGoroutine(), heldMemory()
	idle(t, n)
	goroutines, bytes := runtime.NumGoroutine()-before, heldMemory()-memory
	t.Logf("%.2f goroutines, %d bytes per connection, both ends", float64(goroutines)/n, bytes/n)
	// A reader for each end, and a few for the sockets.
	if most := 2*n + 10; goroutines > most {
		t.Errorf("%d connections have %d goroutines, want at most %d", n, goroutines, most)
	}
	if most := int64(32 << 10); bytes/n > most {
		t.Errorf("a connection holds %d bytes at both ends, want at most %d", bytes/n, most)
	}
}

func heldMemory() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what pools hold goes with the second
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

// TestIdleConnectionsUseNoProcessor: connections on which nothing happens, and
// receivers that wait, do not run.
func TestIdleConnectionsUseNoProcessor(t *testing.T) {
	push, pull := allocPair(t, pattern.Push, pattern.Pull, "tcp://127.0.0.1:0")
	stop, cancel := context.WithCancel(t.Context())
	waiting := make(chan struct{})
	go func() {
		defer close(waiting)
		var m ringwire.Message
		defer m.Release()
		for pull.RecvInto(stop, &m) == nil {
		}
	}()
	for range 100_000 {
		if err := push.Send(t.Context(), make([]byte, 64)); err != nil {
			t.Fatal(err)
		}
	}
	idle(t, 100)
	// Until a whole second went by in which less than a fiftieth of it was
	// used: a second in which others collect garbage does not count.
	for begin := time.Now(); ; {
		used := processorTime(t)
		time.Sleep(time.Second)
		if used = processorTime(t) - used; used < 20*time.Millisecond {
			break
		} else if time.Since(begin) > 20*time.Second {
			t.Fatalf("idle sockets used %v of processor time in a second, want nothing", used)
		}
	}
	cancel()
	<-waiting
}

func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
