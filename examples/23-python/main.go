// Python asks a server in Go: a program that uses libzmq, in whatever language, is a
// peer like any other.
//
//	go run ./examples/23-python
//
// The problem: the other side is written in another language, and uses libzmq. Nothing
// has to be done for that: both speak ZMTP. The client is client.py, with pyzmq
// (Debian: python3-zmq), a few lines that are in this program, too. Without Python and
// pyzmq, a client in Go takes its place, and the program says so.
//
//	client, REQ of pyzmq                  server, REP of Ringwire
//	0: "hello"          1: from whom  --->
//	0: "hello from Go"  1: "hello"    <---
//
// Notice that frames are bytes: what they mean, such as UTF-8 or msgpack, is for both
// sides to agree upon. In two terminals:
//
//	go run ./examples/23-python -role server
//	python3 examples/23-python/client.py
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

//go:embed client.py
var clientPy string

func main() {
	role := flag.String("role", "", "run only this `role`: server or client")
	bind := flag.String("bind", "tcp://127.0.0.1:5555", "`endpoint` of the server")
	connect := flag.String("connect", "tcp://127.0.0.1:5555", "`endpoint` that the client connects to")
	python := flag.String("python", "python3,/usr/bin/python3", "interpreters to try for the client")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "python: argument %q: want flags only, see -help\n", flag.Arg(0))
		os.Exit(2)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	interpreters := strings.Split(*python, ",")
	var err error
	switch *role {
	case "":
		err = demo(ctx, interpreters, os.Stdout)
	case "server":
		err = server(ctx, *bind, os.Stdout)
	case "client":
		err = client(ctx, interpreters, *connect, os.Stdout)
	default:
		err = fmt.Errorf("role %q: want server or client", *role)
	}
	if err != nil && ctx.Err() == nil { // Ctrl-C is no failure
		fmt.Fprintln(os.Stderr, "python:", err)
		os.Exit(1)
	}
}

// demo has a server and one client.
func demo(ctx context.Context, interpreters []string, out io.Writer) error {
	rep, at, err := listen("tcp://127.0.0.1:*")
	if err != nil {
		return err
	}
	defer rep.Close()
	group, stop := context.WithCancelCause(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop(nil)
	wg.Go(func() { stop(serve(group, rep, out)) })
	if err := client(group, interpreters, at, out); err != nil {
		return errors.Join(err, context.Cause(group))
	}
	return nil
}

// server answers requests until ctx is done.
func server(ctx context.Context, endpoint string, out io.Writer) error {
	rep, at, err := listen(endpoint)
	if err != nil {
		return err
	}
	defer rep.Close()
	fmt.Fprintln(out, "server: waits for requests at", at)
	return serve(ctx, rep, out)
}

func listen(endpoint string) (rep *socket.Socket, at string, err error) {
	if rep, err = socket.New(pattern.Rep, nil); err != nil {
		return nil, "", err
	}
	if at, err = rep.Bind(endpoint); err != nil {
		return nil, "", errors.Join(err, rep.Close())
	}
	return rep, at, nil
}

func serve(ctx context.Context, rep *socket.Socket, out io.Writer) error {
	for request, err := range rep.Messages(ctx) {
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "server: a request of %d frames: %v\n", request.Len(), request)
		if err := rep.Send(ctx, []byte("hello from Go"), request.Frame(0)); err != nil {
			return err
		}
		request.Release()
	}
	return nil
}

// client runs the client in Python, or one in Go if there is no Python with pyzmq.
func client(ctx context.Context, interpreters []string, endpoint string, out io.Writer) error {
	for _, interpreter := range interpreters {
		if exec.CommandContext(ctx, interpreter, "-c", "import zmq").Run() != nil {
			continue
		}
		process := exec.CommandContext(ctx, interpreter, "-c", clientPy, endpoint)
		var printed strings.Builder
		process.Stdout, process.Stderr = &printed, os.Stderr
		if err := process.Run(); err != nil {
			return fmt.Errorf("%s client.py: %w", interpreter, err)
		}
		_, err := fmt.Fprintln(out, "client in Python: the reply is", strings.TrimSpace(printed.String()))
		return err
	}

	if ctx.Err() != nil {
		return ctx.Err()
	}
	fmt.Fprintf(out, "client: none of %q is a Python with pyzmq; this one is in Go\n", interpreters)
	req, err := socket.New(pattern.Req, nil)
	if err != nil {
		return err
	}
	defer req.Close()
	if err := req.Connect(endpoint); err != nil {
		return err
	}
	attempt, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	reply, err := req.Do(attempt, []byte("hello"), []byte("from Go"))
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "client in Go: the reply is", reply)
	reply.Release()
	return nil
}
