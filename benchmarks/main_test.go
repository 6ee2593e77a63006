package main

import (
	"context"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain makes this program a worker when the suite or the attack under test
// starts it as one.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && (os.Args[1] == "worker" || os.Args[1] == "attack-worker") {
		os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
	}
	// A program with the race detector sleeps before it ends, each worker, too.
	os.Setenv("GORACE", os.Getenv("GORACE")+" atexit_sleep_ms=0")
	goleak.VerifyTestMain(m)
}
