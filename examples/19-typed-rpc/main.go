// Typed RPC is functions of Go types across a network: a client calls, a server's
// function answers, and both see structs, errors and contexts instead of bytes.
//
//	go run ./examples/19-typed-rpc
//
// The problem: with plain sockets each program packs and unpacks its values, numbers
// its requests, passes on how long the caller is willing to wait, and finds a way to
// say "no". Package socket/typed does that once: many calls at a time over one
// connection, deadlines and cancellation that reach the handler, errors that cross the
// wire with a code. The frames are in docs/typed.md, so that programs in other
// languages can join.
//
// Notice in the output that each reply is the one to its own question though all are
// asked at once, that an error arrives with its code, that a panic costs one call and
// not the server, and that the handler of a call whose time is over hears of it.
//
// In two terminals, in any order:
//
//	go run ./examples/19-typed-rpc -role server
//	go run ./examples/19-typed-rpc -role client
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"time"

	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/typed"
)

// Order and Receipt are what crosses the wire.
type Order struct {
	Item   string
	Pieces int
}

type Receipt struct {
	Item  string
	Cents int
}

func main() {
	role := flag.String("role", "", "run only this `role`: server or client")
	bind := flag.String("bind", "tcp://127.0.0.1:5619", "`endpoint` of the server")
	connect := flag.String("connect", "tcp://127.0.0.1:5619", "`endpoint` that the client connects to")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "typed-rpc: argument %q: want flags only, see -help\n", flag.Arg(0))
		os.Exit(2)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	out := log.New(os.Stdout, "", 0) // both sides may write at the same time
	var err error
	switch *role {
	case "":
		err = demo(ctx, out)
	case "server":
		err = serve(ctx, *bind, out, nil)
	case "client":
		err = ask(ctx, *connect, out)
	default:
		err = fmt.Errorf("role %q: want server or client", *role)
	}
	if err != nil && ctx.Err() == nil { // Ctrl-C is no failure
		fmt.Fprintln(os.Stderr, "typed-rpc:", err)
		os.Exit(1)
	}
}

// demo has a server and a client.
func demo(ctx context.Context, out *log.Logger) error {
	ctx, stop := context.WithCancel(ctx)
	bound := make(chan string, 1)
	served := make(chan error, 1)
	go func() { served <- serve(ctx, "tcp://127.0.0.1:*", out, bound) }()
	var err error
	select {
	case at := <-bound:
		err = ask(ctx, at, out)
	case err = <-served:
		served <- nil
	}
	stop()
	return errors.Join(err, <-served)
}

// serve answers orders until ctx is done, then those that it has begun with. It tells
// bound where it listens.
func serve(ctx context.Context, endpoint string, out *log.Logger, bound chan<- string) error {
	shop := &shop{out: out, prices: map[string]int{"apple": 25, "pear": 30, "melon": 250}}
	server, err := typed.NewServer(shop.sell, &typed.Options{
		// A panic of a handler goes into this log; here it is part of the show.
		Socket: &socket.Options{Logger: slog.New(slog.DiscardHandler)},
	})
	if err != nil {
		return err
	}
	at, err := server.Bind(endpoint)
	if err != nil {
		return errors.Join(err, server.Close())
	}
	if bound != nil {
		bound <- at
	} else {
		out.Println("server: listens at", at)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(context.WithoutCancel(ctx)) }()
	select {
	case err = <-served: // it cannot go on
		return errors.Join(err, server.Close())
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err = server.Shutdown(last)
	<-served
	return err
}

// shop is the service; nothing of it changes. Its method runs on many goroutines at
// once.
type shop struct {
	out    *log.Logger
	prices map[string]int // of a piece, in cents
}

func (s *shop) sell(ctx context.Context, o Order) (Receipt, error) {
	switch {
	case o.Item == "unicorn":
		panic("there are no unicorns")
	case o.Item == "moon":
		<-ctx.Done() // it takes longer than anybody waits
		s.out.Println("server: nobody waits for the moon any more")
		return Receipt{}, ctx.Err()
	}
	price, ok := s.prices[o.Item]
	if !ok {
		return Receipt{}, &typed.Error{Code: "sold-out", Text: "no " + o.Item + " left"}
	}
	return Receipt{Item: o.Item, Cents: price * o.Pieces}, nil
}

// ask sends all orders at once and prints the answers in the order of the questions.
func ask(ctx context.Context, endpoint string, out *log.Logger) error {
	client, err := typed.NewClient[Order, Receipt](nil)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.Connect(endpoint); err != nil {
		return err
	}
	if err := client.WaitServers(ctx, 1); err != nil {
		return err
	}
	orders := []Order{{"apple", 4}, {"pear", 2}, {"melon", 1}, {"kiwi", 3}, {"unicorn", 1}, {"moon", 1}}
	lines := make([]string, len(orders))
	var wg sync.WaitGroup
	for i, o := range orders {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, patience(o))
			defer cancel()
			lines[i] = describe(client.Call(ctx, o))
		})
	}
	wg.Wait()
	for i, o := range orders {
		out.Printf("%d x %s: %s", o.Pieces, o.Item, lines[i])
	}
	return nil
}

// patience is how long to wait for an order.
func patience(o Order) time.Duration {
	if o.Item == "moon" {
		return 200 * time.Millisecond
	}
	return time.Minute
}

// describe says in a line how a call ended.
func describe(r Receipt, err error) string {
	refused, ok := errors.AsType[*typed.Error](err)
	switch {
	case err == nil:
		return fmt.Sprintf("%d cents", r.Cents)
	case errors.Is(err, context.DeadlineExceeded):
		return "not in time"
	case ok:
		return fmt.Sprintf("refused with code %s: %s", refused.Code, refused.Text)
	}
	return err.Error()
}
