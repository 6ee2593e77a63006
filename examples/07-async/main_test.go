package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestDemo: the output is exact, because time is the bubble's.
func TestDemo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start(t, "inproc://async-demo", 4, countdown)
		var out strings.Builder
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour) // of the bubble
		defer cancel()
		if err := client(ctx, "inproc://async-demo", &out); err != nil {
			t.Fatal(err)
		}
		const want = `job 3 (1 never): failed: time of a step: time: invalid duration "never"
job 2 (1 30ms): step 1 of 1
job 2 (1 30ms): done
job 1 (3 60ms): step 1 of 3
job 0 (5 100ms): step 1 of 5
job 1 (3 60ms): step 2 of 3
job 1 (3 60ms): step 3 of 3
job 1 (3 60ms): done
job 0 (5 100ms): step 2 of 5
job 0 (5 100ms): step 3 of 5
job 0 (5 100ms): step 4 of 5
job 0 (5 100ms): step 5 of 5
job 0 (5 100ms): done
`
		if out.String() != want {
			t.Errorf("got\n%swant\n%s", out.String(), want)
		}
	})
}

// TestJobsAtTheSameTime: no job ends before all have begun; one after the other they
// would never end.
func TestJobsAtTheSameTime(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	const workers, clients = 6, 2
	var begun atomic.Int32
	all := make(chan struct{})
	start(t, "inproc://async-workers", workers, func(ctx context.Context, job string, reply func(string) error) error {
		if begun.Add(1) == workers {
			close(all)
		}
		select {
		case <-all:
		case <-ctx.Done():
			return ctx.Err()
		}
		for i := range 3 {
			if err := reply(fmt.Sprintf("%s, part %d", job, i)); err != nil {
				return err
			}
		}
		return nil
	})
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			dealer, err := socket.New(pattern.Dealer, nil)
			if err != nil {
				t.Error(err)
				return
			}
			defer dealer.Close()
			if err := dealer.Connect("inproc://async-workers"); err != nil {
				t.Error(err)
				return
			}
			jobs := make([]string, workers/clients)
			got := make([][]string, len(jobs))
			for i := range jobs {
				jobs[i] = fmt.Sprintf("job %d of client %d", i, c)
			}
			for a, err := range ask(ctx, dealer, jobs) {
				if err != nil {
					t.Error(err)
					return
				}
				if !a.last {
					got[a.job] = append(got[a.job], a.text)
				}
			}
			for i, job := range jobs {
				if want := []string{job + ", part 0", job + ", part 1", job + ", part 2"}; !slices.Equal(got[i], want) {
					t.Errorf("%s got %q, want %q", job, got[i], want)
				}
			}
		})
	}
	wg.Wait()
}

// start runs a server until the end of the test.
func start(t *testing.T, endpoint string, workers int, handle handler) {
	router, _, err := listen(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		wg.Wait()
		if err := router.Close(); err != nil {
			t.Error(err)
		}
	})
	wg.Go(func() {
		if err := serve(ctx, router, workers, handle); !errors.Is(err, context.Canceled) {
			t.Errorf("the server ended with %v, want the cancellation", err)
		}
	})
}
