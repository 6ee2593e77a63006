package session_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// TestREL01OrderOverReconnects: messages of one lane, which behind Connect outlives its
// connections, arrive in the order in which they were accepted, also when the receiver
// has not yet received what came over the connection before.
func TestREL01OrderOverReconnects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		g := newRelClog()
		push, pull := open(t, g.memNet, pattern.Push, socket.Options{}), open(t, g.memNet, pattern.Pull, socket.Options{})
		join(ctx, t, pull, push)
		const each = 5
		for round := range uint32(3) {
			for i := range uint32(each) {
				if err := push.Send(ctx, numbered(round*each+i, 10)); err != nil {
					t.Fatal(err)
				}
			}
			if err := push.Confirm(ctx); err != nil { // the peer has them
				t.Fatal(err)
			}
			g.cut()
			time.Sleep(time.Minute)
		}
		for want := range 3 * each {
			m, err := pull.Recv(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if got := relNumber(m.Bytes()); got != want {
				t.Errorf("got message %d, want %d", got, want)
			}
			m.Release()
		}
	})
}
