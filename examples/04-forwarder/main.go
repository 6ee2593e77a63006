// Forwarder stands between publishers and subscribers, so that any number of both
// come and go without knowing each other.
//
//	go run ./examples/04-forwarder
//
// The problem: with N publishers and M subscribers that connect directly, somebody
// has to know all addresses, and one more publisher means N+1 connections for each
// subscriber. A forwarder has two addresses that never change. It is not a broker:
// it keeps nothing, and there may be several.
//
//	PUB ---\                             /---> SUB
//	PUB ----> XSUB [ forwarder ] XPUB ------> SUB
//	PUB ---/  front              back    \---> SUB
//
// Frames pass as they are; here a message is two of them:
//
//	0   the topic
//	1   the text
//
// Notice in the output that a publisher that starts later is heard at once by
// subscribers that were told nothing; and that subscriptions travel through the
// forwarder to the publishers, which send it only what somebody wants. Notice in
// the code that the forwarder is one call of package device, in a program like any
// other; device/forwarder is a ready-made one.
//
// In several terminals, in any order, as many as you like of the last two:
//
//	go run ./examples/04-forwarder -role forwarder
//	go run ./examples/04-forwarder -role subscriber -topic sport.
//	go run ./examples/04-forwarder -role publisher -name one
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

func main() {
	role := flag.String("role", "", "run only this `role`: forwarder, publisher or subscriber")
	front := flag.String("front", "tcp://127.0.0.1:5559", "`endpoint` of the forwarder for publishers")
	back := flag.String("back", "tcp://127.0.0.1:5560", "`endpoint` of the forwarder for subscribers")
	name := flag.String("name", strconv.Itoa(os.Getpid()), "what a publisher calls itself")
	topic := flag.String("topic", "", "what a subscriber wants; empty: everything")
	every := flag.Duration("every", time.Second, "time between two messages of a publisher")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "forwarder: argument %q: want flags only, see -help\n", flag.Arg(0))
		os.Exit(2)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch *role {
	case "":
		err = demo(ctx, os.Stdout)
	case "forwarder":
		err = forward(ctx, *front, *back, os.Stdout)
	case "publisher":
		err = publisher(ctx, *front, *name, *every)
	case "subscriber":
		err = subscriber(ctx, *back, *topic, os.Stdout)
	default:
		err = fmt.Errorf("role %q: want forwarder, publisher or subscriber", *role)
	}
	if err != nil && ctx.Err() == nil { // Ctrl-C is no failure
		fmt.Fprintln(os.Stderr, "forwarder:", err)
		os.Exit(1)
	}
}

// demo has two subscribers, two publishers, and a third that comes later.
func demo(ctx context.Context, out io.Writer) error {
	forwarder, publishHere, subscribeHere, err := newForwarder("tcp://127.0.0.1:*", "tcp://127.0.0.1:*")
	if err != nil {
		return err
	}
	defer forwarder.Close()
	group, stop := context.WithCancelCause(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop(nil)
	wg.Go(func() { stop(forwarder.Run(group)) })

	fan, err := subscribe(subscribeHere, "sport.")
	if err != nil {
		return err
	}
	defer fan.Close()
	reader, err := subscribe(subscribeHere, "news.", "sport.")
	if err != nil {
		return err
	}
	defer reader.Close()
	// The forwarder is in this program, so that it can be asked whether both are
	// there.
	if err := forwarder.Back().WaitSubscribers(group, "sport.", 2); err != nil {
		return errors.Join(err, context.Cause(group))
	}

	const rounds = 3
	for _, names := range [][]string{{"one", "two"}, {"three"}} {
		fmt.Fprintf(out, "publishers that start: %s\n", strings.Join(names, " and "))
		for _, name := range names {
			pub, err := dial(pattern.Pub, publishHere)
			if err != nil {
				return err
			}
			defer pub.Close()
			for _, topic := range []string{"news.", "sport."} {
				// True as soon as the forwarder has passed the subscription on.
				if err := pub.WaitSubscribers(group, topic, 1); err != nil {
					return errors.Join(err, context.Cause(group))
				}
			}
			for n := range rounds {
				if err := publish(group, pub, name, n+1); err != nil {
					return errors.Join(err, context.Cause(group))
				}
			}
			fmt.Fprintf(out, "  publisher %s: sent %d messages to the forwarder; %d that nobody wants stayed here\n",
				name, pub.Stats().Accepted, pub.Stats().Unmatched)
		}
		for _, s := range []struct {
			name   string
			socket *socket.Socket
			topics int
		}{{"sport", fan, 1}, {"news and sport", reader, 2}} {
			got, err := count(group, s.socket, len(names)*s.topics*rounds)
			if err != nil {
				return errors.Join(err, context.Cause(group))
			}
			fmt.Fprintf(out, "  subscriber of %s: got %s\n", s.name, got)
		}
	}
	return nil
}

// count receives n messages and says how many were on which topic.
func count(ctx context.Context, sub *socket.Socket, n int) (string, error) {
	seen := make(map[string]int)
	for range n {
		m, err := sub.Recv(ctx)
		if err != nil {
			return "", err
		}
		seen[string(m.Frame(0))]++
		m.Release()
	}
	var parts []string
	for _, topic := range slices.Sorted(maps.Keys(seen)) {
		parts = append(parts, fmt.Sprintf("%d of %s", seen[topic], topic))
	}
	return strings.Join(parts, ", "), nil
}
