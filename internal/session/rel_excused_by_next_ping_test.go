package session_test

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// TestREL06NextPing: a silent peer is given up within an interval and two timeouts,
// also when the timeout is the interval, which is the default: the next PING, which is
// queued at the moment of the verdict and takes a millisecond to be written, is no
// reason to excuse the one before it.
func TestREL06NextPing(t *testing.T) {
	for run := range 100 {
		synctest.Test(t, func(t *testing.T) {
			n := newMemNet()
			n.hook = func(c *memConn, write bool) error {
				if write && !c.dialed {
					time.Sleep(time.Millisecond)
				}
				return nil
			}
			us := open(t, n, pattern.Pull, socket.Options{HeartbeatInterval: time.Second})
			relBind(t, us, "mem://x")
			raw := relRaw(t, n, "x", "PUSH", "")
			go io.Copy(io.Discard, raw) // it reads, and is silent
			if err := us.WaitPeers(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			time.Sleep(3*time.Second + 10*time.Millisecond)
			synctest.Wait()
			if got := us.Stats().Disconnects; got != 1 {
				t.Errorf("run %d: got %d disconnects after an interval and two timeouts, want 1", run, got)
			}
			raw.Close()
		})
	}
}
