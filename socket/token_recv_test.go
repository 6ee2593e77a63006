package socket_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/zmtp"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// TestTokenCancel: both sides give up thousands of calls at random moments, in
// which a receiver often holds the connection's read token. Nothing is lost,
// repeated, out of order or torn, and no connection is closed for it.
func TestTokenCancel(t *testing.T) {
	tokenVariants(t, func(t *testing.T, endpoint string, opts socket.Options) {
		const total = 8000
		ctx := tokenContext(t)
		opts.SendHWM, opts.RecvHWM = 100, 100
		pull, push := tokenOpen(t, pattern.Pull, opts), tokenOpen(t, pattern.Push, opts)
		tokenConnect(t, push, tokenBind(t, pull, endpoint))
		seed := rand.Uint64()
		var wg sync.WaitGroup
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, 1))
			for n := uint32(0); n < total; {
				size := r.IntN(200)
				switch {
				case n%997 == 0:
					size = 200_000 + r.IntN(90_000)
				case n%101 == 0:
					size = 3000 + r.IntN(9000)
				}
				short, cancel := context.WithTimeout(ctx, time.Duration(20+r.IntN(2000))*time.Microsecond)
				err := push.Send(short, tokenBody(1, n, size))
				cancel()
				switch {
				case err == nil:
					n++
				case ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded):
					t.Errorf("seed %d: Send of message %d: %v", seed, n, err)
					return
				}
				if n%500 == 0 {
					time.Sleep(time.Duration(r.IntN(2000)) * time.Microsecond) // load, not order
				}
			}
		})
		r := rand.New(rand.NewPCG(seed, 2))
		ledger := tokenLedger{}
		cancelled := 0
		var m ringwire.Message
		for ledger[1] < total {
			short, cancel := context.WithTimeout(ctx, time.Duration(10+r.IntN(300))*time.Microsecond)
			err := pull.RecvInto(short, &m)
			cancel()
			if err == nil {
				if err := ledger.take(m.Bytes()); err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				continue
			}
			if ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("seed %d: Recv after %d messages: %v; push %+v, pull %+v", seed, ledger[1], err, push.Stats(), pull.Stats())
			}
			cancelled++
		}
		wg.Wait()
		if err := push.Flush(ctx); err != nil {
			t.Error(err)
		}
		a, b := tokenBalance(t, "push", push), tokenBalance(t, "pull", pull)
		if a.Accepted != total || a.Written != total || b.Returned != total || a.Disconnects+b.Disconnects != 0 {
			t.Errorf("seed %d: written %d, returned %d, want %d; disconnects %d, want 0", seed, a.Written, b.Returned, total, a.Disconnects+b.Disconnects)
		}
	})
}

// handOver makes a receiver take the read token: the reader offers it when it
// has queued something and somebody waits.
func handOver(t testing.TB, ctx context.Context, from, to *socket.Socket, body []byte) {
	t.Helper()
	for range 4 {
		got := make(chan error, 1)
		go func() {
			m, err := to.Recv(ctx)
			if err == nil {
				m.Release()
			}
			got <- err
		}()
		if err := from.Send(ctx, body); err != nil {
			t.Fatal(err)
		}
		if err := <-got; err != nil {
			t.Fatal(err)
		}
	}
}

// TestTokenSecondPeer: a Recv that waits in the first peer's connection gets
// what a second one sends.
func TestTokenSecondPeer(t *testing.T) {
	tokenVariants(t, func(t *testing.T, endpoint string, opts socket.Options) {
		ctx := tokenContext(t)
		pull, first := tokenOpen(t, pattern.Pull, opts), tokenOpen(t, pattern.Push, opts)
		at := tokenBind(t, pull, endpoint)
		tokenConnect(t, first, at)
		for i := range 20 {
			handOver(t, ctx, first, pull, []byte("first"))
			got := make(chan string, 1)
			go func() {
				m, err := pull.Recv(ctx)
				if err != nil {
					got <- err.Error()
					return
				}
				got <- string(m.Bytes())
			}()
			second := tokenOpen(t, pattern.Push, opts)
			tokenConnect(t, second, at)
			want := fmt.Sprint("second ", i)
			if err := second.Send(ctx, []byte(want)); err != nil {
				t.Fatal(err)
			}
			if text := <-got; text != want {
				t.Fatalf("got %q, want %q", text, want)
			}
			if err := second.Close(); err != nil {
				t.Fatal(err)
			}
			tokenUntil(t, "the second peer to be gone", func() bool { return pull.Stats().Peers == 1 })
		}
		tokenBalance(t, "pull", pull)
		tokenBalance(t, "first", first)
	})
}

// TestTokenClose: Close ends a Recv that waits in the poller.
func TestTokenClose(t *testing.T) {
	tokenVariants(t, func(t *testing.T, endpoint string, opts socket.Options) {
		ctx := tokenContext(t)
		pull, push := tokenOpen(t, pattern.Pull, opts), tokenOpen(t, pattern.Push, opts)
		tokenConnect(t, push, tokenBind(t, pull, endpoint))
		handOver(t, ctx, push, pull, []byte("x"))
		got := make(chan error, 3)
		for range 3 {
			go func() { _, err := pull.Recv(ctx); got <- err }()
		}
		if err := pull.Close(); err != nil {
			t.Error(err)
		}
		for range 3 {
			if err := <-got; !errors.Is(err, ringwire.ErrClosed) {
				t.Errorf("Recv: got %v, want ErrClosed", err)
			}
		}
	})
}

