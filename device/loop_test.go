package device_test

import (
	"context"
	"errors"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/device"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// isLoop fails unless err is a loop at an endpoint.
func isLoop(t testing.TB, err error, endpoint string) {
	t.Helper()
	op, ok := errors.AsType[*ringwire.OpError](err)
	if !errors.Is(err, device.ErrLoop) || !ok || op.Endpoint != endpoint {
		t.Errorf("got %v, want ErrLoop at %s", err, endpoint)
	}
}

// TestLoop connects devices to themselves, before and while they run.
func TestLoop(t *testing.T) {
	constructors := map[string]constructor{"forwarder": device.NewForwarder, "queue": device.NewQueue, "streamer": device.NewStreamer}
	for name, make := range constructors {
		for _, scheme := range schemes {
			t.Run(name+"/"+scheme+"/late", func(t *testing.T) {
				d := start(t, make, scheme, nil, nil, nil)
				connect(t, d.Back(), d.front)
				isLoop(t, d.end(), d.front)
			})
			t.Run(name+"/"+scheme+"/early", func(t *testing.T) {
				d, err := make(nil, nil, nil)
				if err != nil {
					t.Fatal(err)
				}
				defer d.Close()
				at := bind(t, d.Back(), anywhere(t, scheme))
				connect(t, d.Front(), at)
				waitPeers(t, d.Front(), 1)
				waitPeers(t, d.Back(), 1)
				isLoop(t, d.Run(within(t)), at)
			})
		}
	}
}

// TestLoopOfGivenSockets finds a loop by addresses alone.
func TestLoopOfGivenSockets(t *testing.T) {
	for _, scheme := range schemes {
		t.Run(scheme, func(t *testing.T) {
			front, back := open(t, pattern.Router, nil), open(t, pattern.Dealer, nil)
			at := bind(t, front, anywhere(t, scheme))
			connect(t, back, at)
			isLoop(t, device.Run(within(t), front, back, nil), at)
		})
	}
}

// TestNoLoop: devices that only look as if: two behind one another, and both
// sockets connected to the same third one.
func TestNoLoop(t *testing.T) {
	for _, scheme := range schemes {
		t.Run("chain/"+scheme, func(t *testing.T) {
			first := start(t, device.NewQueue, scheme, nil, nil, nil)
			second := start(t, device.NewQueue, scheme, nil, nil, nil)
			connect(t, first.Back(), second.front)
			req := connected(t, pattern.Req, nil, first.front)
			rep := connected(t, pattern.Rep, nil, second.back)
			send(t, req, "question")
			want(t, recv(t, rep), "question")
			send(t, rep, "answer")
			want(t, recv(t, req), "answer")
		})
		t.Run("hub/"+scheme, func(t *testing.T) {
			hub := open(t, pattern.Dealer, nil)
			at := bind(t, hub, anywhere(t, scheme))
			front, back := connected(t, pattern.Dealer, nil, at), connected(t, pattern.Dealer, nil, at)
			waitPeers(t, hub, 2)
			ctx, cancel := context.WithCancel(within(t))
			ended := make(chan error, 1)
			go func() { ended <- device.Run(ctx, front, back, nil) }()
			send(t, hub, "round")
			want(t, recv(t, hub), "round")
			cancel()
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want context.Canceled", err)
			}
		})
	}
}

// TestTokenKeepsMetadata: what the caller announces is announced, too.
func TestTokenKeepsMetadata(t *testing.T) {
	mine := map[string]string{"X-Name": "here"}
	d := start(t, device.NewStreamer, "tcp", &socket.Options{Metadata: mine}, nil, nil)
	info, err := socket.Probe(within(t), d.front, nil)
	if err != nil {
		t.Fatal(err)
	}
	if info.Metadata["X-Name"] != "here" || info.Metadata["X-Ringwire-Device"] == "" || len(mine) != 1 {
		t.Errorf("got %v (and the caller's is %v), want X-Name and the token", info.Metadata, mine)
	}
}
