// Black box: a subscriber for high rates, whose work is spread over cores by key.
//
// The problem: one goroutine cannot keep up with the stream; but if any worker took any
// message, two messages about the same thing could be worked on at the same time, or in
// the wrong order. The pattern: one goroutine does nothing but read, many messages at a
// time, and gives each to the worker that its key belongs to, over inproc; a worker has
// all messages of its keys, in order, and needs no locks for what it keeps about them.
//
// Why inproc and not a channel: a batch is handed over in one step, a message is moved
// and not copied, and the queue between reader and worker has a limit that holds up the
// reader, and with that, the publisher, as it would between machines. The worker can
// move to another process without a change.
//
// Frames: key, value.
//
// Without arguments, one program has a publisher, the reader and four workers. Notice
// that every key is with one worker, and that no message is missing or out of order.
//
//	go run ./examples/18-black-box
//	go run ./examples/18-black-box -role publisher
//	go run ./examples/18-black-box -role subscriber -workers 4
package main

import (
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"hash/maphash"
	"io"
	"os"
	"os/signal"
	"sync"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

func main() {
	role := flag.String("role", "", "publisher or subscriber; empty: both, in a story")
	bind := flag.String("bind", "tcp://127.0.0.1:5518", "where the publisher is")
	connect := flag.String("connect", "tcp://127.0.0.1:5518", "where the subscriber finds it")
	workers := flag.Int("workers", 4, "of the subscriber")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "18-black-box: argument %q: want flags only, see -help\n", flag.Arg(0))
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	var err error
	switch *role {
	case "":
		err = run(ctx, 200_000, *workers, os.Stdout)
	case "publisher":
		err = publish(ctx, *bind, -1)
	case "subscriber":
		tallies := newTallies(*workers, -1)
		err = subscribe(ctx, *connect, tallies)
		report(os.Stdout, tallies)
	default:
		err = fmt.Errorf("role %q: want publisher or subscriber", *role)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "18-black-box:", err)
		os.Exit(1)
	}
}

// keys is how many keys the publisher has.
const keys = 1000

// publish publishes so many messages, or without end if that is negative, on all keys
// in turn: the value is how often the key has come.
func publish(ctx context.Context, endpoint string, messages int) error {
	// With FullBlock nothing is lost: the publisher goes as fast as the subscriber.
	pub, err := socket.New(pattern.Pub, &socket.Options{OnFull: socket.FullBlock})
	if err != nil {
		return err
	}
	if _, err := pub.Bind(endpoint); err != nil {
		return errors.Join(err, pub.Close())
	}
	if err := pub.WaitSubscribers(ctx, "key", 1); err != nil {
		return errors.Join(err, pub.Close())
	}
	key, value := []byte("key 0000"), make([]byte, 8)
	for n := 0; n != messages; n++ {
		copy(key[4:], fmt.Appendf(key[4:4], "%04d", n%keys))
		binary.BigEndian.PutUint64(value, uint64(n/keys))
		if err := pub.Send(ctx, key, value); err != nil { // copies both
			return errors.Join(err, pub.Close())
		}
	}
	return pub.Shutdown(ctx)
}

// subscribe reads until ctx ends, or a worker has nothing more to do, which is no error.
func subscribe(ctx context.Context, endpoint string, tallies []*tally) error {
	sub, err := socket.New(pattern.Sub, nil)
	if err != nil {
		return err
	}
	defer sub.Close()
	if err := sub.Subscribe("key"); err != nil {
		return err
	}
	if err := sub.Connect(endpoint); err != nil {
		return err
	}

	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	ended := make(chan error, len(tallies)+1)
	var workers []*socket.Socket
	for i, tally := range tallies {
		push, pull, err := pipeline(fmt.Sprintf("inproc://worker-%d", i))
		if err != nil {
			return err
		}
		defer push.Close()
		defer pull.Close()
		workers = append(workers, push)
		wg.Go(func() { ended <- work(ctx, pull, tally) })
	}
	wg.Go(func() { ended <- fanOut(ctx, sub, workers) })
	return <-ended
}

// pipeline returns a PUSH and a PULL that are connected to each other.
func pipeline(endpoint string) (push, pull *socket.Socket, err error) {
	if pull, err = socket.New(pattern.Pull, nil); err != nil {
		return nil, nil, err
	}
	if _, err = pull.Bind(endpoint); err == nil {
		push, err = socket.New(pattern.Push, &socket.Options{NoLinger: true})
	}
	if err == nil {
		err = push.Connect(endpoint)
	}
	if err != nil {
		pull.Close()
		return nil, nil, err
	}
	return push, pull, nil
}

// fanOut gives each message to the worker that its key belongs to. One that does not
// keep up holds up all.
func fanOut(ctx context.Context, sub *socket.Socket, workers []*socket.Socket) error {
	seed := maphash.MakeSeed()
	batch := make([]*ringwire.Message, 256)
	shares := make([][]*ringwire.Message, len(workers))
	for {
		n, err := sub.RecvBatch(ctx, batch)
		if err != nil {
			return err
		}
		for i, m := range batch[:n] {
			w := maphash.Bytes(seed, m.Frame(0)) % uint64(len(workers))
			shares[w] = append(shares[w], m)
			batch[i] = nil // it is not ours any more
		}
		for w, share := range shares {
			if len(share) == 0 {
				continue
			}
			if _, err := workers[w].SendBatch(ctx, share); err != nil {
				return err
			}
			clear(share)
			shares[w] = share[:0]
		}
	}
}

// work hands a tally its messages until it has enough.
func work(ctx context.Context, pull *socket.Socket, t *tally) error {
	batch := make([]*ringwire.Message, 256) // filled once, then received into
	for {
		n, err := pull.RecvBatch(ctx, batch)
		if err != nil {
			return err
		}
		for _, m := range batch[:n] {
			if err := t.take(m); err != nil {
				return err
			}
		}
		if t.enough(n) {
			return nil
		}
	}
}

// run is the story, with so many messages.
func run(ctx context.Context, messages, workers int, out io.Writer) error {
	start := time.Now()
	tallies := newTallies(workers, messages)
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	published := make(chan error, 1)
	const endpoint = "inproc://black-box"
	wg.Go(func() { published <- publish(ctx, endpoint, messages) })
	if err := subscribe(ctx, endpoint, tallies); err != nil {
		return err
	}
	if err := <-published; err != nil {
		return err
	}
	report(out, tallies)
	took := time.Since(start)
	fmt.Fprintf(out, "%d messages in %v, none missing or out of order\n", messages, took.Round(time.Millisecond))
	return nil
}
