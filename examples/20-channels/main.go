// Channels shows sockets among what else Go has for waiting: range, channels, select.
//
//	go run ./examples/20-channels
//
// The problem: a goroutine that waits in Recv waits for one socket. A program with
// several sources, a ticker and a context wants select. A socket is not a channel, and
// need not be one: Messages is an iterator, and a goroutine of a few lines makes a
// channel of it.
//
//	for m, err := range s.Messages(ctx)   one socket; leave the loop and come back later
//	channel(ctx, s)                       a socket as a case of a select: see channel.go
//	send(ctx, s, values)                  a channel whose values a socket sends
//
// One socket for many goroutines needs neither: all of them may call Recv and Send.
//
// A shop opens and closes by alerts, and takes orders in between.
//
//	alert, PUB to SUB     0: text
//	order, PUSH to PULL   0: text
//
// Notice in the output that orders, alerts and the ticker come in one loop, and that
// when it ends nothing is lost: what a channel had taken from its socket is still
// received and counted, all else stays with the socket and with those who send. A
// channel holds one message more than its capacity, on top of what the socket queues
// by its high-water mark. So keep it small, or none: that a program cannot keep up
// should be felt by those who send, not by its memory.
//
// In several terminals, in any order:
//
//	go run ./examples/20-channels -role shop
//	go run ./examples/20-channels -role customer
//	go run ./examples/20-channels -role clock
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
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

func main() {
	role := flag.String("role", "", "run only this `role`: shop, customer or clock")
	orders := flag.String("orders", "tcp://127.0.0.1:5567", "`endpoint` of the shop for orders")
	alerts := flag.String("alerts", "tcp://127.0.0.1:5568", "`endpoint` of the shop for alerts")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "channels: argument %q: want flags only, see -help\n", flag.Arg(0))
		os.Exit(2)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch *role {
	case "":
		err = demo(ctx, "tcp://127.0.0.1:*", "tcp://127.0.0.1:*", os.Stdout)
	case "shop":
		var s *shop
		if s, err = newShop(*orders, *alerts); err == nil {
			fmt.Printf("shop: takes orders at %s, opens and closes by alerts at %s\n", s.ordersAt, s.alertsAt)
			_, err = s.run(ctx, time.Second, os.Stdout)
			err = errors.Join(err, s.close())
		}
	case "customer":
		err = customer(ctx, *orders, 300*time.Millisecond)
	case "clock":
		err = clock(ctx, *alerts, 5*time.Second, os.Stdout)
	default:
		err = fmt.Errorf("role %q: want shop, customer or clock", *role)
	}
	if err != nil && ctx.Err() == nil { // Ctrl-C is no failure
		fmt.Fprintln(os.Stderr, "channels:", err)
		os.Exit(1)
	}
}

// demo has a shop, a customer and a clock, until the shop closes.
func demo(ctx context.Context, orders, alerts string, out io.Writer) error {
	s, err := newShop(orders, alerts)
	if err != nil {
		return err
	}
	defer s.close()
	group, stop := context.WithCancelCause(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop(nil)
	wg.Go(func() { stop(customer(group, s.ordersAt, 30*time.Millisecond)) })
	wg.Go(func() {
		if err := clock(group, s.alertsAt, 320*time.Millisecond, out); err != nil {
			stop(err)
		}
	})
	taken, err := s.run(group, 100*time.Millisecond, out)
	if err != nil {
		return errors.Join(err, context.Cause(group))
	}
	fmt.Fprintf(out, "shop: closed, with %d orders taken of %d that the socket returned\n", taken, s.orders.Stats().Returned)
	return nil
}

// customer sends an order each time, until ctx is done.
func customer(ctx context.Context, endpoint string, every time.Duration) error {
	push, err := dial(pattern.Push, endpoint)
	if err != nil {
		return err
	}
	defer push.Close()
	orders := make(chan string)
	go func() { // anything that knows channels and nothing of sockets
		defer close(orders)
		for n := 1; ; n++ {
			select {
			case <-time.After(every):
			case <-ctx.Done():
				return
			}
			select {
			case orders <- fmt.Sprintf("order %d", n):
			case <-ctx.Done():
				return
			}
		}
	}()
	return send(ctx, push, orders)
}

// clock opens the shop when it is there, and closes it after a while.
func clock(ctx context.Context, endpoint string, after time.Duration, out io.Writer) error {
	pub, err := dial(pattern.Pub, endpoint)
	if err != nil {
		return err
	}
	if err := pub.WaitSubscribers(ctx, opens, 1); err != nil {
		return errors.Join(err, pub.Close())
	}
	fmt.Fprintln(out, "clock: the shop opens")
	if err := pub.Send(ctx, []byte(opens)); err != nil {
		return errors.Join(err, pub.Close())
	}
	select {
	case <-time.After(after):
	case <-ctx.Done():
		return errors.Join(ctx.Err(), pub.Close())
	}
	fmt.Fprintln(out, "clock: the shop closes")
	return errors.Join(pub.Send(ctx, []byte(closes)), pub.Shutdown(ctx))
}

// dial makes a socket that connects to an endpoint.
func dial(spec *pattern.Spec, endpoint string) (*socket.Socket, error) {
	s, err := socket.New(spec, nil)
	if err != nil {
		return nil, err
	}
	if err := s.Connect(endpoint); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}
