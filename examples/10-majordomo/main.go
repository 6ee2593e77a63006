// Majordomo: clients ask for a service by its name, a broker finds a worker for it.
//
// The problem: clients should not know who does the work, or how many there are, and
// nobody should notice when a worker or the broker dies. The pattern is the Majordomo
// Protocol (ZeroMQ RFC 7). Package mdp beside this file has all of it, each frame
// documented, ready to be used by other programs.
//
// Without arguments, one program has the broker, two workers and a client on a network
// in memory, whose plugs can be pulled. Notice that the client gets every answer, that
// the request of the worker that vanishes is answered by the other one, and that the
// other one registers again by itself when the broker has been replaced.
//
//	go run ./examples/10-majordomo
//	go run ./examples/10-majordomo -role broker
//	go run ./examples/10-majordomo -role worker -service echo
//	go run ./examples/10-majordomo -role client -service echo hello world
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
	"github.com/ringwire/ringwire/socket/sockettest"
	"github.com/ringwire/ringwire/transport"
)

func main() {
	role := flag.String("role", "", "broker, worker or client; empty: all of them, in a story")
	bind := flag.String("bind", "tcp://127.0.0.1:5510", "where the broker is")
	connect := flag.String("connect", "tcp://127.0.0.1:5510", "where workers and clients find the broker")
	service := flag.String("service", "echo", "what the worker offers and the client asks for")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "10-majordomo: argument %q: want flags only, see -help\n", flag.Arg(0))
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	config := mdp.Config{Log: log.New(os.Stdout, "", 0)}
	var err error
	switch *role {
	case "":
		err = run(ctx, 20*time.Millisecond, os.Stdout)
	case "broker":
		err = mdp.RunBroker(ctx, *bind, config)
	case "worker":
		echo := func(_ context.Context, body [][]byte) [][]byte { return body }
		err = mdp.RunWorker(ctx, *connect, *service, echo, config)
	case "client":
		err = ask(ctx, *connect, *service, flag.Args(), config)
	default:
		err = fmt.Errorf("role %q: want broker, worker or client", *role)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "10-majordomo:", err)
		os.Exit(1)
	}
}

// ask prints the answer to each word.
func ask(ctx context.Context, endpoint, service string, words []string, config mdp.Config) error {
	client, err := mdp.NewClient(endpoint, config)
	if err != nil {
		return err
	}
	defer client.Close()
	for _, word := range words {
		answer, err := client.Request(ctx, service, []byte(word))
		if err != nil {
			return err
		}
		config.Log.Printf("client: %q is answered %q", word, answer)
	}
	return nil
}

// run is the story, with the given interval between heartbeats.
func run(ctx context.Context, interval time.Duration, w io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	out := log.New(w, "", 0)
	network := sockettest.NewNetwork(1)
	at := func(host string) mdp.Config {
		return mdp.Config{
			Heartbeat: interval,
			Timeout:   10 * interval,
			Tries:     10,
			Socket:    socket.Options{Transports: []transport.Transport{network.Host(host)}, NoLinger: true},
			Log:       out,
		}
	}
	const endpoint = "mem://broker:5510"

	broker := func() (kill func()) {
		ctx, cancel := context.WithCancel(ctx)
		ended := make(chan struct{})
		wg.Go(func() {
			defer close(ended)
			if err := mdp.RunBroker(ctx, endpoint, at("broker")); ctx.Err() == nil {
				out.Print(err)
			}
		})
		return func() { cancel(); <-ended }
	}
	kill := broker()

	client, err := mdp.NewClient(endpoint, at("client"))
	if err != nil {
		return err
	}
	defer client.Close()
	tell := func(service, question string) error {
		answer, err := client.Request(ctx, service, []byte(question))
		if err == nil {
			out.Printf("client: %s %q: %s", service, question, answer[0])
		}
		return err
	}

	// The broker itself knows who offers what. Nobody does, yet.
	if err := tell("mmi.service", "work"); err != nil {
		return err
	}
	var once sync.Once // only one plug is pulled
	for _, name := range []string{"A", "B"} {
		ctx, die := context.WithCancel(ctx)
		work := func(ctx context.Context, body [][]byte) [][]byte {
			if string(body[0]) == "two" {
				once.Do(func() {
					out.Printf("worker %s: somebody pulls its plug", name)
					network.Vanish("worker-" + name)
					die()
				})
			}
			return [][]byte{[]byte("done")}
		}
		wg.Go(func() {
			defer die()
			mdp.RunWorker(ctx, endpoint, "work", work, at("worker-"+name)) // ends with ctx
		})
	}
	for _, question := range []string{"one", "two", "three"} {
		if err := tell("work", question); err != nil {
			return err
		}
	}
	if err := tell("mmi.service", "work"); err != nil {
		return err
	}

	out.Print("the broker is replaced")
	kill()
	broker()
	return tell("work", "four")
}
