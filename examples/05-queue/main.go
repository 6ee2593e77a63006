// Queue spreads requests over workers: any number of clients, any number of
// servers, one address between them.
//
//	go run ./examples/05-queue
//
// The problem: one REP server does one request at a time, and clients should not
// have to know how many servers there are today. The queue has two addresses that
// never change. It remembers who asked by the envelope that its ROUTER socket adds
// and its DEALER socket passes on; clients and workers are the same as without it.
//
//	REQ ---\                               /---> REP worker
//	REQ ----> ROUTER [ queue ] DEALER ---------> REP worker
//	REQ ---/  front            back
//
//	client to queue      0: word
//	queue to worker      0: client's identity  1: empty  2: word (REP takes off 0 and 1)
//	worker to client     the same way back     0: the word in capitals  1: worker's name
//
// Notice in the output that the workers get equal shares, and that a worker that
// comes later gets its own from then on, while no client was told anything. A queue
// gives out in turn; examples/06-load-balancing gives to who is idle.
//
// In several terminals, in any order, as many as you like of the last two:
//
//	go run ./examples/05-queue -role queue
//	go run ./examples/05-queue -role worker -name one
//	go run ./examples/05-queue -role client
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
)

func main() {
	role := flag.String("role", "", "run only this `role`: queue, worker or client")
	front := flag.String("front", "tcp://127.0.0.1:5561", "`endpoint` of the queue for clients")
	back := flag.String("back", "tcp://127.0.0.1:5562", "`endpoint` of the queue for workers")
	name := flag.String("name", strconv.Itoa(os.Getpid()), "what a worker calls itself")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "queue: argument %q: want flags only, see -help\n", flag.Arg(0))
		os.Exit(2)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch *role {
	case "":
		err = demo(ctx, os.Stdout)
	case "queue":
		err = queue(ctx, *front, *back, os.Stdout)
	case "worker":
		err = worker(ctx, *back, *name)
	case "client":
		var shares map[string]int
		if shares, err = client(ctx, *front, 12); err == nil {
			show(os.Stdout, shares)
		}
	default:
		err = fmt.Errorf("role %q: want queue, worker or client", *role)
	}
	if err != nil && ctx.Err() == nil { // Ctrl-C is no failure
		fmt.Fprintln(os.Stderr, "queue:", err)
		os.Exit(1)
	}
}

// demo has three clients and two workers; then a third worker comes.
func demo(ctx context.Context, out io.Writer) error {
	q, askHere, workHere, err := newQueue("tcp://127.0.0.1:*", "tcp://127.0.0.1:*")
	if err != nil {
		return err
	}
	defer q.Close()
	group, stop := context.WithCancelCause(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop(nil)
	wg.Go(func() { stop(q.Run(group)) })

	const clients, requests = 3, 12
	workers := 0
	for _, names := range [][]string{{"one", "two"}, {"three"}} {
		for _, name := range names {
			wg.Go(func() { stop(worker(group, workHere, name)) })
		}
		workers += len(names)
		if err := q.Back().WaitPeers(group, workers); err != nil {
			return errors.Join(err, context.Cause(group))
		}
		fmt.Fprintf(out, "%d clients send %d requests each to %d workers\n", clients, requests, workers)
		shares, err := crowd(group, askHere, clients, requests)
		if err != nil {
			return errors.Join(err, context.Cause(group))
		}
		show(out, shares)
	}
	return nil
}

// crowd runs clients at the same time and says how many requests each worker did.
func crowd(ctx context.Context, endpoint string, clients, requests int) (map[string]int, error) {
	type result struct {
		shares map[string]int
		err    error
	}
	results := make(chan result)
	for range clients {
		go func() {
			shares, err := client(ctx, endpoint, requests)
			results <- result{shares, err}
		}()
	}
	all := make(map[string]int)
	var errs []error
	for range clients {
		r := <-results
		errs = append(errs, r.err)
		for name, n := range r.shares {
			all[name] += n
		}
	}
	return all, errors.Join(errs...)
}

// show prints the workers' shares.
func show(out io.Writer, shares map[string]int) {
	for _, name := range slices.Sorted(maps.Keys(shares)) {
		fmt.Fprintf(out, "  worker %s: %d requests\n", name, shares[name])
	}
}
