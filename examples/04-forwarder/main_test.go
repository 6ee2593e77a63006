package main

import (
	"context"
	"errors"
	"log"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ringwire/ringwire/pattern"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := demo(ctx, os.Stdout); err != nil {
		log.Fatal(err)
	}
	// Output:
	// publishers that start: one and two
	//   publisher one: sent 6 messages to the forwarder; 3 that nobody wants stayed here
	//   publisher two: sent 6 messages to the forwarder; 3 that nobody wants stayed here
	//   subscriber of sport: got 3 of sport.one, 3 of sport.two
	//   subscriber of news and sport: got 3 of news.one, 3 of news.two, 3 of sport.one, 3 of sport.two
	// publishers that start: three
	//   publisher three: sent 6 messages to the forwarder; 3 that nobody wants stayed here
	//   subscriber of sport: got 3 of sport.three
	//   subscriber of news and sport: got 3 of news.three, 3 of sport.three
}

// TestManyToMany: every subscriber gets every message of every publisher once, and
// each publisher's in order.
func TestManyToMany(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	forwarder, publishHere, subscribeHere, err := newForwarder("inproc://forwarder-front", "inproc://forwarder-back")
	if err != nil {
		t.Fatal(err)
	}
	defer forwarder.Close()
	ended := make(chan error, 1)
	go func() { ended <- forwarder.Run(ctx) }()

	const subscribers, rounds = 3, 20
	names := []string{"one", "two", "three", "four"}
	got := make(chan error, subscribers)
	for range subscribers {
		sub, err := subscribe(subscribeHere, "news.")
		if err != nil {
			t.Fatal(err)
		}
		defer sub.Close()
		go func() {
			last := make(map[string]int)
			for range len(names) * rounds {
				m, err := sub.Recv(ctx)
				if err != nil {
					got <- err
					return
				}
				topic := string(m.Frame(0))
				last[topic]++
				if g, w := string(m.Frame(1)), number(last[topic]); g != w {
					t.Errorf("the next of %s is %s, want %s", topic, g, w)
				}
			}
			got <- nil
		}()
	}
	if err := forwarder.Back().WaitSubscribers(ctx, "news.", subscribers); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		pub, err := dial(pattern.Pub, publishHere)
		if err != nil {
			t.Fatal(err)
		}
		defer pub.Close()
		if err := pub.WaitSubscribers(ctx, "news.", 1); err != nil {
			t.Fatal(err)
		}
		for n := range rounds {
			if err := publish(ctx, pub, name, n+1); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range subscribers {
		if err := <-got; err != nil {
			t.Error(err)
		}
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Run ended with %v, want the cancellation", err)
	}
}
