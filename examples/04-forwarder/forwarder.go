package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/ringwire/ringwire/device"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// forward runs a forwarder until ctx is done.
func forward(ctx context.Context, front, back string, out io.Writer) error {
	forwarder, publishHere, subscribeHere, err := newForwarder(front, back)
	if err != nil {
		return err
	}
	defer forwarder.Close()
	fmt.Fprintf(out, "forwarder: publish to %s, subscribe at %s\n", publishHere, subscribeHere)
	return forwarder.Run(ctx)
}

// newForwarder makes a forwarder and says where it is.
func newForwarder(front, back string) (f *device.Device, publishHere, subscribeHere string, err error) {
	if f, err = device.NewForwarder(nil, nil, nil); err != nil {
		return nil, "", "", err
	}
	if publishHere, err = f.Front().Bind(front); err == nil {
		subscribeHere, err = f.Back().Bind(back)
	}
	if err != nil {
		return nil, "", "", errors.Join(err, f.Close())
	}
	return f, publishHere, subscribeHere, nil
}

// publisher publishes news and sport until ctx is done.
func publisher(ctx context.Context, endpoint, name string, every time.Duration) error {
	pub, err := dial(pattern.Pub, endpoint)
	if err != nil {
		return err
	}
	defer pub.Close()
	ticks := time.NewTicker(every)
	defer ticks.Stop()
	for n := 1; ; n++ {
		if err := publish(ctx, pub, name, n); err != nil {
			return err
		}
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// publish sends one message on each of three topics.
func publish(ctx context.Context, pub *socket.Socket, name string, n int) error {
	for _, topic := range []string{"news.", "sport.", "weather."} {
		if err := pub.Send(ctx, []byte(topic+name), []byte(number(n))); err != nil {
			return err
		}
	}
	return nil
}

func number(n int) string { return "number " + strconv.Itoa(n) }

// subscriber prints what it gets until ctx is done.
func subscriber(ctx context.Context, endpoint, topic string, out io.Writer) error {
	sub, err := subscribe(endpoint, topic)
	if err != nil {
		return err
	}
	defer sub.Close()
	for m, err := range sub.Messages(ctx) {
		if err != nil {
			return err
		}
		fmt.Fprintln(out, "subscriber:", m)
		m.Release()
	}
	return nil
}

// subscribe makes a subscriber of some topics.
func subscribe(endpoint string, topics ...string) (*socket.Socket, error) {
	sub, err := dial(pattern.Sub, endpoint)
	if err != nil {
		return nil, err
	}
	for _, topic := range topics {
		if err := sub.Subscribe(topic); err != nil {
			return nil, errors.Join(err, sub.Close())
		}
	}
	return sub, nil
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
