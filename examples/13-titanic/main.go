// Titanic: requests on disk, which are answered even if nobody is there now.
//
// The problem: with Majordomo alone, client, broker and worker must be up at the same
// time, and a request dies with the broker. The pattern (ZeroMQ RFC 9): a service that
// takes requests for other services, writes them to disk before it says that it has
// them, and gives out the replies later. Broker and workers are those of
// examples/10-majordomo, unchanged: Titanic is a worker to clients, and a client to
// workers.
//
// Bodies of the three services, in frames, inside those of Majordomo:
//
//	titanic.request   service body...   answers  "200" id
//	titanic.reply     id                answers  "200" body... | "300" not yet | "400" unknown
//	titanic.close     id                answers  "200", and forgets request and reply
//
// An id is 32 hexadecimal characters. "500" is an error of the disk.
//
// A request is executed at least once: when Titanic dies after the worker has answered
// and before that is on disk, it asks again. Requests are executed one after the other.
//
// Without arguments, one program has the broker, Titanic, a worker and a client. Notice
// that broker and Titanic are killed before there is any worker.
//
//	go run ./examples/13-titanic
//	go run ./examples/10-majordomo -role broker
//	go run ./examples/13-titanic -role titanic -dir requests
//	go run ./examples/13-titanic -role client -service echo hello world
//	go run ./examples/10-majordomo -role worker -service echo
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"sync"
	"time"

	"github.com/ringwire/ringwire/examples/10-majordomo/mdp"
	"github.com/ringwire/ringwire/socket"
)

func main() {
	role := flag.String("role", "", "titanic or client; empty: all of them, in a story")
	connect := flag.String("connect", "tcp://127.0.0.1:5510", "where the broker is")
	dir := flag.String("dir", "titanic", "where Titanic keeps requests and replies")
	service := flag.String("service", "echo", "what the client asks for")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "13-titanic: argument %q: want flags only, see -help\n", flag.Arg(0))
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	out := log.New(os.Stdout, "", 0)
	config := mdp.Config{Heartbeat: time.Second, Log: out}
	var err error
	switch *role {
	case "":
		err = runInTemp(ctx, os.Stdout)
	case "titanic":
		err = runTitanic(ctx, *connect, *dir, config)
	case "client":
		err = ask(ctx, *connect, *service, flag.Args(), config)
	default:
		err = fmt.Errorf("role %q: want titanic or client", *role)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "13-titanic:", err)
		os.Exit(1)
	}
}

func runInTemp(ctx context.Context, w io.Writer) error {
	dir, err := os.MkdirTemp("", "titanic")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	return run(ctx, 20*time.Millisecond, dir, w)
}

// ask has each word answered, whenever that may be.
func ask(ctx context.Context, endpoint, service string, words []string, config mdp.Config) error {
	c, err := newClient(endpoint, config)
	if err != nil {
		return err
	}
	defer c.Close()
	var ids []string
	for _, word := range words {
		id, err := c.request(ctx, service, []byte(word))
		if err != nil {
			return err
		}
		config.Log.Printf("client: request %s is stored", id)
		ids = append(ids, id)
	}
	for _, id := range ids {
		body, err := c.wait(ctx, id, config.Heartbeat)
		if err != nil {
			return err
		}
		config.Log.Printf("client: request %s is answered %q", id, body)
		if err := c.forget(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// run is the story, with the given interval between heartbeats.
func run(ctx context.Context, interval time.Duration, dir string, w io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	out := log.New(w, "", 0)
	const endpoint = "inproc://broker"
	config := mdp.Config{Heartbeat: interval, Timeout: 10 * interval, Tries: 10, Socket: socket.Options{NoLinger: true}}

	start := func(role func(context.Context) error) (kill func()) {
		ctx, cancel := context.WithCancel(ctx)
		ended := make(chan struct{})
		wg.Go(func() {
			defer close(ended)
			if err := role(ctx); ctx.Err() == nil {
				out.Print(err)
			}
		})
		return func() { cancel(); <-ended }
	}
	broker := func(ctx context.Context) error { return mdp.RunBroker(ctx, endpoint, config) }
	titanic := func(ctx context.Context) error { return runTitanic(ctx, endpoint, dir, config) }
	worker := func(ctx context.Context) error {
		return mdp.RunWorker(ctx, endpoint, "shout", func(_ context.Context, body [][]byte) [][]byte {
			out.Printf("worker: %s", body[0])
			return [][]byte{append(body[0], '!')}
		}, config)
	}

	killBroker, killTitanic := start(broker), start(titanic)
	c, err := newClient(endpoint, config)
	if err != nil {
		return err
	}
	defer c.Close()
	id, err := c.request(ctx, "shout", []byte("iceberg"))
	if err != nil {
		return err
	}
	out.Print("client: the request is stored, there is no worker for it")
	if _, err := c.reply(ctx, id); !errors.Is(err, errPending) {
		return fmt.Errorf("reply: got %v, want %v", err, errPending)
	}
	out.Print("client: there is no reply yet")

	killTitanic()
	killBroker()
	out.Print("Titanic and the broker are dead, and are started again")
	start(broker)
	start(titanic)
	start(worker)

	body, err := c.wait(ctx, id, interval)
	if err != nil {
		return err
	}
	out.Printf("client: the reply is %s", body[0])
	if err := c.forget(ctx, id); err != nil {
		return err
	}
	if _, err := c.reply(ctx, id); !errors.Is(err, errUnknown) {
		return fmt.Errorf("reply after close: got %v, want %v", err, errUnknown)
	}
	out.Print("client: request and reply are forgotten")
	return nil
}
