package socket_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// A pipeline: one socket binds, the other connects, and a message goes over.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	pull, err := socket.New(pattern.Pull, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer pull.Close()
	endpoint, err := pull.Bind("tcp://127.0.0.1:*") // a free port
	if err != nil {
		log.Fatal(err)
	}

	push, err := socket.New(pattern.Push, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer push.Close()
	if err := push.Connect(endpoint); err != nil {
		log.Fatal(err)
	}
	if err := push.Send(ctx, []byte("hello"), []byte("world")); err != nil {
		log.Fatal(err)
	}

	m, err := pull.Recv(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s, %s\n", m.Frame(0), m.Frame(1))
	m.Release()
	// Output: hello, world
}

// Options are one struct whose zero values are the defaults; what is out of
// range is refused by name.
func ExampleNew() {
	_, err := socket.New(pattern.Dealer, &socket.Options{SendHWM: -2})
	fmt.Println(err)

	dealer, err := socket.New(pattern.Dealer, &socket.Options{
		SendHWM:           10_000,
		Identity:          []byte("worker-7"),
		HeartbeatInterval: 5 * time.Second,
	})
	fmt.Println(dealer.Type(), err)
	dealer.Close()
	// Output:
	// new: option SendHWM is -2, want -1, 0 or more
	// DEALER <nil>
}

// A REQ socket's Do returns the reply or an error, never another reply.
func ExampleSocket_Do() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	server, _ := socket.New(pattern.Rep, nil)
	defer server.Close()
	endpoint, _ := server.Bind("inproc://upper")
	go func() {
		for request, err := range server.Messages(ctx) {
			if err != nil {
				return
			}
			server.Send(ctx, request.Bytes(), []byte("!"))
		}
	}()

	client, _ := socket.New(pattern.Req, nil)
	defer client.Close()
	client.Connect(endpoint)
	reply, err := client.Do(ctx, []byte("hello"))
	fmt.Printf("%s %v\n", reply.Bytes(), err)
	// Output: hello! <nil>
}

// A publisher drops what nobody has subscribed to. WaitSubscribers is how to
// wait for subscribers, instead of sleeping.
func ExampleSocket_WaitSubscribers() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	pub, _ := socket.New(pattern.Pub, nil)
	defer pub.Close()
	endpoint, _ := pub.Bind("tcp://127.0.0.1:*")

	sub, _ := socket.New(pattern.Sub, nil)
	defer sub.Close()
	sub.Subscribe("weather.")
	sub.Connect(endpoint)

	if err := pub.WaitSubscribers(ctx, "weather.oslo", 1); err != nil {
		log.Fatal(err)
	}
	pub.Send(ctx, []byte("traffic.oslo"), []byte("jam"))
	pub.Send(ctx, []byte("weather.oslo"), []byte("snow"))
	m, _ := sub.Recv(ctx)
	fmt.Printf("%s: %s\n", m.Frame(0), m.Frame(1))
	fmt.Println("not subscribed to:", pub.Stats().Unmatched)
	// Output:
	// weather.oslo: snow
	// not subscribed to: 1
}

// A loop with RecvInto allocates nothing.
func ExampleSocket_RecvInto() {
	ctx := context.Background()
	pull, _ := socket.New(pattern.Pull, nil)
	defer pull.Close()
	pull.Bind("inproc://numbers")
	push, _ := socket.New(pattern.Push, nil)
	defer push.Close()
	push.Connect("inproc://numbers")
	for i := range 3 {
		push.Send(ctx, fmt.Appendf(nil, "%d", i))
	}

	var m ringwire.Message
	for range 3 {
		if err := pull.RecvInto(ctx, &m); err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s ", m.Bytes())
	}
	// Output: 0 1 2
}

// A ROUTER puts the sender's identity in front, and sends by it.
func ExampleSocket_SendMessage() {
	ctx := context.Background()
	router, _ := socket.New(pattern.Router, nil)
	defer router.Close()
	router.Bind("inproc://work")
	worker, _ := socket.New(pattern.Dealer, &socket.Options{Identity: []byte("worker-7")})
	defer worker.Close()
	worker.Connect("inproc://work")

	worker.Send(ctx, []byte("ready"))
	m, _ := router.Recv(ctx)
	fmt.Printf("%s says %s\n", m.Frame(0), m.Frame(1))
	m.Release()

	router.SendMessage(ctx, ringwire.NewMessage([]byte("worker-7"), []byte("task 1")))
	task, _ := worker.Recv(ctx)
	fmt.Printf("worker got %s\n", task.Bytes())

	err := router.Send(ctx, []byte("worker-8"), []byte("task 2"))
	fmt.Println(errors.Is(err, ringwire.ErrHostUnreachable), err)
	// Output:
	// worker-7 says ready
	// worker got task 1
	// true send: identity "worker-8": ringwire: no peer with that identity
}

// Events tell what happens to connections, from the call on.
func ExampleSocket_Events() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	pair, _ := socket.New(pattern.Pair, nil)
	events := pair.Events(ctx)
	pair.Bind("inproc://events")
	other, _ := socket.New(pattern.Pair, nil)
	other.Connect("inproc://events")
	other.WaitPeers(ctx, 1)
	other.Close()
	for ev := range events {
		fmt.Println(ev.Kind, ev.Err)
		if ev.Kind == socket.Disconnected {
			break
		}
	}
	pair.Close()
	// Output:
	// listening <nil>
	// ready <nil>
	// disconnected the peer is gone
}

// Probe says what is at an endpoint without sending a message.
func ExampleProbe() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	rep, _ := socket.New(pattern.Rep, nil)
	defer rep.Close()
	endpoint, _ := rep.Bind("tcp://127.0.0.1:*")
	info, err := socket.Probe(ctx, endpoint, nil)
	fmt.Println(info.SocketType, info.Version, info.Mechanism, err)
	// Output: REP 3.1 NULL <nil>
}

// Over ipc, processes of this user are let in, and nobody else is.
func ExampleAllowUIDs() {
	server, err := socket.New(pattern.Rep, &socket.Options{Authenticator: socket.AllowUIDs(uint32(os.Getuid()))})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	if _, err := server.Bind("ipc://*"); err != nil {
		log.Fatal(err)
	}
}
