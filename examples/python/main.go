// Python talks to a program that uses libzmq: it answers requests like any
// REP socket, and the other side is a few lines of Python.
//
//	go run ./examples/python
//
// Then, in another terminal:
//
//	import zmq
//	s = zmq.Context().socket(zmq.REQ)
//	s.connect("tcp://127.0.0.1:5555")
//	s.send_multipart([b"hello", b"from python"])
//	print(s.recv_multipart())
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

func main() {
	endpoint := "tcp://127.0.0.1:5555"
	if len(os.Args) > 1 {
		endpoint = os.Args[1]
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, endpoint, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "python:", err)
		os.Exit(1)
	}
}

// run answers requests at the endpoint until ctx is done.
func run(ctx context.Context, endpoint string, out io.Writer) error {
	server, err := socket.New(pattern.Rep, nil)
	if err != nil {
		return err
	}
	defer server.Close()
	at, err := server.Bind(endpoint)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "waiting for requests at", at)
	for request, err := range server.Messages(ctx) {
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "request of %d frames: %q\n", request.Len(), request.Bytes())
		if err := server.Send(ctx, []byte("hello from Go"), request.Frame(0)); err != nil {
			return err
		}
		request.Release()
	}
	return nil
}
