// Hello asks a server and prints its replies: request and reply, the pattern to
// begin with.
//
//	go run ./examples/01-hello
//
// The problem: a program wants something done by another one and needs the result.
// The server has a REP socket, which receives a request and sends the reply to
// whoever asked. The client has a REQ socket, which sends a request and receives
// its reply; Do is both in one call, and its context says for how long.
//
// A request and a reply are one frame each:
//
//	client to server   the name
//	server to client   the greeting
//
// Notice in the output that requests and replies alternate, and in the code that
// nobody says how long to wait for a connection: Connect returns at once and goes
// on trying, so that client and server start in any order. In two terminals:
//
//	go run ./examples/01-hello -role client
//	go run ./examples/01-hello -role server
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

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

func main() {
	role := flag.String("role", "", "run only this `role`: server or client")
	bind := flag.String("bind", "tcp://127.0.0.1:5555", "`endpoint` of the server")
	connect := flag.String("connect", "tcp://127.0.0.1:5555", "`endpoint` that the client connects to")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "hello: argument %q: want flags only, see -help\n", flag.Arg(0))
		os.Exit(2)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch *role {
	case "":
		err = both(ctx, "tcp://127.0.0.1:*", os.Stdout) // a free port
	case "server":
		err = serve(ctx, *bind, func(at string) { fmt.Println("server: listens at", at) }, os.Stdout)
	case "client":
		err = ask(ctx, *connect, os.Stdout)
	default:
		err = fmt.Errorf("role %q: want server or client", *role)
	}
	if err != nil && ctx.Err() == nil { // Ctrl-C is no failure
		fmt.Fprintln(os.Stderr, "hello:", err)
		os.Exit(1)
	}
}

// both runs a server and a client until the client has its replies.
func both(ctx context.Context, endpoint string, out io.Writer) error {
	group, stop := context.WithCancelCause(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop(nil)

	bound := make(chan string, 1)
	wg.Go(func() { stop(serve(group, endpoint, func(at string) { bound <- at }, out)) })
	select {
	case at := <-bound:
		if err := ask(group, at, out); err != nil {
			return errors.Join(err, context.Cause(group))
		}
		return nil
	case <-group.Done():
		return context.Cause(group)
	}
}

// serve greets whoever asks until ctx is done. It tells where it listens.
func serve(ctx context.Context, endpoint string, listens func(at string), out io.Writer) error {
	server, err := socket.New(pattern.Rep, nil)
	if err != nil {
		return err
	}
	defer server.Close()
	at, err := server.Bind(endpoint)
	if err != nil {
		return err
	}
	listens(at)
	for request, err := range server.Messages(ctx) {
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "server: somebody says %q\n", request.Bytes())
		if err := server.Send(ctx, append([]byte("hello, "), request.Bytes()...)); err != nil {
			return err
		}
		request.Release()
	}
	return nil
}

// ask asks three times and prints the replies.
func ask(ctx context.Context, endpoint string, out io.Writer) error {
	client, err := socket.New(pattern.Req, nil)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.Connect(endpoint); err != nil {
		return err
	}
	for _, name := range []string{"world", "moon", "sun"} {
		reply, err := client.Do(ctx, []byte(name))
		if err != nil {
			return fmt.Errorf("ask for %q: %w", name, err)
		}
		fmt.Fprintf(out, "client: the reply is %q\n", reply.Bytes())
		reply.Release()
	}
	return nil
}
