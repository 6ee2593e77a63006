package socket_test

import (
	"context"
	"errors"
	"testing"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// TestTokenCancelAfterRecall: a receiver was called out of the poller for
// another reason, took the token again with the same context, and is then
// cancelled.
func TestTokenCancelAfterRecall(t *testing.T) {
	tokenVariants(t, func(t *testing.T, endpoint string, opts socket.Options) {
		ctx := tokenContext(t)
		pull, first := tokenOpen(t, pattern.Pull, opts), tokenOpen(t, pattern.Push, opts)
		at := tokenBind(t, pull, endpoint)
		tokenConnect(t, first, at)
		for range 10 {
			one, cancel := context.WithCancel(ctx)
			received := make(chan struct{}, 100)
			ended := make(chan error, 1)
			go func() {
				for {
					if _, err := pull.Recv(one); err != nil {
						ended <- err
						return
					}
					received <- struct{}{}
				}
			}()
			send := func() {
				for range 3 { // one at a time, so that the receiver waits in between
					if err := first.Send(ctx, []byte("x")); err != nil {
						t.Fatal(err)
					}
					<-received
				}
			}
			send()
			second := tokenOpen(t, pattern.Push, opts)
			tokenConnect(t, second, at)
			tokenUntil(t, "the second peer", func() bool { return pull.Stats().Peers == 2 })
			if err := second.Close(); err != nil {
				t.Fatal(err)
			}
			tokenUntil(t, "the second peer to be gone", func() bool { return pull.Stats().Peers == 1 })
			send()
			cancel()
			select {
			case err := <-ended:
				if !errors.Is(err, context.Canceled) {
					t.Fatalf("Recv: got %v, want context.Canceled", err)
				}
			case <-ctx.Done():
				t.Fatal("Recv does not end although its context was cancelled")
			}
		}
	})
}
