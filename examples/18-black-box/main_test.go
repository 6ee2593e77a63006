package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ringwire/ringwire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestEachKeyHasOneWorkerAndItsOrder: every message comes once, and all messages of a
// key come to one worker in the order in which they were published; take would fail.
func TestEachKeyHasOneWorkerAndItsOrder(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	const messages, endpoint = 5 * keys, "inproc://test"
	tallies := newTallies(4, messages)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := publish(ctx, endpoint, messages); err != nil {
			t.Error(err)
		}
	})
	defer wg.Wait()
	if err := subscribe(ctx, endpoint, tallies); err != nil {
		t.Fatal(err)
	}
	owner := make(map[string]int)
	for i, tally := range tallies {
		if len(tally.last) == 0 {
			t.Errorf("worker %d has no key", i)
		}
		for key, next := range tally.last {
			if other, taken := owner[key]; taken {
				t.Errorf("key %q is with worker %d and %d", key, other, i)
			}
			owner[key] = i
			if next != messages/keys {
				t.Errorf("key %q came up to value %d, want %d", key, next, messages/keys)
			}
		}
	}
	if len(owner) != keys {
		t.Errorf("got %d keys, want %d", len(owner), keys)
	}
}

// TestTheWrongOrderIsFound: the check of the test above can fail.
func TestTheWrongOrderIsFound(t *testing.T) {
	tally := newTallies(1, -1)[0]
	for i, value := range []uint64{5, 6, 8} {
		m := ringwire.NewMessage([]byte("key"), binary.BigEndian.AppendUint64(nil, value))
		if err := tally.take(m); (err != nil) != (i == 2) {
			t.Errorf("value %d: got %v", value, err)
		}
	}
}

func TestTheStoryCountsAll(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out bytes.Buffer
	if err := run(ctx, 2000, 3, &out); err != nil {
		t.Fatal(err)
	}
	total := 0
	for line := range strings.Lines(out.String()) {
		var worker, messages, keys int
		if n, _ := fmt.Sscanf(line, "worker %d: %d messages of %d keys\n", &worker, &messages, &keys); n == 3 {
			total += messages
		}
	}
	if total != 2000 {
		t.Errorf("got %d messages, want 2000:\n%s", total, out.String())
	}
}
