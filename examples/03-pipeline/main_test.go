package main

import (
	"context"
	"log"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ringwire/ringwire/pattern"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// There are 669 primes up to 5,000.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := demo(ctx, work{upTo: 5000, tasks: 40}, []string{"one", "two"}, os.Stdout); err != nil {
		log.Fatal(err)
	}
	// Output:
	// worker one: 20 tasks
	// worker two: 20 tasks
	// sink: 40 tasks done, each once: 669 primes
}

// TestSinkRefusesATaskDoneTwice: the sink counts tasks, not messages.
func TestSinkRefusesATaskDoneTwice(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	pull, at, err := listen(pattern.Pull, "inproc://pipeline-sink")
	if err != nil {
		t.Fatal(err)
	}
	defer pull.Close()
	push, err := dial(pattern.Push, at)
	if err != nil {
		t.Fatal(err)
	}
	defer push.Close()
	for _, frames := range []string{"batch 2", "result one 1 4", "result two 1 4"} {
		var m [][]byte
		for word := range strings.FieldsSeq(frames) {
			m = append(m, []byte(word))
		}
		if err := push.Send(ctx, m...); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := collect(ctx, pull); err == nil || !strings.Contains(err.Error(), "done twice") {
		t.Errorf("got %v, want the error that a task was done twice", err)
	}
}
