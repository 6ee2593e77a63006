package main

import (
	"bufio"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestDemo: both ways name the subscriber that does not read; what it got, missed and
// has still to get is all that was published.
func TestDemo(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out strings.Builder
	if err := demo(ctx, &out); err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]int)
	for lines := bufio.NewScanner(strings.NewReader(out.String())); lines.Scan(); {
		line := lines.Text()
		var path, name string
		var accepted, written, dropped, queued int
		if _, err := fmt.Sscanf(line, "%s %q: %d accepted = %d written + %d dropped + %d queued",
			&path, &name, &accepted, &written, &dropped, &queued); err != nil {
			t.Errorf("line %q: %v", line, err)
		}
		seen[path+" "+name]++
		if accepted != 500 || written+dropped+queued != 500 {
			t.Errorf("%q: want 500 accepted, and the sum to be 500", line)
		}
		if name == "stalled" && (dropped == 0 || queued == 0) {
			t.Errorf("%q: want some dropped, and some queued", line)
		}
		if name == "reader" && dropped != 0 {
			t.Errorf("%q: want none dropped", line)
		}
	}
	for _, want := range []string{"/debug/ringwire reader", "/debug/ringwire stalled", "/debug/vars reader", "/debug/vars stalled"} {
		if seen[want] != 1 {
			t.Errorf("got %d lines of %q, want 1:\n%s", seen[want], want, out.String())
		}
	}
}

// TestStop: when the handler is stopped, expvar knows the socket no longer.
func TestStop(t *testing.T) {
	pub, _, err := listen("inproc://metrics-stop")
	if err != nil {
		t.Fatal(err)
	}
	defer pub.Close()
	url, stop, err := serve("127.0.0.1:0", "gone", pub)
	if err != nil {
		t.Fatal(err)
	}
	before, err := fetch(t.Context(), url+"/debug/vars")
	if err != nil || before["gone"].Type != "PUB" {
		t.Errorf("got %v, %v, want a PUB called gone", before, err)
	}
	stop()
	url, stop, err = serve("127.0.0.1:0", "other", pub)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	after, err := fetch(t.Context(), url+"/debug/vars")
	if _, ok := after["gone"]; err != nil || ok {
		t.Errorf("got %v, %v, want only the other one", after, err)
	}
}
