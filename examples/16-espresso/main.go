// Espresso: a tap on a forwarder, through which everything can be watched.
//
// The problem: what do publishers and subscribers really send each other? The pattern:
// between them is a forwarder anyway, and it gives a copy of every message, in both
// directions, to a capture socket. A capture that has no room, or that nobody reads,
// holds up nothing: what it cannot take is dropped and counted.
//
// Frames at the capture: those of the message, as they are. Subscriptions travel too,
// upstream: a byte 1 and the prefix, or a byte 0 and the prefix when they end.
//
// Without arguments, one program has a publisher, the forwarder, a subscriber and the
// one who watches. Notice that the publisher sends nothing that nobody wants: topics
// pass between the subscription and its end only.
//
//	go run ./examples/16-espresso
//	go run ./examples/16-espresso -role forwarder
//	go run ./examples/16-espresso -role watcher
//	go run ./examples/16-espresso -role publisher
//	go run ./examples/16-espresso -role subscriber
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

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/device"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// rounds is how many messages there are on each topic.
const rounds = 3

func main() {
	role := flag.String("role", "", "forwarder, watcher, publisher or subscriber; empty: all, in a story")
	front := flag.String("front", "tcp://127.0.0.1:5616", "where the forwarder waits for publishers")
	back := flag.String("back", "tcp://127.0.0.1:5716", "where it waits for subscribers")
	tap := flag.String("tap", "tcp://127.0.0.1:5816", "where it waits for those who watch")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "16-espresso: argument %q: want flags only, see -help\n", flag.Arg(0))
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	var err error
	switch *role {
	case "":
		err = run(ctx, os.Stdout)
	case "forwarder":
		err = forward(ctx, *front, *back, *tap)
	case "watcher":
		err = watch(ctx, *tap, func(m *ringwire.Message) { fmt.Println(m) })
	case "publisher":
		err = publish(ctx, *front)
	case "subscriber":
		err = subscribe(ctx, *back, log.New(os.Stdout, "", 0))
	default:
		err = fmt.Errorf("role %q: want forwarder, watcher, publisher or subscriber", *role)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "16-espresso:", err)
		os.Exit(1)
	}
}

// forward runs a forwarder with a tap until ctx ends. The tap is a PUB: any number may
// watch, or nobody.
func forward(ctx context.Context, front, back, tap string) error {
	capture, err := socket.New(pattern.Pub, nil)
	if err != nil {
		return err
	}
	defer capture.Close()
	if _, err := capture.Bind(tap); err != nil {
		return err
	}
	d, err := device.NewForwarder(nil, nil, &device.Options{Capture: capture})
	if err != nil {
		return err
	}
	defer d.Close()
	if _, err := d.Front().Bind(front); err != nil {
		return err
	}
	if _, err := d.Back().Bind(back); err != nil {
		return err
	}
	return d.Run(ctx)
}

// watch hands on what passes the forwarder, until ctx ends.
func watch(ctx context.Context, tap string, see func(*ringwire.Message)) error {
	sub, err := socket.New(pattern.Sub, nil)
	if err != nil {
		return err
	}
	defer sub.Close()
	if err := sub.Subscribe(""); err != nil {
		return err
	}
	if err := sub.Connect(tap); err != nil {
		return err
	}
	for m, err := range sub.Messages(ctx) {
		if err != nil {
			return err
		}
		see(m)
		m.Release()
	}
	return nil
}

// run is the story.
func run(ctx context.Context, w io.Writer) error {
	out := log.New(w, "", 0)
	// In one process the tap can be a PAIR, from which nothing is dropped if the
	// forwarder waits for it.
	tap, watcher, err := pair(nil)
	if err != nil {
		return err
	}
	defer tap.Close()
	defer watcher.Close()
	d, err := device.NewForwarder(nil, nil, &device.Options{Capture: tap, CaptureBlocks: true})
	if err != nil {
		return err
	}
	defer d.Close()
	front, err := d.Front().Bind("tcp://127.0.0.1:*")
	if err != nil {
		return err
	}
	back, err := d.Back().Bind("tcp://127.0.0.1:*")
	if err != nil {
		return err
	}

	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() { d.Run(ctx) }) // ends with ctx
	ended := make(chan error, 2)
	wg.Go(func() { ended <- publish(ctx, front) })
	wg.Go(func() { ended <- subscribe(ctx, back, out) })
	// The end of the subscription is the last thing to pass.
	for {
		m, err := watcher.Recv(ctx)
		if err != nil {
			return err
		}
		out.Printf("watcher: %s", m)
		if string(m.Bytes()) == "\x00B" {
			break
		}
	}
	return errors.Join(<-ended, <-ended)
}

// pair returns two PAIR sockets that are connected to each other.
func pair(options *socket.Options) (tap, watcher *socket.Socket, err error) {
	if tap, err = socket.New(pattern.Pair, options); err != nil {
		return nil, nil, err
	}
	const endpoint = "inproc://tap"
	if _, err = tap.Bind(endpoint); err == nil {
		watcher, err = socket.New(pattern.Pair, options)
	}
	if err == nil {
		err = watcher.Connect(endpoint)
	}
	if err != nil {
		tap.Close()
		return nil, nil, err
	}
	return tap, watcher, nil
}

// publish publishes on topics A, B and C in turn, when somebody wants B.
func publish(ctx context.Context, endpoint string) error {
	pub, err := socket.New(pattern.Pub, &socket.Options{OnFull: socket.FullBlock})
	if err != nil {
		return err
	}
	defer pub.Close()
	if err := pub.Connect(endpoint); err != nil {
		return err
	}
	if err := pub.WaitSubscribers(ctx, "B", 1); err != nil {
		return err
	}
	for n := range rounds {
		for _, topic := range []string{"A", "B", "C"} {
			if err := pub.Send(ctx, fmt.Appendf(nil, "%s-%d", topic, n+1)); err != nil {
				return err
			}
		}
	}
	return pub.Shutdown(ctx)
}

// subscribe takes what is published on B, and goes.
func subscribe(ctx context.Context, endpoint string, out *log.Logger) error {
	sub, err := socket.New(pattern.Sub, nil)
	if err != nil {
		return err
	}
	defer sub.Close()
	if err := sub.Subscribe("B"); err != nil {
		return err
	}
	if err := sub.Connect(endpoint); err != nil {
		return err
	}
	for range rounds {
		m, err := sub.Recv(ctx)
		if err != nil {
			return err
		}
		out.Printf("subscriber: %s", m)
	}
	return nil
}
