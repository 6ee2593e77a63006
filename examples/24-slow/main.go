// Slow shows what a publisher can know about a subscriber that does not keep up:
// who it is, how far it is behind, what it missed; and what it can do about it.
//
//	go run ./examples/24-slow
//
// The problem: a publisher waits for nobody, so that a subscriber that has stopped
// reading misses messages. In most ZeroMQ libraries nobody ever learns of that. Here
// the publisher gets an event, SlowPeer, and its counters say the rest. A hundred
// subscribers follow it; one of them has stopped reading. The publisher names that one
// by what it announced in the handshake, and shows it the door.
//
// A message is two frames: the topic, "news", and 1000 bytes.
//
// Notice that a subscriber is not judged by the event alone: anybody may be full for a
// moment. One is stuck if it has taken nothing at all for a while. To drop the oldest
// message instead, to wait, or to disconnect at once is Options.OnFull; here the
// publisher decides by itself. A subscriber that was disconnected connects again, and
// is disconnected again unless it reads.
//
// In several terminals:
//
//	go run ./examples/24-slow -role publisher
//	go run ./examples/24-slow -role subscriber -name one
//	go run ./examples/24-slow -role subscriber -name two -stall
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"time"

	"github.com/ringwire/ringwire"
)

func main() {
	role := flag.String("role", "", "run only this `role`: publisher or subscriber")
	bind := flag.String("bind", "tcp://127.0.0.1:5571", "`endpoint` of the publisher")
	connect := flag.String("connect", "tcp://127.0.0.1:5571", "`endpoint` that a subscriber connects to")
	name := flag.String("name", strconv.Itoa(os.Getpid()), "what a subscriber calls itself")
	stall := flag.Bool("stall", false, "the subscriber does not read")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "slow: argument %q: want flags only, see -help\n", flag.Arg(0))
		os.Exit(2)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch *role {
	case "":
		err = demo(ctx, 100, 42, 200*time.Millisecond, os.Stdout)
	case "publisher":
		err = publisher(ctx, *bind, time.Second, os.Stdout)
	case "subscriber":
		err = subscriber(ctx, *connect, *name, *stall)
	default:
		err = fmt.Errorf("role %q: want publisher or subscriber", *role)
	}
	if err != nil && ctx.Err() == nil { // Ctrl-C is no failure
		fmt.Fprintln(os.Stderr, "slow:", err)
		os.Exit(1)
	}
}

// demo has so many subscribers, of which one does not read, and ends when the publisher
// has disconnected that one.
func demo(ctx context.Context, subscribers, stalled int, patience time.Duration, out io.Writer) error {
	pub, at, err := listen("tcp://127.0.0.1:*")
	if err != nil {
		return err
	}
	defer pub.Close()
	group, stop := context.WithCancelCause(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop(nil)
	slow := stuck(group, pub, patience)
	for i := range subscribers {
		wg.Go(func() { stop(subscriber(group, at, fmt.Sprintf("subscriber %d", i), i == stalled)) })
	}
	if err := pub.WaitSubscribers(group, topic, subscribers); err != nil {
		return errors.Join(err, context.Cause(group))
	}
	wg.Go(func() { stop(publish(group, pub)) })
	for peer := range slow {
		return disconnect(pub, peer, out)
	}
	return context.Cause(group)
}

// publisher publishes until ctx is done, and disconnects whoever is stuck.
func publisher(ctx context.Context, endpoint string, patience time.Duration, out io.Writer) error {
	pub, at, err := listen(endpoint)
	if err != nil {
		return err
	}
	defer pub.Close()
	fmt.Fprintln(out, "publisher: publishes at", at)
	group, stop := context.WithCancelCause(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop(nil)
	slow := stuck(group, pub, patience)
	wg.Go(func() { stop(publish(group, pub)) })
	for peer := range slow {
		if err := disconnect(pub, peer, out); err != nil {
			return err
		}
	}
	return context.Cause(group)
}

// subscriber reads, or does not, until ctx is done.
func subscriber(ctx context.Context, endpoint, name string, stall bool) error {
	sub, err := subscribe(endpoint, name, stall)
	if err != nil {
		return err
	}
	defer sub.Close()
	if stall {
		<-ctx.Done()
		return ctx.Err()
	}
	var m ringwire.Message
	for {
		if err := sub.RecvInto(ctx, &m); err != nil {
			return err
		}
	}
}
