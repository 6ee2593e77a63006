package main

import (
	"context"
	"log"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ringwire/ringwire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := demo(ctx, os.Stdout); err != nil {
		log.Fatal(err)
	}
	// Output:
	// subscriber of "weather.oslo": 12 readings of oslo, from 16 to 24 degrees
	// subscriber of "weather.ber": 36 readings of bergen, berlin, bern, from 2 to 18 degrees
	// publisher: 60 readings, 48 sent, 12 that nobody wanted
}

// TestLateSubscriber: who comes late gets what is published from then on, and only
// that.
func TestLateSubscriber(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	pub, endpoint, err := listen("inproc://weather-late")
	if err != nil {
		t.Fatal(err)
	}
	defer pub.Close()
	if err := publish(ctx, pub, 3, 0); err != nil {
		t.Fatal(err)
	}
	sub, err := subscribe(endpoint, "weather.rome")
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	if err := pub.WaitSubscribers(ctx, "weather.rome", 1); err != nil {
		t.Fatal(err)
	}
	if err := publish(ctx, pub, 2, 0); err != nil {
		t.Fatal(err)
	}
	got, err := collect(ctx, sub, 2)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.places) != 1 || got.places[0] != "rome" {
		t.Errorf("got readings of %q, want rome", got.places)
	}
	if more := sub.Stats(); more.RecvQueued != 0 || more.Arrived != 2 {
		t.Errorf("%d readings arrived and %d are left, want 2 and 0", more.Arrived, more.RecvQueued)
	}
}

func TestParse(t *testing.T) {
	for _, bad := range [][][]byte{
		{[]byte("weather.oslo")},
		{[]byte("weather.oslo"), []byte("warm")},
		{[]byte("traffic.oslo"), []byte("1")},
		{[]byte("weather.oslo"), []byte("1"), []byte("2")},
	} {
		if got, err := parse(ringwire.NewMessage(bad...)); err == nil {
			t.Errorf("parse(%q) is %v, want an error", bad, got)
		}
	}
	got, err := parse(ringwire.NewMessage([]byte("weather.oslo"), []byte("-3")))
	if want := (reading{"oslo", -3}); err != nil || got != want {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}
