package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestEveryRequestIsAnswered: although the worker that had one of them vanished
// without a word, and the broker was replaced.
func TestEveryRequestIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // of the bubble's clock
		defer cancel()
		var out bytes.Buffer
		if err := run(ctx, 20*time.Millisecond, &out); err != nil {
			t.Fatalf("%v after:\n%s", err, out.String())
		}
		rest := out.String()
		for _, want := range []string{
			`client: mmi.service "work": 404`,
			`client: work "one": done`,
			`somebody pulls its plug`,
			`a worker is silent`,
			`its request goes to another worker`,
			`client: work "two": done`,
			`client: work "three": done`,
			`client: mmi.service "work": 200`,
			`the broker is replaced`,
			`it registers again`,
			`client: work "four": done`,
		} {
			_, after, found := strings.Cut(rest, want)
			if !found {
				t.Fatalf("got no %q, in this order, in:\n%s", want, out.String())
			}
			rest = after
		}
	})
}
