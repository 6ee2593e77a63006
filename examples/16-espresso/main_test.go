package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ringwire/ringwire/device"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestTheWatcherSeesEverythingThatPasses: the subscription, what was published on its
// topic, and its end, in this order; and nothing that nobody subscribed to.
func TestTheWatcherSeesEverythingThatPasses(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out bytes.Buffer
	if err := run(ctx, &out); err != nil {
		t.Fatalf("%v after:\n%s", err, out.String())
	}
	for who, want := range map[string]string{
		"watcher":    `["\x01B"]["B-1"]["B-2"]["B-3"]["\x00B"]`,
		"subscriber": `["B-1"]["B-2"]["B-3"]`,
	} {
		var got string
		for line := range strings.Lines(out.String()) {
			if seen, found := strings.CutPrefix(line, who+": "); found {
				got += strings.TrimSpace(seen)
			}
		}
		if got != want {
			t.Errorf("the %s has seen %s, want %s", who, got, want)
		}
	}
}

// TestATapThatNobodyReadsHoldsUpNothing: what it has no room for is dropped and
// counted, and the subscriber gets all.
func TestATapThatNobodyReadsHoldsUpNothing(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tap, watcher, err := pair(&socket.Options{SendHWM: 10, RecvHWM: 10})
	if err != nil {
		t.Fatal(err)
	}
	defer tap.Close()
	defer watcher.Close()
	d, err := device.NewForwarder(nil, nil, &device.Options{Capture: tap})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	front, err := d.Front().Bind("inproc://front")
	if err != nil {
		t.Fatal(err)
	}
	back, err := d.Back().Bind("inproc://back")
	if err != nil {
		t.Fatal(err)
	}
	go d.Run(ctx)

	sub, err := socket.New(pattern.Sub, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	pub, err := socket.New(pattern.Pub, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer pub.Close()
	if err := sub.Subscribe(""); err != nil {
		t.Fatal(err)
	}
	if err := sub.Connect(back); err != nil {
		t.Fatal(err)
	}
	if err := pub.Connect(front); err != nil {
		t.Fatal(err)
	}
	if err := pub.WaitSubscribers(ctx, "", 1); err != nil {
		t.Fatal(err)
	}
	const messages = 200 // more than the two queues of the tap hold
	var got []string
	for i := range messages {
		if err := pub.Send(ctx, fmt.Append(nil, i)); err != nil {
			t.Fatal(err)
		}
		m, err := sub.Recv(ctx)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(m.Bytes()))
	}
	var want []string
	for i := range messages {
		want = append(want, fmt.Sprint(i))
	}
	if !slices.Equal(got, want) {
		t.Errorf("the subscriber got %d messages, want %d in order", len(got), messages)
	}
	// One more for the subscription.
	if s := d.Stats(); s.Captured+s.CaptureDropped != messages+1 || s.CaptureDropped == 0 {
		t.Errorf("captured %d, dropped %d, want %d together and some of them dropped", s.Captured, s.CaptureDropped, messages+1)
	}
}
