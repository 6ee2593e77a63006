// Paranoid pirate: a queue and its workers that each find out when the other is dead.
//
// The problem: a request that was given to a worker which then crashes, hangs or loses
// its network is never answered; and workers whose queue was replaced wait for ever.
// TCP alone does not tell: a machine without power closes no connection. The pattern
// (ZeroMQ RFC 6): both sides give signs of life at an interval, and who is silent for
// some intervals is dead. The client needs no more than a deadline and a retry.
//
// Frames between queue and worker, a ROUTER (which adds the worker's identity in
// front) and DEALERs; "" is an empty frame:
//
//	READY      0x01                 the worker is new, and wants work
//	HEARTBEAT  0x02                 both ways
//	REQUEST    client "" body...    the client's address, as the queue's front has it
//	REPLY      client "" body...
//
// Without arguments, one program has a queue, two workers and a client on a network in
// memory, whose plugs can be pulled. Notice that every request is answered: number 3
// was with the worker that vanished, number 5 came when there was no queue.
//
//	go run ./examples/09-paranoid-pirate
//	go run ./examples/09-paranoid-pirate -role queue
//	go run ./examples/09-paranoid-pirate -role worker
//	go run ./examples/09-paranoid-pirate -role client hello world
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

	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/sockettest"
	"github.com/ringwire/ringwire/transport"
)

const (
	ready     = "\x01"
	heartbeat = "\x02"
)

// Config is what queue, workers and clients must know of each other.
type Config struct {
	Heartbeat time.Duration // between signs of life
	Liveness  int           // how many such intervals of silence are death
	Timeout   time.Duration // how long a client waits before it asks again
	Socket    socket.Options
}

// patience is the silence that is death.
func (c Config) patience() time.Duration { return time.Duration(c.Liveness) * c.Heartbeat }

func main() {
	role := flag.String("role", "", "queue, worker or client; empty: all of them, in a story")
	bindFront := flag.String("bind-front", "tcp://127.0.0.1:5509", "where the queue waits for clients")
	bindBack := flag.String("bind-back", "tcp://127.0.0.1:5609", "where the queue waits for workers")
	connect := flag.String("connect", "", "where to find the queue; empty: where -role queue waits by default")
	name := flag.String("name", "worker", "what the worker calls itself")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "09-paranoid-pirate: argument %q: want flags only, see -help\n", flag.Arg(0))
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	config := Config{Heartbeat: time.Second, Liveness: 3, Timeout: 2500 * time.Millisecond}
	out := log.New(os.Stdout, "", 0)
	var err error
	switch *role {
	case "":
		err = run(ctx, 20*time.Millisecond, os.Stdout)
	case "queue":
		err = runQueue(ctx, *bindFront, *bindBack, config, out)
	case "worker":
		endpoint := *connect
		if endpoint == "" {
			endpoint = "tcp://127.0.0.1:5609"
		}
		err = runWorker(ctx, endpoint, *name, func(_ context.Context, body []byte) []byte { return body }, config, out)
	case "client":
		endpoint := *connect
		if endpoint == "" {
			endpoint = "tcp://127.0.0.1:5509"
		}
		err = ask(ctx, endpoint, flag.Args(), config, out)
	default:
		err = fmt.Errorf("role %q: want queue, worker or client", *role)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "09-paranoid-pirate:", err)
		os.Exit(1)
	}
}

// run is the story, with the given interval between heartbeats.
func run(ctx context.Context, interval time.Duration, w io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	out := log.New(w, "", 0)
	network := sockettest.NewNetwork(1)
	at := func(host string) Config {
		return Config{
			Heartbeat: interval,
			Liveness:  3,
			Timeout:   10 * interval,
			Socket:    socket.Options{Transports: []transport.Transport{network.Host(host)}, NoLinger: true},
		}
	}
	const front, back = "mem://queue:1", "mem://queue:2"

	queue := func() (kill func()) {
		ctx, cancel := context.WithCancel(ctx)
		ended := make(chan struct{})
		wg.Go(func() {
			defer close(ended)
			if err := runQueue(ctx, front, back, at("queue"), out); ctx.Err() == nil {
				out.Print(err)
			}
		})
		return func() { cancel(); <-ended }
	}
	kill := queue()

	var once sync.Once // only one plug is pulled
	for _, name := range []string{"A", "B"} {
		ctx, die := context.WithCancel(ctx)
		work := func(ctx context.Context, body []byte) []byte {
			if string(body) == "3" {
				once.Do(func() {
					out.Printf("%s has request 3 when somebody pulls its plug", name)
					network.Vanish(name)
					die()
				})
			}
			return body
		}
		wg.Go(func() {
			defer die()
			runWorker(ctx, back, name, work, at(name), out) // ends with ctx
		})
	}
	if err := ask(ctx, front, []string{"1", "2", "3", "4"}, at("client"), out); err != nil {
		return err
	}

	out.Print("the queue dies, nobody is told, and a new one is started")
	network.Vanish("queue")
	kill()
	network.Return("queue")
	queue()
	return ask(ctx, front, []string{"5", "6"}, at("client"), out)
}
