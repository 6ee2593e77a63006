// Pipeline spreads work over workers and collects the results: ventilator, workers,
// sink.
//
//	go run ./examples/03-pipeline
//
// The problem: there is more work than one program can do, and it can be cut into
// independent tasks. The ventilator hands out tasks with a PUSH socket, which gives
// each to one worker; workers do them and PUSH the results to the sink, which has a
// PULL socket. Here the work is to count the prime numbers up to 2,000,000.
//
//	ventilator PUSH ---> PULL worker PUSH ---> PULL sink
//	           PUSH -------------------------> PULL
//
//	task, ventilator to worker   0: first number   1: last number
//	result, worker to sink       0: "result"   1: worker's name   2: first number   3: primes
//	batch, ventilator to sink    0: "batch"    1: number of tasks
//
// Numbers are decimal. Notice in the output that every task is done once and that
// the workers get equal shares, without a line of code about sharing: PUSH gives to
// each in turn. That is right if tasks cost about the same; for others, or slower
// workers, examples/06-load-balancing asks who is idle. A worker that dies takes its
// tasks with it. Notice in the code that the
// ventilator waits for its workers (WaitPeers) before it begins, or the first one
// to connect would get more than its share.
//
// In several terminals, as many workers as you like, in any order:
//
//	go run ./examples/03-pipeline -role sink
//	go run ./examples/03-pipeline -role worker -name one
//	go run ./examples/03-pipeline -role worker -name two
//	go run ./examples/03-pipeline -role ventilator -workers 2
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

	"github.com/ringwire/ringwire/pattern"
)

func main() {
	role := flag.String("role", "", "run only this `role`: ventilator, worker or sink")
	tasks := flag.String("tasks", "tcp://127.0.0.1:5557", "`endpoint` where the ventilator hands out tasks")
	results := flag.String("results", "tcp://127.0.0.1:5558", "`endpoint` where the sink collects results")
	workers := flag.Int("workers", 1, "how many workers the ventilator waits for")
	name := flag.String("name", strconv.Itoa(os.Getpid()), "what a worker calls itself")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "pipeline: argument %q: want flags only, see -help\n", flag.Arg(0))
		os.Exit(2)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	whole := work{upTo: 2_000_000, tasks: 100}
	var err error
	switch *role {
	case "":
		err = demo(ctx, whole, []string{"one", "two", "three", "four"}, os.Stdout)
	case "ventilator":
		err = ventilator(ctx, *tasks, *results, whole, *workers, os.Stdout)
	case "worker":
		err = worker(ctx, *name, *tasks, *results)
	case "sink":
		err = sink(ctx, *results, os.Stdout)
	default:
		err = fmt.Errorf("role %q: want ventilator, worker or sink", *role)
	}
	if err != nil && ctx.Err() == nil { // Ctrl-C is no failure
		fmt.Fprintln(os.Stderr, "pipeline:", err)
		os.Exit(1)
	}
}

// demo runs a ventilator, workers and a sink until the work is done.
func demo(ctx context.Context, w work, workers []string, out io.Writer) error {
	push, tasks, err := listen(pattern.Push, "tcp://127.0.0.1:*")
	if err != nil {
		return err
	}
	defer push.Close()
	pull, results, err := listen(pattern.Pull, "tcp://127.0.0.1:*")
	if err != nil {
		return err
	}
	defer pull.Close()

	group, stop := context.WithCancelCause(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop(nil)
	for _, name := range workers {
		wg.Go(func() { stop(worker(group, name, tasks, results)) })
	}
	wg.Go(func() {
		if err := ventilate(group, push, results, w, len(workers)); err != nil {
			stop(err)
		}
	})
	done, err := collect(group, pull)
	if err != nil {
		return errors.Join(err, context.Cause(group))
	}
	done.print(out)
	return nil
}

// ventilator hands out the work when its workers are there.
func ventilator(ctx context.Context, tasks, results string, w work, workers int, out io.Writer) error {
	push, at, err := listen(pattern.Push, tasks)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "ventilator: waits for %d workers at %s\n", workers, at)
	err = ventilate(ctx, push, results, w, workers)
	// Shutdown delivers what was accepted, for as long as ctx allows.
	return errors.Join(err, push.Shutdown(ctx))
}

// sink collects one batch of results after the other until ctx is done.
func sink(ctx context.Context, results string, out io.Writer) error {
	pull, at, err := listen(pattern.Pull, results)
	if err != nil {
		return err
	}
	defer pull.Close()
	fmt.Fprintln(out, "sink: collects results at", at)
	for {
		done, err := collect(ctx, pull)
		if err != nil {
			return err
		}
		done.print(out)
	}
}

func (r report) print(out io.Writer) {
	for _, name := range slices.Sorted(maps.Keys(r.shares)) {
		fmt.Fprintf(out, "worker %s: %d tasks\n", name, r.shares[name])
	}
	fmt.Fprintf(out, "sink: %d tasks done, each once: %d primes\n", len(r.done), r.primes)
}
