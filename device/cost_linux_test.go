package device_test

import (
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/device"
	"github.com/ringwire/ringwire/pattern"
)

// TestPausedCostsNothing: neither a paused device nor one whose back is gone uses
// processor time, although its senders have more than it can take.
func TestPausedCostsNothing(t *testing.T) {
	for _, how := range []string{"paused", "no back"} {
		t.Run(how, func(t *testing.T) {
			d := start(t, device.NewStreamer, "tcp", nil, nil, nil)
			if how == "paused" {
				d.Pause()
			}
			for range 2 {
				push := connected(t, pattern.Push, nil, d.front)
				waitPeers(t, push, 1)
				for {
					err := push.TrySend(make([]byte, 1<<20))
					if errors.Is(err, ringwire.ErrAgain) {
						break
					} else if err != nil {
						t.Fatal(err)
					}
				}
			}
			// Until there was a time in which less than a fiftieth of it was used:
			// one in which others collect garbage does not count.
			const window = 500 * time.Millisecond
			for begin := time.Now(); ; {
				used := processorTime(t)
				time.Sleep(window)
				if used = processorTime(t) - used; used < window/50 {
					return
				} else if time.Since(begin) > 20*window {
					t.Fatalf("a device that is %s used %v of processor time in %v, want nothing", how, used, window)
				}
			}
		})
	}
}

func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
