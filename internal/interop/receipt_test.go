package interop_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// TestLibzmqReceipt: libzmq's PONG is no answer from beside the messages: while
// they do not fit its queue it does not come, and when it has come, everything
// before it is delivered, though the connection that brought it is gone.
func TestLibzmqReceipt(t *testing.T) {
	const total = 500
	for _, transport := range []string{"tcp", "ipc"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			them := startPython(t).open("pull", "PULL", settings{"RCVHWM": 10})
			us := newSocket(t, pattern.Push, &socket.Options{SendHWM: -1})
			mustConnect(t, us, them.bind(anywhere(t, transport)))
			for i := range total {
				send(t, us, fmt.Sprint(i))
			}
			soon, stop := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer stop()
			if err := us.Confirm(soon); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("Confirm while nothing is received = %v, want its deadline", err)
			}
			done := make(chan error, 1)
			go func() {
				ctx, cancel := context.WithTimeout(context.Background(), limit())
				defer cancel()
				done <- us.Confirm(ctx)
			}()
			const some = total - 8 // the rest fits libzmq's queue
			for i := range some {
				want(t, them.recv(), fmt.Sprint(i))
			}
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			st := us.Stats()
			if st.Confirmed != total || st.InDoubt != 0 {
				t.Errorf("got %d confirmed, %d in doubt, want %d, 0", st.Confirmed, st.InDoubt, total)
			}
			if rtt := us.Peers()[0].RoundTrip; rtt <= 0 {
				t.Errorf("round trip %v, want more than 0", rtt)
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			us.Shutdown(ctx) // nothing is delivered any more
			for i := some; i < total; i++ {
				want(t, them.recv(), fmt.Sprint(i))
			}
		})
	}
}

// TestGoZeroMQReceipt: an empty PONG is no receipt.
func TestGoZeroMQReceipt(t *testing.T) {
	them := goSocket(t, "PULL")
	us := newSocket(t, pattern.Push, nil)
	mustConnect(t, us, listenGo(t, them, anywhere(t, "tcp")))
	send(t, us, "x")
	ctx, cancel := context.WithTimeout(t.Context(), limit())
	defer cancel()
	if err := us.Confirm(ctx); !errors.Is(err, ringwire.ErrNoReceipt) {
		t.Errorf("Confirm = %v, want ErrNoReceipt", err)
	}
}
