// Metrics shows the sockets of a program from outside: counters, peers, events.
//
//	go run ./examples/22-metrics
//
// The problem: messages do not arrive, and the question is where they are. Every
// socket counts what it does with each message, for each peer and by reason, so that
// nothing is unexplained:
//
//	accepted = written + dropped + queued
//	arrived  = returned + dropped + queued
//
// Package socket/observe shows that in the two ways that Go programs already have:
//
//	/debug/vars       expvar: the sockets under "ringwire", for what collects expvar
//	/debug/ringwire   an http.Handler: the same with the last events; ?socket=name for one
//
// Here a publisher has one subscriber that reads and one that has stopped. Notice in
// the output that both ways name the one that does not read, how much waits for it and
// how much it has missed; and that for each, the sum is right. Both say what peers call
// themselves and where they are: do not serve them to the world.
//
// The publisher alone, to be looked at with a browser or curl; press Ctrl-C to end it:
//
//	go run ./examples/22-metrics -role publisher
//	go run ./examples/22-metrics -role subscriber -name stalled -stall
//	curl http://127.0.0.1:8081/debug/ringwire
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
	"time"

	"github.com/ringwire/ringwire"
)

func main() {
	role := flag.String("role", "", "run only this `role`: publisher or subscriber")
	bind := flag.String("bind", "tcp://127.0.0.1:5570", "`endpoint` of the publisher")
	connect := flag.String("connect", "tcp://127.0.0.1:5570", "`endpoint` that a subscriber connects to")
	address := flag.String("http", "127.0.0.1:8081", "`address` where the publisher shows its metrics")
	name := flag.String("name", strconv.Itoa(os.Getpid()), "what a subscriber calls itself")
	stall := flag.Bool("stall", false, "the subscriber does not read")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "metrics: argument %q: want flags only, see -help\n", flag.Arg(0))
		os.Exit(2)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch *role {
	case "":
		err = demo(ctx, os.Stdout)
	case "publisher":
		err = publisher(ctx, *bind, *address, os.Stdout)
	case "subscriber":
		err = subscriber(ctx, *connect, *name, *stall)
	default:
		err = fmt.Errorf("role %q: want publisher or subscriber", *role)
	}
	if err != nil && ctx.Err() == nil { // Ctrl-C is no failure
		fmt.Fprintln(os.Stderr, "metrics:", err)
		os.Exit(1)
	}
}

// publisher publishes until ctx is done, and shows its metrics.
func publisher(ctx context.Context, endpoint, address string, out io.Writer) error {
	pub, at, err := listen(endpoint)
	if err != nil {
		return err
	}
	defer pub.Close()
	url, stop, err := serve(address, "news", pub)
	if err != nil {
		return err
	}
	defer stop()
	fmt.Fprintf(out, "publisher: publishes at %s, see %s/debug/ringwire\n", at, url)
	for {
		if err := pub.Send(ctx, []byte("news"), make([]byte, size)); err != nil {
			return err
		}
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// subscriber reads, or does not, until ctx is done.
func subscriber(ctx context.Context, endpoint, name string, stall bool) error {
	sub, err := subscribe(endpoint, name)
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

// demo has a publisher and two subscribers, of which one reads each message before the
// next is published, and the other none. Then it asks the publisher's metrics.
func demo(ctx context.Context, out io.Writer) error {
	pub, at, err := listen("tcp://127.0.0.1:*")
	if err != nil {
		return err
	}
	defer pub.Close()
	url, stop, err := serve("127.0.0.1:0", "news", pub)
	if err != nil {
		return err
	}
	defer stop()
	reader, err := subscribe(at, "reader")
	if err != nil {
		return err
	}
	defer reader.Close()
	stalled, err := subscribe(at, "stalled")
	if err != nil {
		return err
	}
	defer stalled.Close()
	if err := pub.WaitSubscribers(ctx, "news", 2); err != nil {
		return err
	}

	var m ringwire.Message
	defer m.Release()
	for range 500 {
		if err := errors.Join(pub.Send(ctx, []byte("news"), make([]byte, size)), reader.RecvInto(ctx, &m)); err != nil {
			return err
		}
	}
	for _, path := range []string{"/debug/ringwire", "/debug/vars"} {
		sockets, err := fetch(ctx, url+path)
		if err != nil {
			return err
		}
		for _, peer := range sockets["news"].Peers {
			s := peer.Send
			fmt.Fprintf(out, "%-15s  %s: %d accepted = %d written + %d dropped + %d queued\n",
				path, peer.Name, s.Accepted, s.Written, s.Dropped.Total, s.Queued)
		}
	}
	return nil
}
