package session_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// TestREL06DeadWriter: a peer that is gone without a word while a write to it waits
// is given up in the end, though it cannot be told whether its system answers.
func TestREL06DeadWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newMemNet()
		beat := socket.Options{HeartbeatInterval: time.Second, HeartbeatTimeout: time.Second, SendHWM: 2, NoLinger: true}
		push := open(t, n, pattern.Push, beat)
		if _, err := push.Bind("mem://x"); err != nil {
			t.Fatal(err)
		}
		raw := relRaw(t, n, "x", "PULL", "")
		if err := push.WaitPeers(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		for push.TrySend(make([]byte, 100<<10)) == nil {
		}
		time.Sleep(40 * time.Second)
		synctest.Wait()
		if got := push.Stats().Disconnects; got != 1 {
			t.Errorf("got %d disconnects after 40 s of silence, want 1", got)
		}
		raw.Close()
	})
}
