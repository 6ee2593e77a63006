package session_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// TestREL05UnsentIsNotReceived: UnsentError counts messages of which the kernel had
// not taken every byte. What the peer has received is none of them.
func TestREL05UnsentIsNotReceived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newMemNet()
		push := open(t, n, pattern.Push, socket.Options{Linger: time.Second})
		pull := open(t, n, pattern.Pull, socket.Options{RecvHWM: 1, NoLinger: true})
		join(t.Context(), t, pull, push)
		const total = 100
		for range total {
			if err := push.Send(t.Context(), make([]byte, 1000)); err != nil {
				t.Fatal(err)
			}
		}
		unsent, ok := errors.AsType[*ringwire.UnsentError](push.Close())
		if !ok {
			t.Fatal("no UnsentError, want one: the peer has no room")
		}
		received := int64(0)
		for {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			m, err := pull.Recv(ctx)
			cancel()
			if err != nil {
				break
			}
			m.Release()
			received++
		}
		if unsent.Messages+received > total {
			t.Errorf("%d messages are unsent and %d were received, of %d; dropped: %+v", unsent.Messages, received, total, push.Stats().SendDropped)
		}
	})
}
