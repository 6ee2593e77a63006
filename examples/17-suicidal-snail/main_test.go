package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var config = Config{Interval: time.Millisecond, MaxDelay: 200 * time.Millisecond}

// TestTheSnailDies: of two subscribers the slow one ends, after its lag has grown, and
// at the first message that is too old. A message each millisecond and three for each
// of them: the lag of message n is about 2n ms.
func TestTheSnailDies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		if err := run(t.Context(), config, &out); err != nil {
			t.Fatal(err)
		}
		// The clock is that of the bubble, and exact.
		want := `snail: message 27 is 52ms old
snail: message 52 is 102ms old
snail: message 77 is 152ms old
snail: message 102 is 202ms old, that is too slow
`
		if out.String() != want {
			t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
		}
	})
}

// TestAHareLives: one that is just fast enough goes on.
func TestAHareLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		ended := make(chan error)
		go func() { ended <- publish(ctx, "inproc://hare", 1, config) }()
		fast := config
		fast.Work = config.Interval
		var out strings.Builder
		err := subscribe(ctx, "inproc://hare", "hare", fast, log.New(&out, "", 0))
		if !errors.Is(err, context.DeadlineExceeded) || out.Len() > 0 {
			t.Errorf("got %v and %q, want the end of the test and nothing", err, out.String())
		}
		<-ended
	})
}

// TestAStallIsFound: a subscriber that stopped for a while dies with the next message,
// instead of working on what is in its queue.
func TestAStallIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- publish(ctx, "inproc://stall", 1, config) }()
		slow := config
		slow.Work = 2 * config.MaxDelay
		if err := subscribe(ctx, "inproc://stall", "stalled", slow, log.New(io.Discard, "", 0)); !errors.Is(err, errLate) || !strings.Contains(err.Error(), "message 2 ") {
			t.Errorf("got %v, want message 2 to be too old", err)
		}
		cancel()
		<-ended
	})
}
