// Lazy pirate is a client that survives its server: it waits for so long, asks again
// so many times, then gives up. The reliability is all on the client's side.
//
//	go run ./examples/08-lazy-pirate
//
// The problem: a server may be killed at any moment, also while it has a request in
// hand, and a client that only waits then waits for ever. This one gives each try a
// deadline. In most ZeroMQ libraries the client must throw its REQ socket away after a
// try that failed, because REQ only sends after it has received, and a reply that
// comes late would pass for the next one's. Do takes care of both: it takes the
// request back or drops the connection, and never returns the reply to another
// request, so that trying again is calling Do again.
//
//	client to server   a number, in decimal
//	server to client   its square
//
// Notice in the output that the server dies with a request in hand, that the client
// asks again by itself until there is a server once more, and that it says so when
// there is none any longer. Notice, too, that both servers get the request for 3: a
// client that tries again cannot know whether the first try was carried out. That is
// harmless for squares; where it is not, a request needs a name by which the server
// recognises it.
//
// In two terminals; kill the server, even with SIGKILL, and start it again:
//
//	go run ./examples/08-lazy-pirate -role server
//	go run ./examples/08-lazy-pirate -role client
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"time"

	"github.com/ringwire/ringwire/socket"
)

func main() {
	role := flag.String("role", "", "run only this `role`: server or client")
	bind := flag.String("bind", "tcp://127.0.0.1:5566", "`endpoint` of the server")
	connect := flag.String("connect", "tcp://127.0.0.1:5566", "`endpoint` that the client connects to")
	timeout := flag.Duration("timeout", time.Second, "how long the client waits for a reply")
	tries := flag.Int("tries", 10, "how often it asks for the same")
	every := flag.Duration("every", time.Second, "time between two questions")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "lazy pirate: argument %q: want flags only, see -help\n", flag.Arg(0))
		os.Exit(2)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch *role {
	case "":
		err = demo(ctx, "tcp://127.0.0.1:*", nil, patience{timeout: 200 * time.Millisecond, tries: 3}, os.Stdout)
	case "server":
		err = server(ctx, *bind, os.Stdout)
	case "client":
		err = client(ctx, *connect, *every, patience{*timeout, *tries}, os.Stdout)
	default:
		err = fmt.Errorf("role %q: want server or client", *role)
	}
	if err != nil && ctx.Err() == nil { // Ctrl-C is no failure
		fmt.Fprintln(os.Stderr, "lazy pirate:", err)
		os.Exit(1)
	}
}

// demo has a client with five questions, a server that dies of the third one, and one
// that is started when the client has noticed. In the end there is none.
func demo(ctx context.Context, endpoint string, opts *socket.Options, p patience, out io.Writer) error {
	serving, stop := context.WithCancel(ctx)
	var servers sync.WaitGroup
	defer servers.Wait()
	defer stop()
	start := func(deadly int) error {
		rep, at, err := listen(endpoint, opts)
		if err != nil {
			return err
		}
		endpoint = at // the next one listens there, too
		servers.Go(func() {
			defer rep.Close()
			if err := serve(serving, rep, deadly, out); err == nil {
				fmt.Fprintln(out, "server: dies")
			}
		})
		return nil
	}
	if err := start(3); err != nil {
		return err
	}

	req, err := dial(endpoint, opts)
	if err != nil {
		return err
	}
	defer req.Close()
	for n := range 5 {
		var restarted error
		square, err := p.ask(ctx, req, n+1, func(try int) {
			fmt.Fprintf(out, "client: no reply for %d in %v, try %d of %d\n", n+1, p.timeout, try+1, p.tries)
			if try == 1 {
				servers.Wait()
				restarted = start(0)
			}
		})
		if err := errors.Join(restarted, err); err != nil {
			return err
		}
		fmt.Fprintf(out, "client: the square of %d is %d\n", n+1, square)
	}

	stop()
	servers.Wait()
	if square, err := p.ask(ctx, req, 6, func(int) {}); err == nil {
		return fmt.Errorf("the square of 6 is %d, without a server", square)
	} else if ctx.Err() == nil {
		fmt.Fprintln(out, "client: gives up:", err)
	}
	return ctx.Err()
}
