package socket_test

import (
	"errors"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// The event of an accepted peer that is gone says how many messages for it were
// dropped, and how many were written without proof of receipt.
func TestDisconnectedSaysWhatIsLost(t *testing.T) {
	confOn(t, "tcp", func(e *confEnv) {
		push := e.New(pattern.Push, &socket.Options{SendHWM: 10, SendBuffer: 4096})
		next := e.Events(push)
		raw := confDial(t, e.Bind(push))
		raw.handshake(1, "Socket-Type", "PULL")
		next(socket.Ready)
		sent := int64(0)
		for ; ; sent++ { // until the kernel and the queue are full
			if err := push.TrySend(make([]byte, 64<<10)); errors.Is(err, ringwire.ErrAgain) {
				break
			} else if err != nil {
				e.Fatal(err)
			}
		}
		raw.close()
		ev := next(socket.Disconnected)
		st := push.Stats()
		if ev.Unsent == 0 || ev.Unsent != st.SendDropped.PeerGone || ev.InDoubt != st.InDoubt || ev.Unsent+ev.InDoubt != sent {
			e.Errorf("event says %d unsent and %d in doubt of %d messages, stats %+v", ev.Unsent, ev.InDoubt, sent, st.Counters)
		}
	})
}
