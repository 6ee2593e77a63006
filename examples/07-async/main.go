// Async is requests and replies without waiting in turn: a client sends many requests
// at once, a server works on many at once, and one request has several replies.
//
//	go run ./examples/07-async
//
// The problem: REQ and REP go strictly one after the other. A client that has ten
// things to ask waits ten times; a long job says nothing until its end. DEALER is REQ
// without the order, ROUTER is REP without it: each message is for itself, and who
// wants to know which reply belongs to which request puts a number into both.
//
//	client, DEALER                       server, ROUTER
//	0: number  1: job              --->  0: client  1: number  2: job
//	0: number  1: "part"  2: text  <---  0: client  1: number  2: "part"  3: text
//	0: number  1: "end"   2: error <---  0: client  1: number  2: "end"   3: error
//
// The number is the client's choice, here in decimal; the error is empty if there is
// none.
//
// Notice in the output that the replies to the requests come interleaved, those to one
// request in order, and that the short jobs end first although they were asked for
// last. Notice in the code that the workers are goroutines that all use the one
// ROUTER: a Socket may be used by any number of goroutines.
//
// In two terminals, in any order:
//
//	go run ./examples/07-async -role server
//	go run ./examples/07-async -role client
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
	"strings"
	"sync"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

func main() {
	role := flag.String("role", "", "run only this `role`: server or client")
	bind := flag.String("bind", "tcp://127.0.0.1:5565", "`endpoint` of the server")
	connect := flag.String("connect", "tcp://127.0.0.1:5565", "`endpoint` that the client connects to")
	workers := flag.Int("workers", 4, "how many jobs the server does at a time")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "async: argument %q: want flags only, see -help\n", flag.Arg(0))
		os.Exit(2)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch *role {
	case "":
		err = demo(ctx, os.Stdout)
	case "server":
		err = server(ctx, *bind, *workers, os.Stdout)
	case "client":
		err = client(ctx, *connect, os.Stdout)
	default:
		err = fmt.Errorf("role %q: want server or client", *role)
	}
	if err != nil && ctx.Err() == nil { // Ctrl-C is no failure
		fmt.Fprintln(os.Stderr, "async:", err)
		os.Exit(1)
	}
}

// demo has one server and one client that sends it four jobs.
func demo(ctx context.Context, out io.Writer) error {
	router, at, err := listen("tcp://127.0.0.1:*")
	if err != nil {
		return err
	}
	defer router.Close()
	group, stop := context.WithCancelCause(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop(nil)
	wg.Go(func() { stop(serve(group, router, 4, countdown)) })
	if err := client(group, at, out); err != nil {
		return errors.Join(err, context.Cause(group))
	}
	return nil
}

// client sends all jobs, then prints the replies as they come.
func client(ctx context.Context, endpoint string, out io.Writer) error {
	dealer, err := socket.New(pattern.Dealer, nil)
	if err != nil {
		return err
	}
	defer dealer.Close()
	if err := dealer.Connect(endpoint); err != nil {
		return err
	}
	jobs := []string{"5 100ms", "3 60ms", "1 30ms", "1 never"}
	for a, err := range ask(ctx, dealer, jobs) {
		if err != nil {
			return err
		}
		if a.last {
			a.text = "done"
			if a.failed != "" {
				a.text = "failed: " + a.failed
			}
		}
		fmt.Fprintf(out, "job %d (%s): %s\n", a.job, jobs[a.job], a.text)
	}
	return nil
}

// server does jobs until ctx is done.
func server(ctx context.Context, endpoint string, workers int, out io.Writer) error {
	router, at, err := listen(endpoint)
	if err != nil {
		return err
	}
	defer router.Close()
	fmt.Fprintln(out, "server: listens at", at)
	return serve(ctx, router, workers, countdown)
}

func listen(endpoint string) (router *socket.Socket, at string, err error) {
	// A client that is gone, or that does not read, does not stop the others: its
	// replies are dropped, and counted.
	if router, err = socket.New(pattern.Router, &socket.Options{DropUnroutable: true}); err != nil {
		return nil, "", err
	}
	if at, err = router.Bind(endpoint); err != nil {
		return nil, "", errors.Join(err, router.Close())
	}
	return router, at, nil
}

// countdown is a job of so many steps, each of which takes that long: "3 60ms".
func countdown(ctx context.Context, job string, reply func(text string) error) error {
	count, every, _ := strings.Cut(job, " ")
	n, err := strconv.Atoi(count)
	if err != nil {
		return fmt.Errorf("number of steps: %w", err)
	}
	step, err := time.ParseDuration(every)
	if err != nil {
		return fmt.Errorf("time of a step: %w", err)
	}
	for i := range n {
		select {
		case <-time.After(step):
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := reply(fmt.Sprintf("step %d of %d", i+1, n)); err != nil {
			return err
		}
	}
	return nil
}
