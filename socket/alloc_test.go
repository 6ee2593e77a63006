//go:build !race

package socket_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// allocPair returns a connected PUSH and PULL, or PUB and SUB.
func allocPair(t *testing.T, sends, receives *pattern.Spec, endpoint string) (push, pull *socket.Socket) {
	t.Helper()
	return allocPairAs(t, sends, receives, endpoint, nil, nil)
}

// allocPairAs is allocPair of sockets with options.
func allocPairAs(t *testing.T, sends, receives *pattern.Spec, endpoint string, sending, receiving *socket.Options) (push, pull *socket.Socket) {
	t.Helper()
	var err error
	if pull, err = socket.New(receives, receiving); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pull.Close() })
	at, err := pull.Bind(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	if push, err = socket.New(sends, sending); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { push.Close() })
	if err := push.Connect(at); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if receives == pattern.Sub {
		if err := pull.Subscribe(""); err != nil {
			t.Fatal(err)
		}
		err = push.WaitSubscribers(ctx, "", 1)
	} else {
		err = push.WaitPeers(ctx, 1)
	}
	if err != nil {
		t.Fatal(err)
	}
	return push, pull
}

// The steady state of a stream allocates nothing per message: sending copies
// into recycled memory, and so does receiving into the caller's message or
// into one that is released.
func TestStreamAllocatesNothing(t *testing.T) {
	t.Run("PUSH", func(t *testing.T) { testStreamAllocates(t, pattern.Push, pattern.Pull) })
	t.Run("PUB", func(t *testing.T) { testStreamAllocates(t, pattern.Pub, pattern.Sub) })
}

func testStreamAllocates(t *testing.T, sends, receives *pattern.Spec) {
	for _, endpoint := range []string{"inproc://alloc", "tcp://127.0.0.1:*", "ipc://*"} {
		for _, size := range []int{16, 64, 1000, 3000} {
			push, pull := allocPair(t, sends, receives, endpoint)
			streamAllocates(t, fmt.Sprintf("%s, %d bytes", endpoint, size), push, pull, size)
			push.Close()
			pull.Close()
		}
	}
}

// Nor does CURVE allocate: it seals and opens in recycled memory.
func TestSealedStreamAllocatesNothing(t *testing.T) {
	for _, size := range []int{64, 1000, 3000} {
		server, client := curveOptions(t)
		push, pull := allocPairAs(t, pattern.Push, pattern.Pull, "tcp://127.0.0.1:*", client, server)
		streamAllocates(t, fmt.Sprintf("CURVE, %d bytes", size), push, pull, size)
		push.Close()
		pull.Close()
	}
}

// streamAllocates sends and receives until it is known what that allocates.
func streamAllocates(t *testing.T, what string, push, pull *socket.Socket, size int) {
	t.Helper()
	const burst = 100
	body := make([]byte, size)
	var into ringwire.Message
	ctx := t.Context()
	exchange := func(recv func() error) func() {
		return func() {
			for range burst {
				if err := push.Send(ctx, body); err != nil {
					t.Fatal(err)
				}
			}
			for range burst {
				if err := recv(); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	recvInto := func() error { return pull.RecvInto(ctx, &into) }
	recv := func() error {
		m, err := pull.Recv(ctx)
		if err == nil {
			m.Release()
		}
		return err
	}
	for name, f := range map[string]func() error{"RecvInto": recvInto, "Recv and Release": recv} {
		warm := exchange(f)
		for range 50 {
			warm()
		}
		// A collection in between may empty the pools: less than one
		// allocation in a hundred messages is none per message.
		if got := testing.AllocsPerRun(200, exchange(f)); got >= 1 {
			t.Errorf("%s, Send and %s: got %v allocations in %d messages, want 0", what, name, got, burst)
		}
	}
}

// A round trip allocates nothing either.
func TestRoundTripAllocatesNothing(t *testing.T) {
	for _, endpoint := range []string{"inproc://alloc-rtt", "tcp://127.0.0.1:*"} {
		rep, err := socket.New(pattern.Rep, nil)
		if err != nil {
			t.Fatal(err)
		}
		at, err := rep.Bind(endpoint)
		if err != nil {
			t.Fatal(err)
		}
		req, err := socket.New(pattern.Req, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := req.Connect(at); err != nil {
			t.Fatal(err)
		}
		ctx := t.Context()
		done := make(chan struct{})
		go func() {
			defer close(done)
			var m ringwire.Message
			for rep.RecvInto(ctx, &m) == nil {
				rep.Send(ctx, m.Frame(0))
			}
		}()
		var m ringwire.Message
		body := make([]byte, 64)
		trip := func() {
			if err := req.Send(ctx, body); err != nil {
				t.Fatal(err)
			}
			if err := req.RecvInto(ctx, &m); err != nil {
				t.Fatal(err)
			}
		}
		for range 500 {
			trip()
		}
		if got := testing.AllocsPerRun(1000, trip); got != 0 { // rounded down to whole allocations per trip
			t.Errorf("%s: got %v allocations per round trip, want 0", endpoint, got)
		}
		req.Close()
		rep.Close()
		<-done
	}
}
