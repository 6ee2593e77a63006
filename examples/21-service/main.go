// Service is a server as an operator wants it: it says whether it is well, and when it
// is told to stop, it finishes what it has in hand, refuses what comes later, delivers
// its replies, and ends with exit code 0.
//
//	go run ./examples/21-service
//
// The problem: every deployment stops servers. One that just exits leaves clients
// without replies, to requests of which nobody knows whether they were carried out.
// Stopping takes four steps, which are run in service.go:
//
//  1. SIGTERM or Ctrl-C: /readyz says 503, so that no new client is sent here.
//  2. The workers finish the requests that they have in hand, and take no more.
//  3. Requests that have come, and still come, are answered "unavailable", until none
//     has come for a while: who asks knows at once that it must go elsewhere.
//  4. Shutdown delivers the replies, and closes the socket.
//
// All of it within a grace period; what is not finished then is given up, which the
// error and the exit code tell. A second signal ends the program at once.
//
//	client, REQ                    service, ROUTER
//	0: text                  --->  0: client  1: empty  2: text
//	0: status  1: text       <---  0: client  1: empty  2: status  3: text
//
// The status is "ok", "error" or "unavailable". Notice in the output that clients
// which go on asking all the time have a reply to every request.
//
// In two terminals; end it with Ctrl-C, look at http://127.0.0.1:8080/readyz:
//
//	go run ./examples/21-service -role service
//	go run ./examples/21-service -role client
//
// For SIGTERM, and to see the exit code, build it first, because go run does not pass
// signals on:
//
//	go build -o service ./examples/21-service
//	./service -role service
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

func main() {
	role := flag.String("role", "", "run only this `role`: service or client")
	bind := flag.String("bind", "tcp://127.0.0.1:5569", "`endpoint` of the service")
	connect := flag.String("connect", "tcp://127.0.0.1:5569", "`endpoint` that the client connects to")
	health := flag.String("health", "127.0.0.1:8080", "`address` of /healthz and /readyz")
	grace := flag.Duration("grace", 10*time.Second, "how long stopping may take")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "service: argument %q: want flags only, see -help\n", flag.Arg(0))
		os.Exit(2)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal is not caught
	c := config{workers: 4, quiet: 100 * time.Millisecond, grace: *grace, handle: shout(100 * time.Millisecond)}
	var err error
	switch *role {
	case "":
		err = demo(ctx, c, os.Stdout)
	case "service":
		// That ctx ends is how it is told to stop: it does not make it fail.
		err = run(ctx, *bind, *health, c, os.Stdout)
		if err != nil {
			fmt.Fprintln(os.Stderr, "service:", err)
			os.Exit(1)
		}
	case "client":
		err = client(ctx, *connect, time.Second, os.Stdout)
	default:
		err = fmt.Errorf("role %q: want service or client", *role)
	}
	if err != nil && ctx.Err() == nil { // Ctrl-C is no failure of the others
		fmt.Fprintln(os.Stderr, "service:", err)
		os.Exit(1)
	}
}

// run runs a service and its health checks until ctx is done and it has stopped.
func run(ctx context.Context, endpoint, address string, c config, out io.Writer) error {
	s, err := newService(endpoint, c)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return errors.Join(err, s.close())
	}
	checks := &http.Server{Handler: s.health(), ReadHeaderTimeout: time.Second}
	go checks.Serve(listener)
	defer checks.Close() // the checks are there until the end
	fmt.Fprintf(out, "service: ready at %s, see http://%s/readyz\n", s.at, listener.Addr())
	err = s.run(ctx)
	fmt.Fprintf(out, "service: %d requests done, %d refused\n", s.done.Load(), s.refused.Load())
	return err
}

// demo has a service, and clients that ask all the time, until it is told to stop.
func demo(ctx context.Context, c config, out io.Writer) error {
	s, err := newService("tcp://127.0.0.1:*", c)
	if err != nil {
		return err
	}
	defer s.close()
	// No server is needed to ask a handler.
	ready := func() string {
		answer := httptest.NewRecorder()
		s.health().ServeHTTP(answer, httptest.NewRequestWithContext(ctx, "GET", "/readyz", nil))
		return fmt.Sprintf("/readyz says %d", answer.Code)
	}

	serving, sigterm := context.WithCancel(ctx)
	defer sigterm()
	var clients sync.WaitGroup
	defer clients.Wait()
	for i := range 6 {
		clients.Go(func() {
			replies, err := askUntilRefused(ctx, s.at, nil)
			fmt.Fprintf(out, "client %d: a reply to each of %d requests, then: %v\n", i+1, replies, err)
		})
	}
	deployment := time.AfterFunc(500*time.Millisecond, func() {
		fmt.Fprintf(out, "service: is told to stop; %s\n", ready())
		sigterm()
	})
	defer deployment.Stop()
	err = s.run(serving)
	clients.Wait()
	fmt.Fprintf(out, "service: stopped with %d requests done, %d refused; %s\n", s.done.Load(), s.refused.Load(), ready())
	return err
}
