package main

import (
	"context"
	"log"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Clients check that each reply is the one to their own request.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := demo(ctx, os.Stdout); err != nil {
		log.Fatal(err)
	}
	// Output:
	// 3 clients send 12 requests each to 2 workers
	//   worker one: 18 requests
	//   worker two: 18 requests
	// 3 clients send 12 requests each to 3 workers
	//   worker one: 12 requests
	//   worker three: 12 requests
	//   worker two: 12 requests
}

// TestClientBeforeWorker: a request waits until there is a worker.
func TestClientBeforeWorker(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	q, askHere, workHere, err := newQueue("inproc://queue-front", "inproc://queue-back")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 2)
	go func() { ended <- q.Run(ctx) }()
	asked := make(chan error, 1)
	go func() {
		_, err := client(ctx, askHere, 3)
		asked <- err
	}()
	if err := q.Front().WaitPeers(ctx, 1); err != nil {
		t.Fatal(err)
	}
	go func() { ended <- worker(ctx, workHere, "late") }()
	if err := <-asked; err != nil {
		t.Error(err)
	}
	cancel()
	<-ended
	<-ended
	if err := q.Close(); err != nil {
		t.Error(err)
	}
}
