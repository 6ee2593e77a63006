// Last-value cache: late subscribers are given the last message of each topic at once.
//
// The problem: who subscribes to prices in the middle of the day must wait for the next
// change of each of them, which may be tomorrow. The pattern: a forwarder between
// publishers and subscribers keeps the last message of each topic, and sends it to
// whoever subscribes, before anything newer.
//
// It works because a subscription is a message, which travels upstream: an XPUB can
// read it, a byte 1 and the prefix, and answer the one peer that it came from.
// device.LastValue does that, within bounds for topics, bytes and age, and in order:
// what is kept comes before what is new, and nothing comes twice.
//
// Frames: topic, value. Any publisher and any subscriber will do; neither knows.
//
// Without arguments, one program has a publisher, the cache and two subscribers. Notice
// that the late one has the newest price of each share, although the publisher has gone.
//
//	go run ./examples/15-last-value-cache
//	go run ./examples/15-last-value-cache -role cache
//	go run ./examples/15-last-value-cache -role publisher share.A=1 share.B=2
//	go run ./examples/15-last-value-cache -role subscriber share.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"

	"github.com/ringwire/ringwire/device"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

func main() {
	role := flag.String("role", "", "cache, publisher or subscriber; empty: all of them, in a story")
	front := flag.String("front", "tcp://127.0.0.1:5615", "where the cache waits for publishers")
	back := flag.String("back", "tcp://127.0.0.1:5715", "where the cache waits for subscribers")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "15-last-value-cache: argument %q: want flags only, see -help\n", flag.Arg(0))
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	var err error
	switch *role {
	case "":
		err = run(ctx, os.Stdout)
	case "cache":
		err = runCache(ctx, *front, *back)
	case "publisher":
		err = publish(ctx, *front, flag.Args())
	case "subscriber":
		err = subscribe(ctx, *back, flag.Arg(0), func(topic, value string) bool {
			fmt.Println(topic, value)
			return true
		})
	default:
		err = fmt.Errorf("role %q: want cache, publisher or subscriber", *role)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "15-last-value-cache:", err)
		os.Exit(1)
	}
}

func runCache(ctx context.Context, front, back string) error {
	cache, err := device.NewLastValue(nil, nil, nil, nil)
	if err != nil {
		return err
	}
	defer cache.Close()
	if _, err := cache.Front().Bind(front); err != nil {
		return err
	}
	if _, err := cache.Back().Bind(back); err != nil {
		return err
	}
	return cache.Run(ctx)
}

// publish publishes values given as topic=value, and returns when they have left.
func publish(ctx context.Context, endpoint string, values []string) error {
	pub, err := socket.New(pattern.Pub, &socket.Options{OnFull: socket.FullBlock})
	if err != nil {
		return err
	}
	if err := pub.Connect(endpoint); err != nil {
		return errors.Join(err, pub.Close())
	}
	for _, s := range values {
		topic, value, _ := strings.Cut(s, "=")
		// The cache subscribes to everything, from the start.
		if err := pub.WaitSubscribers(ctx, topic, 1); err != nil {
			return errors.Join(err, pub.Close())
		}
		if err := pub.Send(ctx, []byte(topic), []byte(value)); err != nil {
			return errors.Join(err, pub.Close())
		}
	}
	return pub.Shutdown(ctx)
}

// subscribe hands on what is published under a prefix, as long as more wants it.
func subscribe(ctx context.Context, endpoint, prefix string, more func(topic, value string) bool) error {
	sub, err := socket.New(pattern.Sub, nil)
	if err != nil {
		return err
	}
	defer sub.Close()
	if err := sub.Subscribe(prefix); err != nil {
		return err
	}
	if err := sub.Connect(endpoint); err != nil {
		return err
	}
	for m, err := range sub.Messages(ctx) {
		if err != nil {
			return err
		}
		if m.Len() == 2 && !more(string(m.Frame(0)), string(m.Frame(1))) {
			return nil
		}
		m.Release()
	}
	return nil
}

// run is the story.
func run(ctx context.Context, out io.Writer) error {
	cache, err := device.NewLastValue(nil, nil, &device.LastValueOptions{MaxKeys: 100}, nil)
	if err != nil {
		return err
	}
	front, err := cache.Front().Bind("tcp://127.0.0.1:*")
	if err != nil {
		return errors.Join(err, cache.Close())
	}
	back, err := cache.Back().Bind("tcp://127.0.0.1:*")
	if err != nil {
		return errors.Join(err, cache.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	defer cache.Close()
	wg.Go(func() { cache.Run(ctx) }) // ends with Close

	// Ten prices of each of three shares, the last of them 10.
	values := []string{"weather.oslo=snow"}
	for price := 1; price <= 10; price++ {
		for _, share := range []string{"A", "B", "C"} {
			values = append(values, fmt.Sprintf("share.%s=%d", share, price))
		}
	}
	last := "share.C=10"
	published := make(chan error, 1)
	wg.Go(func() { published <- publish(ctx, front, values) })
	// The early subscriber may be given some prices by the cache and some as they come.
	// When it has the last one, the cache has all of them.
	if err := subscribe(ctx, back, "share.", func(topic, value string) bool {
		return topic+"="+value != last
	}); err != nil {
		return err
	}
	if err := <-published; err != nil {
		return err
	}
	fmt.Fprintf(out, "the early subscriber has seen %s, and the publisher has gone\n", last)

	n := 0
	if err := subscribe(ctx, back, "share.", func(topic, value string) bool {
		fmt.Fprintf(out, "the late subscriber is given %s=%s\n", topic, value)
		n++
		return n < 3
	}); err != nil {
		return err
	}
	stats := cache.Cache()
	fmt.Fprintf(out, "the cache keeps a message for each of %d topics, of %d that came\n", stats.Keys, stats.Updated)
	return nil
}
