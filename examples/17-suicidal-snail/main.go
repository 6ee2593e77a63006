// Suicidal snail: a subscriber that finds out that it is too slow, and ends itself.
//
// The problem: a subscriber that cannot keep up works on older and older messages, and
// does not know it; its queue, here or at the publisher, grows until messages are
// dropped. For prices, positions or alarms it is better to have no answer than a stale
// one. The pattern: messages have the time at which they were sent; a subscriber that
// gets one that is too old ends with an error, so that somebody is told: its supervisor
// starts it again, gives it less to do, or a faster machine.
//
// Frames: time, number. The time is that of the publisher's clock, nanoseconds since
// 1970 in 8 bytes, most significant first: clocks of different machines must agree to
// much less than what is too old.
//
// The publisher can do something about snails, too, without their help: with
// Options.OnFull = socket.FullDisconnect it disconnects who has no room any more.
//
// Without arguments, one program has a publisher and two subscribers. Notice that the
// lag of the slow one grows, until it is the only one that dies.
//
//	go run ./examples/17-suicidal-snail
//	go run ./examples/17-suicidal-snail -role publisher
//	go run ./examples/17-suicidal-snail -role subscriber -work 3ms
package main

import (
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"sync"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// Config is how fast everything is.
type Config struct {
	Interval time.Duration // between two messages
	Work     time.Duration // that a subscriber spends on each
	MaxDelay time.Duration // the age of a message that ends a subscriber
}

// errLate is what a snail dies of.
var errLate = errors.New("too slow")

func main() {
	role := flag.String("role", "", "publisher or subscriber; empty: all, in a story")
	bind := flag.String("bind", "tcp://127.0.0.1:5517", "where the publisher is")
	connect := flag.String("connect", "tcp://127.0.0.1:5517", "where the subscriber finds it")
	work := flag.Duration("work", 0, "what the subscriber spends on each message; the publisher sends one each millisecond")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "17-suicidal-snail: argument %q: want flags only, see -help\n", flag.Arg(0))
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	config := Config{Interval: time.Millisecond, Work: *work, MaxDelay: time.Second}
	out := log.New(os.Stdout, "", 0)
	var err error
	switch *role {
	case "":
		config.MaxDelay = 200 * time.Millisecond
		err = run(ctx, config, os.Stdout)
	case "publisher":
		err = publish(ctx, *bind, 0, config)
	case "subscriber":
		err = subscribe(ctx, *connect, "subscriber", config, out)
	default:
		err = fmt.Errorf("role %q: want publisher or subscriber", *role)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "17-suicidal-snail:", err)
		os.Exit(1)
	}
}

// publish sends a message each interval until ctx ends, when there are so many
// subscribers.
func publish(ctx context.Context, endpoint string, subscribers int, config Config) error {
	pub, err := socket.New(pattern.Pub, &socket.Options{NoLinger: true})
	if err != nil {
		return err
	}
	defer pub.Close()
	if _, err := pub.Bind(endpoint); err != nil {
		return err
	}
	if err := pub.WaitSubscribers(ctx, "", subscribers); err != nil {
		return err
	}
	tick := time.NewTicker(config.Interval)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case now := <-tick.C:
			sent := binary.BigEndian.AppendUint64(nil, uint64(now.UnixNano()))
			if err := pub.Send(ctx, sent, fmt.Append(nil, n)); err != nil {
				return err
			}
		}
	}
}

// subscribe works on messages until ctx ends or one is too old: then the error is
// errLate.
func subscribe(ctx context.Context, endpoint, name string, config Config, out *log.Logger) error {
	sub, err := socket.New(pattern.Sub, nil)
	if err != nil {
		return err
	}
	defer sub.Close()
	if err := sub.Subscribe(""); err != nil {
		return err
	}
	if err := sub.Connect(endpoint); err != nil {
		return err
	}
	told := config.MaxDelay / 4 // the lag to tell of next
	for m, err := range sub.Messages(ctx) {
		if err != nil {
			return err
		}
		if m.Len() != 2 || len(m.Frame(0)) != 8 {
			return fmt.Errorf("%s: got %s, want a time of 8 bytes and a number", name, m)
		}
		lag := time.Since(time.Unix(0, int64(binary.BigEndian.Uint64(m.Frame(0)))))
		if lag > config.MaxDelay {
			return fmt.Errorf("%s: message %s is %v old, that is %w", name, m.Frame(1), lag.Round(time.Millisecond), errLate)
		}
		if lag > told {
			out.Printf("%s: message %s is %v old", name, m.Frame(1), lag.Round(time.Millisecond))
			told += config.MaxDelay / 4
		}
		m.Release()
		if err := work(ctx, config.Work); err != nil {
			return err
		}
	}
	return nil
}

// work stands for what a subscriber does with a message.
func work(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return nil
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run is the story: it ends when one of two subscribers dies of being late.
func run(ctx context.Context, config Config, w io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	out := log.New(w, "", 0)
	const endpoint = "inproc://snail"
	ended := make(chan error, 3)
	wg.Go(func() { ended <- publish(ctx, endpoint, 2, config) })
	for name, work := range map[string]time.Duration{"hare": 0, "snail": 3 * config.Interval} {
		config := config
		config.Work = work
		wg.Go(func() { ended <- subscribe(ctx, endpoint, name, config, out) })
	}
	err := <-ended
	if !errors.Is(err, errLate) {
		return err
	}
	out.Print(err)
	return nil
}
