// Load balancing gives each request to the worker that has been idle longest.
//
//	go run ./examples/06-load-balancing
//
// The problem: giving out in turn, as in examples/05-queue, is right only if all
// requests and all workers are alike; otherwise some wait for the slow worker while
// a quick one is idle. Here workers ask for work: a worker that sends READY, or a
// reply, is idle, and the broker queues idle workers instead of requests. Requests
// wait in the sockets, with their high-water marks, until somebody can do them.
//
//	REQ client ---> ROUTER [ broker ] ROUTER <--- REQ worker
//	                front             back
//
// The frames, as the broker sees them. REQ adds and takes off the empty frame behind
// its own identity; the worker carries the client's envelope from the request into
// the reply.
//
//	client to broker    0: client  1: empty  2: request
//	worker to broker    0: worker  1: empty  2: "READY"
//	broker to worker    0: worker  1: empty  2: client  3: empty  4: request
//	worker to broker    0: worker  1: empty  2: client  3: empty  4: reply
//	broker to client    0: client  1: empty  2: reply
//
// Notice in the output how few requests the slow worker gets, and that the quick ones
// share the rest. Notice in the code that the queue of idle workers is a Go channel;
// that the two directions are two goroutines on the same two sockets; and that a
// worker that has left while it was idle costs nobody a request: the ROUTER says that
// it is gone, and the broker takes the next. (One that dies with a request in hand
// takes it along; what a client can do then is in examples/08-lazy-pirate.)
//
// In several terminals, in any order, as many as you like of the last two:
//
//	go run ./examples/06-load-balancing -role broker
//	go run ./examples/06-load-balancing -role worker -name slow -work 500ms
//	go run ./examples/06-load-balancing -role client
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
	"sync"
	"time"
)

func main() {
	role := flag.String("role", "", "run only this `role`: broker, worker or client")
	front := flag.String("front", "tcp://127.0.0.1:5563", "`endpoint` of the broker for clients")
	back := flag.String("back", "tcp://127.0.0.1:5564", "`endpoint` of the broker for workers")
	name := flag.String("name", strconv.Itoa(os.Getpid()), "what a worker calls itself")
	work := flag.Duration("work", 20*time.Millisecond, "how long a worker takes for a request")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "load balancing: argument %q: want flags only, see -help\n", flag.Arg(0))
		os.Exit(2)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch *role {
	case "":
		err = demo(ctx, os.Stdout)
	case "broker":
		var b *broker
		if b, err = newBroker(*front, *back, nil); err == nil {
			fmt.Printf("broker: ask at %s, work for %s\n", b.askHere, b.workHere)
			err = errors.Join(b.run(ctx), b.close())
		}
	case "worker":
		err = worker(ctx, *back, *name, *work, nil)
	case "client":
		var shares map[string]int
		if shares, err = client(ctx, *front, 30, nil); err == nil {
			show(os.Stdout, shares)
		}
	default:
		err = fmt.Errorf("role %q: want broker, worker or client", *role)
	}
	if err != nil && ctx.Err() == nil { // Ctrl-C is no failure
		fmt.Fprintln(os.Stderr, "load balancing:", err)
		os.Exit(1)
	}
}

// demo has two quick workers and a slow one.
func demo(ctx context.Context, out io.Writer) error {
	b, err := newBroker("tcp://127.0.0.1:*", "tcp://127.0.0.1:*", nil)
	if err != nil {
		return err
	}
	defer b.close()
	group, stop := context.WithCancelCause(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop(nil)
	wg.Go(func() { stop(b.run(group)) })

	const quick, slow = 2 * time.Millisecond, 20 * time.Millisecond
	for name, work := range map[string]time.Duration{"quick": quick, "quick, too": quick, "slow": slow} {
		wg.Go(func() { stop(worker(group, b.workHere, name, work, nil)) })
	}
	if err := b.back.WaitPeers(group, 3); err != nil {
		return errors.Join(err, context.Cause(group))
	}

	const clients, requests = 8, 10
	shares, err := crowd(group, b.askHere, clients, requests, nil)
	if err != nil {
		return errors.Join(err, context.Cause(group))
	}
	fmt.Fprintf(out, "%d clients have %d replies each\n", clients, requests)
	show(out, shares)
	return nil
}

// show prints the workers' shares.
func show(out io.Writer, shares map[string]int) {
	for _, name := range slices.Sorted(maps.Keys(shares)) {
		fmt.Fprintf(out, "  worker %s: %d requests\n", name, shares[name])
	}
}
