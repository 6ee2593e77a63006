package socket_test

import (
	"testing"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// Peers that come, leave messages and go, while nobody receives: what they left
// is kept up to RecvHWMBytes and dropped beyond, with its reason.
func TestOrphanedMessagesAreBounded(t *testing.T) {
	confOn(t, "tcp", func(e *confEnv) {
		const limit, peers, size = 1 << 20, 100, 64 << 10
		pull := e.New(pattern.Pull, &socket.Options{RecvHWMBytes: limit})
		at := e.Bind(pull)
		for i := range peers {
			push := e.New(pattern.Push, nil)
			e.Connect(push, at)
			e.Send(push, string(make([]byte, size)))
			if err := push.Close(); err != nil { // delivers first
				e.Fatal(err)
			}
			e.Until("the peer has come and gone", func() bool { return pull.Stats().Disconnects == int64(i+1) })
		}
		st := pull.Stats()
		if kept := st.RecvQueued * size; kept > limit || kept < limit/2 {
			e.Errorf("%d messages of %d bytes are queued, want about %d bytes", st.RecvQueued, size, limit)
		}
		if st.Arrived != peers || st.RecvDropped.PeerGone+st.RecvQueued != peers {
			e.Errorf("got %+v, want %d arrived, dropped as peer gone or queued", st.Counters, peers)
		}
		e.Accounts(pull)
	})
}
