package main

import (
	"bytes"
	"context"
	"regexp"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestSlow: the publisher names the one subscriber of twenty that stopped
// reading, says how far it is behind, and disconnects it.
func TestSlow(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out bytes.Buffer
	if err := demo(ctx, 20, 7, 100*time.Millisecond, &out); err != nil {
		t.Fatal(err)
	}
	want := regexp.MustCompile(`^slow: "subscriber 7" at 127\.0\.0\.1:\d+: [1-9]\d* messages of [1-9]\d* bytes wait, [1-9]\d* were dropped
disconnected "subscriber 7"
$`)
	if !want.MatchString(out.String()) {
		t.Errorf("got %q, want %s", out.String(), want)
	}
}
