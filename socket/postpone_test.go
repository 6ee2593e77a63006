package socket_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// TestPostponedAnswerLeaves: an answer that waits for others to go with it is
// written although its sender never receives again.
func TestPostponedAnswerLeaves(t *testing.T) {
	for _, endpoint := range []string{"tcp://127.0.0.1:0", "ipc://*"} {
		for _, specs := range [][2]*pattern.Spec{{pattern.Router, pattern.Dealer}, {pattern.Dealer, pattern.Dealer}, {pattern.Pair, pattern.Pair}} {
			t.Run(fmt.Sprintf("%.3s %s to %s", endpoint, specs[0], specs[1]), func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				answers, asks := tokenOpen(t, specs[0], socket.Options{}), tokenOpen(t, specs[1], socket.Options{})
				tokenConnect(t, asks, tokenBind(t, answers, endpoint))
				for round := range 200 {
					for i := range 3 {
						if err := asks.Send(ctx, fmt.Appendf(nil, "%d.%d", round, i)); err != nil {
							t.Fatal(err)
						}
					}
					if err := asks.Flush(ctx); err != nil {
						t.Fatal(err)
					}
					m, err := answers.Recv(ctx)
					if err != nil {
						t.Fatal(err)
					}
					if err := answers.SendMessage(ctx, m); err != nil {
						t.Fatal(err)
					}
					want := fmt.Sprintf("%d.0", round)
					if m, err := asks.Recv(ctx); err != nil || string(m.Bytes()) != want {
						t.Fatalf("got %v and %v, want %s", m, err, want)
					}
					for range 2 {
						if _, err := answers.Recv(ctx); err != nil {
							t.Fatal(err)
						}
					}
				}
			})
		}
	}
}
