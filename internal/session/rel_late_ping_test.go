package session

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwire/ringwire/internal/zmtp"
)

// TestREL06LatePing: the time for an answer begins when the PING can be written. A
// PING that waited behind a large message until just before the timeout was not
// answered because there was no time to, not because the peer is dead.
func TestREL06LatePing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := relRun(t, Heartbeat{Interval: relInterval, Timeout: relTimeout})
		// The peer is busy with what came before, and reads on 10 ms before the
		// first PING's timeout. It answers 100 ms after it has read a PING.
		time.Sleep(relInterval + relTimeout - 10*time.Millisecond)
		go func() {
			buf := make([]byte, 1000)
			for {
				if _, err := r.peer.Read(buf); err != nil {
					return
				}
				time.AfterFunc(100*time.Millisecond, func() { r.peer.Write(zmtp.AppendPong(nil, nil)) })
			}
		}()
		r.lives(t, "a peer that answers every PING within 100 ms", relAges)
	})
}
