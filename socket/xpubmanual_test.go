package socket_test

import (
	"testing"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// TestXPubManualTellsOfEachPeer: the application, which keeps books for each peer,
// is told of each that goes, though others still want the topic.
func TestXPubManualTellsOfEachPeer(t *testing.T) {
	confEach(t, func(e *confEnv) {
		x := e.New(pattern.XPub, &socket.Options{XPubManual: true})
		at := e.Bind(x)
		var subs []*socket.Socket
		for range 2 {
			s := e.New(pattern.Sub, nil)
			e.Subscribe(s, "b")
			e.Connect(s, at)
			m, err := x.Recv(e.ctx)
			if err != nil {
				e.Fatal(err)
			}
			if err := x.SubscribePeer(m.Peer(), "b"); err != nil {
				e.Fatal(err)
			}
			subs = append(subs, s)
		}
		e.Close(subs[0])
		e.Want(x, "\x00b")
	})
}
