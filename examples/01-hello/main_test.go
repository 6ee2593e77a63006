package main

import (
	"context"
	"errors"
	"log"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Each request is answered before the next is sent, over every transport.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, endpoint := range []string{"tcp://127.0.0.1:*", "inproc://hello"} {
		if err := both(ctx, endpoint, os.Stdout); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// server: somebody says "world"
	// client: the reply is "hello, world"
	// server: somebody says "moon"
	// client: the reply is "hello, moon"
	// server: somebody says "sun"
	// client: the reply is "hello, sun"
	// server: somebody says "world"
	// client: the reply is "hello, world"
	// server: somebody says "moon"
	// client: the reply is "hello, moon"
	// server: somebody says "sun"
	// client: the reply is "hello, sun"
}

// TestClientBeforeServer: a client that connects first gets its replies when the
// server comes.
func TestClientBeforeServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour) // of the bubble
		defer cancel()
		const endpoint = "inproc://hello-later"
		asked := make(chan error, 1)
		go func() { asked <- ask(ctx, endpoint, t.Output()) }()
		synctest.Wait() // the client has connected and waits

		serving, stop := context.WithCancel(ctx)
		served := make(chan error, 1)
		go func() { served <- serve(serving, endpoint, func(string) {}, t.Output()) }()
		if err := <-asked; err != nil {
			t.Error(err)
		}
		stop()
		if err := <-served; !errors.Is(err, context.Canceled) {
			t.Errorf("the server ended with %v, want the cancellation", err)
		}
	})
}
