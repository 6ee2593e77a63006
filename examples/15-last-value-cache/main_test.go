package main

import (
	"bytes"
	"context"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestALateSubscriberHasTheLastValues: of each of its topics the newest, once, although
// the publisher has gone.
func TestALateSubscriberHasTheLastValues(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out bytes.Buffer
	if err := run(ctx, &out); err != nil {
		t.Fatalf("%v after:\n%s", err, out.String())
	}
	want := `the early subscriber has seen share.C=10, and the publisher has gone
the late subscriber is given share.A=10
the late subscriber is given share.B=10
the late subscriber is given share.C=10
the cache keeps a message for each of 4 topics, of 31 that came
`
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
	}
}
