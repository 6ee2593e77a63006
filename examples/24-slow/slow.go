package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

const topic = "news"

// listen makes a publisher that has room for few messages, so that one does not have
// to wait for long to see it full.
func listen(endpoint string) (pub *socket.Socket, at string, err error) {
	if pub, err = socket.New(pattern.Pub, &socket.Options{SendHWM: 100, SendBuffer: 16 << 10}); err != nil {
		return nil, "", err
	}
	if at, err = pub.Bind(endpoint); err != nil {
		return nil, "", errors.Join(err, pub.Close())
	}
	return pub, at, nil
}

// subscribe makes a subscriber that tells its name. With little room it is full sooner.
func subscribe(endpoint, name string, littleRoom bool) (*socket.Socket, error) {
	// Peers see this in PeerInfo.Metadata, and PeerInfo.Name uses it.
	options := socket.Options{Metadata: map[string]string{"X-Name": name}}
	if littleRoom {
		options.RecvHWM = 10
		options.RecvBuffer = 1 // as small as the system allows
	}
	sub, err := socket.New(pattern.Sub, &options)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(sub.Subscribe(topic), sub.Connect(endpoint)); err != nil {
		return nil, errors.Join(err, sub.Close())
	}
	return sub, nil
}

// publish publishes until ctx is done.
func publish(ctx context.Context, pub *socket.Socket) error {
	ticks := time.NewTicker(time.Millisecond)
	defer ticks.Stop()
	body := make([]byte, 1000)
	for {
		if err := pub.Send(ctx, []byte(topic), body); err != nil {
			return err
		}
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// stuck returns the subscribers that miss messages and have taken none for a while, as
// they are found, until ctx is done. It looks from the moment of the call on.
func stuck(ctx context.Context, pub *socket.Socket, patience time.Duration) iter.Seq[socket.PeerInfo] {
	events := pub.Events(ctx)
	return func(yield func(socket.PeerInfo) bool) {
		for event := range events {
			if event.Kind != socket.SlowPeer {
				continue
			}
			// One look for all that are slow now.
			written := make(map[ringwire.Peer]int64)
			for _, peer := range pub.Peers() {
				written[peer.Peer] = peer.Written
			}
			select {
			case <-time.After(patience):
			case <-ctx.Done():
				return
			}
			for _, peer := range pub.Peers() {
				before, known := written[peer.Peer]
				if known && peer.SendDropped.HWM > 0 && peer.SendQueued > 0 && peer.Written == before && !yield(peer) {
					return
				}
			}
		}
	}
}

// disconnect says what is known of a subscriber and ends its connection.
func disconnect(pub *socket.Socket, peer socket.PeerInfo, out io.Writer) error {
	fmt.Fprintf(out, "slow: %s at %s: %d messages of %d bytes wait, %d were dropped\n",
		peer.Name(), peer.Remote, peer.SendQueued, peer.SendBytes, peer.SendDropped.HWM)
	err := pub.DisconnectPeer(peer.Peer)
	if err != nil && !errors.Is(err, ringwire.ErrHostUnreachable) { // it has just gone by itself
		return err
	}
	fmt.Fprintf(out, "disconnected %s\n", peer.Name())
	return nil
}
