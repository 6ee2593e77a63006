package socket_test

import (
	"testing"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// TestDisconnectsAreCounted: Stats.Disconnects counts "ready peers that went", and a
// Disconnected event that says what follows and what was dropped comes with each, over
// every transport.
func TestDisconnectsAreCounted(t *testing.T) {
	confEach(t, func(e *confEnv) {
		push := e.New(pattern.Push, &socket.Options{SendHWM: 5})
		at := e.Bind(push)
		next := e.Events(push)
		for i := range 3 {
			pull := e.New(pattern.Pull, &socket.Options{RecvHWM: 1})
			e.Connect(pull, at)
			e.WaitPeers(push, 1)
			e.Close(pull)
			ev := next(socket.Disconnected)
			if ev.Next != socket.NextAccept {
				e.Errorf("Disconnected says that %q follows, want %q", ev.Next, socket.NextAccept)
			}
			if r := ev.Reason(); r != "closed by the peer" && r != "reset" {
				e.Errorf("Disconnected has the reason %q, want that the peer closed", r)
			}
			if got := push.Stats().Disconnects; got != int64(i+1) {
				e.Errorf("%d disconnects are counted after %d", got, i+1)
			}
		}
	})
}

// TestDoctorKnewASubscriber: a subscriber that came and went, and to which nothing was
// sent, was known all the same.
func TestDoctorKnewASubscriber(t *testing.T) {
	confEach(t, func(e *confEnv) {
		l := new(relLog)
		pub, sub := e.New(pattern.Pub, &socket.Options{Logger: relLogger(l)}), e.New(pattern.Sub, nil)
		e.Subscribe(sub, "topic")
		e.Join(pub, sub)
		e.WaitSubscribers(pub, "topic", 1)
		e.Close(sub)
		e.Until("the subscriber is gone", func() bool { return pub.Stats().Peers == 0 })
		e.Send(pub, "topic")
		l.want(t, "a subscriber was known")
	})
}
