package session_test

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// TestREL06FullPeerBeats: a peer whose queue is full cannot answer a PING; its own
// PINGs are the sign of life. With the same interval on both sides and the default
// timeout, which is the interval, a latency that varies by a few milliseconds must
// not make it look dead.
func TestREL06FullPeerBeats(t *testing.T) {
	for ms := range 10 { // by how much one side's heartbeat is behind the other's
		synctest.Test(t, func(t *testing.T) { fullPeerBeats(t, time.Duration(ms)*time.Millisecond) })
	}
}

func fullPeerBeats(t *testing.T, behind time.Duration) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Hour)
	defer cancel()
	n := newMemNet()
	var reads atomic.Int64
	random := rand.New(rand.NewPCG(1, 2))
	n.hook = func(c *memConn, write bool) error {
		switch {
		case write && c.dialed: // the peer's handshake, then its writer goroutine
			time.Sleep(time.Duration(random.IntN(5_000_000)))
		case !write && !c.dialed && reads.Add(1) <= 2: // our handshake
			time.Sleep(behind)
		}
		return nil
	}
	beat := socket.Options{HeartbeatInterval: time.Second, NoLinger: true}
	us := open(t, n, pattern.Push, beat)
	beat.RecvHWM = 1
	peer := open(t, n, pattern.Pull, beat)
	join(ctx, t, us, peer)
	for range 5 {
		if err := us.Send(ctx, make([]byte, 10)); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(time.Hour)
	synctest.Wait()
	if st := us.Stats(); st.Disconnects != 0 {
		t.Errorf("got %d disconnects in an hour, want 0: the peer lives, and beats", st.Disconnects)
	}
}