// TestTokenCloseWhileDelivering: a Recv that waits in the poller ends at once,
// not only when what was sent has been delivered.
func TestTokenCloseWhileDelivering(t *testing.T) {
	for _, endpoint := range []string{"tcp://127.0.0.1:0", "ipc://*"} {
		ctx := tokenContext(t)
		dealer := tokenOpen(t, pattern.Dealer, socket.Options{SendHWM: -1, SendHWMBytes: -1})
		raw := tokenDial(t, tokenBind(t, dealer, endpoint), "DEALER")
		for range 10 { // the receiver takes the token
			got := make(chan error, 1)
			go func() { _, err := dealer.Recv(ctx); got <- err }()
			raw.send([]byte("\x00\x01x"))
			if err := <-got; err != nil {
				t.Fatal(err)
			}
		}
		for range 32 { // the peer does not read
			if err := dealer.Send(ctx, make([]byte, 1<<20)); err != nil {
				t.Fatal(err)
			}
		}
		received := make(chan error, 1)
		go func() {
			for {
				if _, err := dealer.Recv(ctx); err != nil {
					received <- err
					return
				}
			}
		}()
		raw.send([]byte("\x00\x01x"))
		tokenUntil(t, "the last message", func() bool { return dealer.Stats().Returned == 11 })
		delivering, stop := context.WithCancel(ctx)
		down := make(chan error, 1)
		go func() { down <- dealer.Shutdown(delivering) }()
		select {
		case err := <-received:
			if !errors.Is(err, ringwire.ErrClosed) {
				t.Errorf("Recv: got %v, want ErrClosed", err)
			}
		case err := <-down:
			t.Errorf("Shutdown has ended with %v although the peer does not read", err)
		case <-time.After(5 * time.Second):
			t.Errorf("%s: Recv still waits 5 s after Shutdown began", endpoint)
		}
		stop()
		<-down
	}
}

// TestTokenPing: a PING is answered while nobody is in Recv, although a
// receiver had the token before; while somebody is; and, when the queue is
// full, as soon as there is room.
func TestTokenPing(t *testing.T) {
	tokenVariants(t, func(t *testing.T, endpoint string, opts socket.Options) {
		ctx := tokenContext(t)
		opts.RecvHWM = 4
		dealer := tokenOpen(t, pattern.Dealer, opts)
		raw := tokenDial(t, tokenBind(t, dealer, endpoint), "DEALER")
		message := []byte("\x00\x01x")
		for i := range 10 {
			for range 5 {
				got := make(chan error, 1)
				go func() { _, err := dealer.Recv(ctx); got <- err }()
				raw.send(message)
				if err := <-got; err != nil {
					t.Fatal(err)
				}
			}
			// Nobody is in Recv.
			raw.send(zmtp.AppendPing(nil, 0, fmt.Append(nil, "away", i)))
			raw.pong(fmt.Sprint("away", i))
			// Somebody is.
			got := make(chan error, 1)
			go func() { _, err := dealer.Recv(ctx); got <- err }()
			raw.send(zmtp.AppendPing(nil, 0, fmt.Append(nil, "there", i)))
			raw.pong(fmt.Sprint("there", i))
			raw.send(message)
			if err := <-got; err != nil {
				t.Fatal(err)
			}
		}
		before := dealer.Stats().Returned
		const many = 5000
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range many {
				raw.send(message)
			}
			raw.send(zmtp.AppendPing(nil, 0, []byte("full")))
		}()
		tokenUntil(t, "the queue to be full", func() bool { return dealer.Stats().RecvQueued == 4 })
		for range many {
			if _, err := dealer.Recv(ctx); err != nil {
				t.Fatal(err)
			}
		}
		raw.pong("full")
		<-done
		if st := tokenBalance(t, "dealer", dealer); st.Returned != before+many || st.Disconnects != 0 {
			t.Errorf("got %d messages, %d disconnects, want %d, 0", st.Returned-before, st.Disconnects, many)
		}
	})
}

// TestTokenSubscribe: a SUBSCRIBE counts although nobody is in Recv.
func TestTokenSubscribe(t *testing.T) {
	for _, spec := range []*pattern.Spec{pattern.Pub, pattern.XPub} {
		ctx := tokenContext(t)
		pub := tokenOpen(t, spec, socket.Options{})
		raw := tokenDial(t, tokenBind(t, pub, "tcp://127.0.0.1:0"), "SUB")
		for i := range 20 {
			topic := fmt.Sprint("topic", i)
			raw.send(zmtp.AppendSubscription(nil, topic, true, i%2 == 0))
			if err := pub.WaitSubscribers(ctx, topic, 1); err != nil {
				t.Fatal(spec, err)
			}
			if spec == pattern.XPub && i < 10 { // the application leaves again
				m, err := pub.Recv(ctx)
				if err != nil {
					t.Fatal(err)
				}
				if got, want := string(m.Bytes()), "\x01"+topic; got != want {
					t.Fatalf("got %q, want %q", got, want)
				}
			}
		}
	}
}
