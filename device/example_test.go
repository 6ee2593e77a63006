package device_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/ringwire/ringwire/device"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// must stops an example at what it does not show.
func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// ExampleNewForwarder has a publisher and a subscriber that only know the device.
func ExampleNewForwarder() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	forwarder := must(device.NewForwarder(nil, nil, nil))
	defer forwarder.Close()
	publishHere := must(forwarder.Front().Bind("tcp://127.0.0.1:*"))
	subscribeHere := must(forwarder.Back().Bind("tcp://127.0.0.1:*"))
	go forwarder.Run(ctx)

	sub := must(socket.New(pattern.Sub, nil))
	defer sub.Close()
	check(sub.Subscribe("weather."))
	check(sub.Connect(subscribeHere))

	pub := must(socket.New(pattern.Pub, nil))
	defer pub.Close()
	check(pub.Connect(publishHere))
	check(pub.WaitSubscribers(ctx, "weather.", 1)) // the subscription came through
	check(pub.Send(ctx, []byte("weather.oslo"), []byte("snow")))

	m := must(sub.Recv(ctx))
	fmt.Printf("%s: %s\n", m.Frame(0), m.Frame(1))
	// Output: weather.oslo: snow
}

// ExampleNewQueue spreads requests over workers.
func ExampleNewQueue() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	queue := must(device.NewQueue(nil, nil, nil))
	defer queue.Close()
	askHere := must(queue.Front().Bind("tcp://127.0.0.1:*"))
	workHere := must(queue.Back().Bind("tcp://127.0.0.1:*"))
	go queue.Run(ctx)

	worker := must(socket.New(pattern.Rep, nil))
	defer worker.Close()
	check(worker.Connect(workHere))
	go func() {
		for m := range worker.Messages(ctx) {
			worker.Send(ctx, []byte("hello "+string(m.Bytes())))
		}
	}()

	client := must(socket.New(pattern.Req, nil))
	defer client.Close()
	check(client.Connect(askHere))
	m := must(client.Do(ctx, []byte("world")))
	fmt.Printf("%s\n", m.Bytes())
	// Output: hello world
}

// ExampleNewStreamer passes jobs on, and ends when everything is delivered.
func ExampleNewStreamer() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	streamer := must(device.NewStreamer(nil, nil, nil))
	defer streamer.Close()
	pushHere := must(streamer.Front().Bind("tcp://127.0.0.1:*"))
	pullHere := must(streamer.Back().Bind("tcp://127.0.0.1:*"))
	go streamer.Run(ctx)

	push := must(socket.New(pattern.Push, nil))
	defer push.Close()
	check(push.Connect(pushHere))
	pull := must(socket.New(pattern.Pull, nil))
	defer pull.Close()
	check(pull.Connect(pullHere))
	for i := range 3 {
		check(push.Send(ctx, fmt.Appendf(nil, "job %d", i)))
		m := must(pull.Recv(ctx))
		fmt.Printf("%s\n", m.Bytes())
	}
	check(streamer.Drain(ctx))
	fmt.Println(streamer.Stats().Forward.Sent.Messages)
	// Output:
	// job 0
	// job 1
	// job 2
	// 3
}

// ExampleNew puts two sockets together that the caller has made, with a socket to
// steer the device by.
func ExampleNew() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	front, back := must(socket.New(pattern.Pull, nil)), must(socket.New(pattern.Pub, nil))
	defer front.Close()
	defer back.Close()
	control := must(socket.New(pattern.Rep, nil))
	defer control.Close()
	steerHere := must(control.Bind("tcp://127.0.0.1:*"))

	d := must(device.New(front, back, &device.Options{Control: control}))
	ended := make(chan error)
	go func() { ended <- d.Run(ctx) }()

	console := must(socket.New(pattern.Req, nil))
	defer console.Close()
	check(console.Connect(steerHere))
	m := must(console.Do(ctx, []byte("STATISTICS")))
	fmt.Println(m.Len(), "figures")
	must(console.Do(ctx, []byte("TERMINATE")))
	fmt.Println("ended:", <-ended)
	// Output:
	// 8 figures
	// ended: <nil>
}

// ExampleRun says why two sockets do not fit.
func ExampleRun() {
	rep, req := must(socket.New(pattern.Rep, nil)), must(socket.New(pattern.Req, nil))
	defer rep.Close()
	defer req.Close()
	fmt.Println(device.Run(context.Background(), rep, req, nil))
	// Output: new device: a REP and a REQ socket do not fit: a REP answers each request before the next, want a ROUTER
}
