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
	tlsServer, tlsClient := tlsPair(t)
	tlsServer.RecvHWM = 3
	for _, test := range []struct {
		endpoint string
		opts     socket.Options
	}{
		{"tls+tcp://127.0.0.1:0", tlsServer},
		{"tcp://127.0.0.1:0", socket.Options{RecvHWM: 3}},
		{"ipc://*", socket.Options{RecvHWM: 3}},
		// Those that left must get on though the newcomers have used up the budget.
		{"tcp://127.0.0.1:0", socket.Options{RecvBudget: 1000}},
		{"ipc://*", socket.Options{RecvBudget: 1000}},
	} {
		t.Run(fmt.Sprintf("%.4s/budget=%d", test.endpoint, test.opts.RecvBudget), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), confGuard)
			defer cancel()
			pull := tokenOpen(t, pattern.Pull, test.opts)
			push := confNew(t, "tcp").New(pattern.Push, &tlsClient)
			tokenConnect(t, push, tokenBind(t, pull, test.endpoint))
			next, accepted := confNew(t, "tcp").Events(push), confNew(t, "tcp").Events(pull)
			next(socket.Ready)
			accepted(socket.Ready)
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
					accepted(socket.Ready)
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

// TestEndOfConnectedPeerHoldsNobodyUp: a peer that we connected to comes back as the
// same one, so nobody waits for what it sent before: with its connection ended while
// there was no room, newcomers are received all the same.
func TestEndOfConnectedPeerHoldsNobodyUp(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), confGuard)
	defer cancel()
	pull := tokenOpen(t, pattern.Pull, socket.Options{RecvHWM: 3})
	at := tokenBind(t, pull, "tcp://127.0.0.1:0")
	source := tokenOpen(t, pattern.Push, socket.Options{})
	tokenConnect(t, pull, tokenBind(t, source, "tcp://127.0.0.1:0"))
	const each = 30
	for i := range each {
		if err := source.Send(ctx, fmt.Append(nil, i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := source.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	push := tokenOpen(t, pattern.Push, socket.Options{})
	tokenConnect(t, push, at)
	if err := push.Send(ctx, []byte("new")); err != nil {
		t.Fatal(err)
	}
	if err := pull.WaitPeers(ctx, 2); err != nil {
		t.Fatal(err)
	}
	for i := range each + 1 {
		m, err := pull.Recv(ctx)
		if err != nil {
			t.Fatalf("message %d: %v; %+v", i, err, pull.Stats().Counters)
		}
		m.Release()
	}
}
