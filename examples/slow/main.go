// Slow shows what a publisher can know about a subscriber that does not keep up:
// who it is, how far it is behind, what it missed; and what it can do about it.
//
// A hundred subscribers follow a publisher; one of them has stopped reading. The
// publisher names it by what it announced, and shows it the door.
//
//	go run ./examples/slow
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

const subscribers = 100

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "slow:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	pub, err := socket.New(pattern.Pub, &socket.Options{SendHWM: 100, SendBuffer: 16 << 10})
	if err != nil {
		return err
	}
	defer pub.Close()
	endpoint, err := pub.Bind("tcp://127.0.0.1:*")
	if err != nil {
		return err
	}
	events := pub.Events(ctx) // from here on
	for i := range subscribers {
		close, err := subscribe(ctx, endpoint, i)
		if err != nil {
			return err
		}
		defer close()
	}
	if err := pub.WaitSubscribers(ctx, "news", subscribers); err != nil {
		return err
	}

	// Publish until somebody misses something.
	flood, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		for flood.Err() == nil {
			pub.Send(flood, []byte("news"), make([]byte, 1000))
		}
	}()
	for event := range events {
		if event.Kind != socket.SlowPeer {
			continue
		}
		for _, peer := range pub.Peers() {
			// Others may be full for a moment, too; this one takes nothing at all.
			if peer.Peer != event.Peer || peer.Name() != `"subscriber 42"` {
				continue
			}
			stop()
			fmt.Fprintf(out, "slow: %s at %s: %d messages of %d bytes wait, %d were dropped\n",
				peer.Name(), peer.Remote, peer.SendQueued, peer.SendBytes, peer.SendDropped.HWM)
			// To drop the oldest instead, to wait, or to disconnect at once is
			// Options.OnFull; here the publisher decides by itself.
			if err := pub.DisconnectPeer(peer.Peer); err != nil && !errors.Is(err, ringwire.ErrHostUnreachable) {
				return err
			}
			fmt.Fprintf(out, "disconnected %s\n", peer.Name())
			return nil
		}
	}
	return ctx.Err()
}

// subscribe starts a subscriber, which reads unless it is number 42.
func subscribe(ctx context.Context, endpoint string, i int) (stop func(), err error) {
	sub, err := socket.New(pattern.Sub, &socket.Options{
		RecvHWM:    10,
		RecvBuffer: 1, // as small as the system allows: it is full sooner
		// Peers see this in PeerInfo.Metadata, and PeerInfo.Name uses it.
		Metadata: map[string]string{"X-Name": fmt.Sprintf("subscriber %d", i)},
	})
	if err != nil {
		return nil, err
	}
	if err = errors.Join(sub.Subscribe("news"), sub.Connect(endpoint)); err != nil {
		return nil, errors.Join(err, sub.Close())
	}
	if i != 42 {
		go func() {
			var m ringwire.Message
			for sub.RecvInto(ctx, &m) == nil {
			}
		}()
	}
	return func() { sub.Close() }, nil
}
