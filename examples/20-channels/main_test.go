package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// output is written to by several goroutines.
type output struct {
	mu sync.Mutex
	strings.Builder
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.Builder.Write(b)
}

// TestDemo: the output is exact, because time is the bubble's.
func TestDemo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out output
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour) // of the bubble
		defer cancel()
		if err := demo(ctx, "inproc://channels-orders", "inproc://channels-alerts", &out); err != nil {
			t.Fatal(err)
		}
		const want = `clock: the shop opens
shop: 3 orders, the last one is "order 3"
shop: 6 orders, the last one is "order 6"
shop: 9 orders, the last one is "order 9"
clock: the shop closes
shop: closed, with 10 orders taken of 10 that the socket returned
`
		if out.String() != want {
			t.Errorf("got\n%swant\n%s", out.String(), want)
		}
	})
}

// TestChannelLosesNothing: what the channel had taken when its context ended is still
// received; the rest stays in the socket.
func TestChannelLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const sent = 100
		pull, err := socket.New(pattern.Pull, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer pull.Close()
		if _, err := pull.Bind("inproc://channels-all"); err != nil {
			t.Fatal(err)
		}
		push, err := dial(pattern.Push, "inproc://channels-all")
		if err != nil {
			t.Fatal(err)
		}
		defer push.Close()
		values := make(chan string, sent)
		for range sent {
			values <- "value"
		}
		close(values)
		if err := send(t.Context(), push, values); err != nil {
			t.Fatal(err)
		}

		ctx, cancel := context.WithCancel(t.Context())
		messages, failed := channel(ctx, pull)
		for range 10 {
			<-messages
		}
		synctest.Wait() // it has taken the next one and waits for us
		cancel()
		synctest.Wait()
		rest := 0
		for range messages {
			rest++
		}
		if err := failed(); err != nil || rest != 1 {
			t.Errorf("the channel had %d more messages and failed with %v, want 1 and nil", rest, err)
		}
		for range sent - 10 - rest {
			if _, err := pull.TryRecv(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestChannelEnds: with the socket it is closed without an error, and with an error
// if the socket cannot receive.
func TestChannelEnds(t *testing.T) {
	for _, test := range []struct {
		spec *pattern.Spec
		want error
	}{{pattern.Pull, nil}, {pattern.Push, errors.ErrUnsupported}} {
		s, err := socket.New(test.spec, nil)
		if err != nil {
			t.Fatal(err)
		}
		messages, failed := channel(t.Context(), s)
		if test.want == nil {
			s.Close()
		}
		for range messages {
			t.Errorf("%s: got a message", test.spec.Name())
		}
		if got := failed(); !errors.Is(got, test.want) {
			t.Errorf("%s: failed with %v, want %v", test.spec.Name(), got, test.want)
		}
		s.Close()
	}
}

// TestShopEndsWithItsContext: also before it opens.
func TestShopEndsWithItsContext(t *testing.T) {
	s, err := newShop("inproc://channels-end-orders", "inproc://channels-end-alerts")
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.run(ctx, time.Hour, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the cancellation", err)
	}
}
