package main

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/sockettest"
	"github.com/ringwire/ringwire/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start runs a broker in a network of the test's, with workers.
func start(t *testing.T, workers map[string]time.Duration) (b *broker, opts *socket.Options) {
	network := sockettest.NewNetwork(1)
	opts = &socket.Options{Transports: []transport.Transport{network.Host("here")}}
	b, err := newBroker("mem://here:1", "mem://here:2", opts)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		wg.Wait()
		if err := b.close(); err != nil {
			t.Error(err)
		}
	})
	wg.Go(func() {
		if err := b.run(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("the broker ended with %v, want the cancellation", err)
		}
	})
	for name, work := range workers {
		wg.Go(func() { worker(ctx, b.workHere, name, work, opts) })
	}
	if err := b.back.WaitPeers(ctx, len(workers)); err != nil {
		t.Fatal(err)
	}
	return b, opts
}

// TestWorkersGetWhatTheyCanDo: of three workers, one of which takes ten times as
// long, that one gets about a twentieth. (More while the last clients finish, when
// there are not enough requests to keep all busy.) In turn, it would get a third,
// and all would take as long as that.
func TestWorkersGetWhatTheyCanDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour) // of the bubble
		defer cancel()
		const quick, slow = 10 * time.Millisecond, 100 * time.Millisecond
		b, opts := start(t, map[string]time.Duration{"a": quick, "b": quick, "slow": slow})
		began := time.Now()
		const clients, requests = 6, 30
		shares, err := crowd(ctx, b.askHere, clients, requests, opts)
		if err != nil {
			t.Fatal(err)
		}
		if got, most := shares["slow"], clients*requests/8; got == 0 || got > most {
			t.Errorf("the slow worker did %d requests, want 1 to %d: %v", got, most, shares)
		}
		if got, least := min(shares["a"], shares["b"]), clients*requests*4/10; got < least {
			t.Errorf("a quick worker did %d requests, want at least %d: %v", got, least, shares)
		}
		// By the bubble's clock, on which only the work takes time.
		if got, inTurn := time.Since(began), clients*requests/3*slow; got > inTurn/3 {
			t.Errorf("it took %v, want less than a third of the %v of workers in turn", got, inTurn)
		}
	})
}

// TestWorkerThatLeftWhileIdle: the request goes to the next one.
func TestWorkerThatLeftWhileIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, opts := start(t, nil)
		gone, err := dial(pattern.Req, b.workHere, opts)
		if err != nil {
			t.Fatal(err)
		}
		if err := gone.Send(t.Context(), []byte(ready)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // the broker has it in its queue
		if err := gone.Close(); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()                                            // and knows that it is gone
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour) // of the bubble
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()
		wg.Go(func() { worker(ctx, b.workHere, "stays", time.Millisecond, opts) })
		shares, err := client(ctx, b.askHere, 5, opts)
		if err != nil || shares["stays"] != 5 {
			t.Errorf("got %v, %v, want 5 replies of the worker that stays", shares, err)
		}
	})
}

func TestDemo(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out strings.Builder
	if err := demo(ctx, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"8 clients have 10 replies each\n", "  worker quick: ", "  worker quick, too: "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in the output:\n%s", want, out.String())
		}
	}
}
