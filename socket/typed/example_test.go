package typed_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/ringwire/ringwire/socket/typed"
)

type Job struct {
	ID   int
	What string
}

// A worker takes jobs that a producer pushes.
func ExampleNewPush() {
	ctx := context.Background()
	pull, err := typed.NewPull[Job](nil)
	if err != nil {
		log.Fatal(err)
	}
	defer pull.Close()
	endpoint, err := pull.Bind("tcp://127.0.0.1:*")
	if err != nil {
		log.Fatal(err)
	}

	push, err := typed.NewPush[Job](nil)
	if err != nil {
		log.Fatal(err)
	}
	defer push.Close()
	if err := push.Connect(endpoint); err != nil {
		log.Fatal(err)
	}
	if err := push.Send(ctx, Job{7, "sweep"}); err != nil {
		log.Fatal(err)
	}

	job, err := pull.Recv(ctx)
	fmt.Println(job.ID, job.What, err)
	// Output: 7 sweep <nil>
}

// A message of another type does not end the loop.
func ExampleNewPull() {
	ctx := context.Background()
	pull, err := typed.NewPull[int](nil)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := pull.Bind("inproc://numbers"); err != nil {
		log.Fatal(err)
	}
	push, err := typed.NewPush[any](nil)
	if err != nil {
		log.Fatal(err)
	}
	defer push.Close()
	if err := push.Connect("inproc://numbers"); err != nil {
		log.Fatal(err)
	}
	for _, v := range []any{1, "two", 3} {
		if err := push.Send(ctx, v); err != nil {
			log.Fatal(err)
		}
	}

	for n, err := range pull.Values(ctx) {
		if wrong, ok := errors.AsType[*typed.DecodeError](err); ok {
			fmt.Println("not an", wrong.Type, "but what is sent as", wrong.PeerType)
			continue
		}
		if err != nil {
			log.Fatal(err)
		}
		if fmt.Println(n); n == 3 {
			pull.Close()
		}
	}
	// Output:
	// 1
	// not an int but what is sent as interface {}
	// 3
}

type Price struct{ Bid, Ask float64 }

// A publisher and a subscriber, of which neither sleeps to be in time.
func ExampleNewPub() {
	ctx := context.Background()
	pub, err := typed.NewPub[Price](nil)
	if err != nil {
		log.Fatal(err)
	}
	defer pub.Close()
	endpoint, err := pub.Bind("tcp://127.0.0.1:*")
	if err != nil {
		log.Fatal(err)
	}

	sub, err := typed.NewSub[Price](nil)
	if err != nil {
		log.Fatal(err)
	}
	defer sub.Close()
	if err := errors.Join(sub.Subscribe("eur/"), sub.Connect(endpoint)); err != nil {
		log.Fatal(err)
	}

	if err := pub.WaitSubscribers(ctx, "eur/usd", 1); err != nil {
		log.Fatal(err)
	}
	if err := pub.Send(ctx, "eur/usd", Price{1.0812, 1.0813}); err != nil {
		log.Fatal(err)
	}
	topic, price, err := sub.Recv(ctx)
	fmt.Println(topic, price.Bid, price.Ask, err)
	// Output: eur/usd 1.0812 1.0813 <nil>
}

// JSON in place of MessagePack, and values of any shape.
func ExampleNewSub() {
	ctx := context.Background()
	json := &typed.Options{Codec: typed.JSON{}}
	sub, err := typed.NewSub[map[string]any](json)
	if err != nil {
		log.Fatal(err)
	}
	defer sub.Close()
	if err := sub.Subscribe(""); err != nil {
		log.Fatal(err)
	}
	if _, err := sub.Bind("inproc://readings"); err != nil {
		log.Fatal(err)
	}
	pub, err := typed.NewPub[map[string]any](json)
	if err != nil {
		log.Fatal(err)
	}
	defer pub.Close()
	if err := pub.Connect("inproc://readings"); err != nil {
		log.Fatal(err)
	}
	if err := pub.WaitSubscribers(ctx, "", 1); err != nil {
		log.Fatal(err)
	}
	if err := pub.Send(ctx, "kitchen", map[string]any{"celsius": 21.5}); err != nil {
		log.Fatal(err)
	}
	topic, reading, err := sub.Recv(ctx)
	fmt.Println(topic, reading["celsius"], err)
	// Output: kitchen 21.5 <nil>
}

type Order struct {
	Item  string
	Count int
}

type Receipt struct{ Total int }

// A function that is called over the network.
func ExampleNewServer() {
	server, err := typed.NewServer(func(ctx context.Context, o Order) (Receipt, error) {
		if o.Count < 1 {
			return Receipt{}, &typed.Error{Code: "bad-count", Text: fmt.Sprintf("%d is not a number of things", o.Count)}
		}
		return Receipt{Total: 3 * o.Count}, nil
	}, nil)
	if err != nil {
		log.Fatal(err)
	}
	endpoint, err := server.Bind("tcp://127.0.0.1:*")
	if err != nil {
		log.Fatal(err)
	}
	served := make(chan error)
	go func() { served <- server.Serve(context.Background()) }()

	client, err := typed.NewClient[Order, Receipt](nil)
	if err != nil {
		log.Fatal(err)
	}
	if err := client.Connect(endpoint); err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	receipt, err := client.Call(ctx, Order{"tea", 4})
	fmt.Println(receipt.Total, err)
	_, err = client.Call(ctx, Order{"tea", -1})
	fmt.Println(err)

	client.Close()
	fmt.Println(server.Shutdown(ctx), <-served)
	// Output:
	// 12 <nil>
	// typed: the server answered bad-count: -1 is not a number of things
	// <nil> <nil>
}

// A client with two servers: each request goes to the one with fewer under way, and
// what one has begun is told when nobody waits for it any more.
func ExampleNewClient() {
	client, err := typed.NewClient[string, string](nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	begun, cancelled := make(chan bool), make(chan bool)
	for _, name := range []string{"inproc://north", "inproc://south"} {
		server, err := typed.NewServer(func(ctx context.Context, s string) (string, error) {
			if s == "never" {
				begun <- true
				<-ctx.Done()
				cancelled <- true
			}
			return "you said " + s, nil
		}, nil)
		if err != nil {
			log.Fatal(err)
		}
		defer server.Close()
		if _, err := server.Bind(name); err != nil {
			log.Fatal(err)
		}
		go server.Serve(context.Background())
		if err := client.Connect(name); err != nil {
			log.Fatal(err)
		}
	}
	if err := client.WaitServers(context.Background(), 2); err != nil {
		log.Fatal(err)
	}

	fmt.Println(client.Call(context.Background(), "hello"))
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-begun
		cancel()
	}()
	_, err = client.Call(ctx, "never")
	fmt.Println(errors.Is(err, context.Canceled), <-cancelled)
	// Output:
	// you said hello <nil>
	// true true
}
