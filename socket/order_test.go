package socket_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// TestOrderOverReconnectsWhenFull: messages of one lane arrive in order though their
// connection was broken again and again while the receiver had no room, so that it
// could not see the end of one connection before the next came.
func TestOrderOverReconnectsWhenFull(t *testing.T) {
	for _, endpoint := range []string{"tcp://127.0.0.1:0", "ipc://*"} {
		t.Run(fmt.Sprintf("%.3s", endpoint), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), confGuard)
			defer cancel()
			pull := tokenOpen(t, pattern.Pull, socket.Options{RecvHWM: 3})
			push := confNew(t, "tcp").New(pattern.Push, nil)
			tokenConnect(t, push, tokenBind(t, pull, endpoint))
			next := confNew(t, "tcp").Events(push)
			next(socket.Ready)
			const rounds, each = 4, 30
			for round := range rounds {
				for i := range each {
					if err := push.Send(ctx, fmt.Append(nil, round*each+i)); err != nil {
						t.Fatal(err)
					}
				}
				if err := push.Flush(ctx); err != nil {
					t.Fatal(err)
				}
				if round < rounds-1 {
					if err := push.DisconnectPeer(push.Peers()[0].Peer); err != nil {
						t.Fatal(err)
					}
					next(socket.Ready)
				}
			}
			last, got := -1, 0
			for last < rounds*each-1 {
				m, err := pull.Recv(ctx)
				if err != nil {
					t.Fatalf("after message %d: %v; %+v", last, err, pull.Stats().Counters)
				}
				var n int
				fmt.Sscan(string(m.Bytes()), &n)
				if n <= last {
					t.Fatalf("message %d came after %d", n, last)
				}
				last = n
				got++
			}
			t.Logf("%d of %d arrived, %d in doubt", got, rounds*each, push.Stats().InDoubt)
			if lost := int64(rounds*each - got); lost > push.Stats().InDoubt {
				t.Errorf("%d are lost, %d in doubt", lost, push.Stats().InDoubt)
			}
		})
	}
}
