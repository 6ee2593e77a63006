package main

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"
)

// foreignRoles are what the suite asks of other libraries, small.
var foreignRoles = []struct {
	role role
	rate float64
}{
	{role: role{Pattern: pushPull, Size: 16}},
	{role: role{Pattern: pushPull, Size: 70_000}},
	{role: role{Pattern: pushPull, Size: 64, Senders: 3}},
	{role: role{Pattern: pushPull, Size: 64}, rate: 2000},
	{role: role{Pattern: pubSub, Size: 64, Receivers: 3}},
	{role: role{Pattern: pubSub, Size: 64}, rate: 2000},
	{role: role{Pattern: reqRep, Size: 64}},
	{role: role{Pattern: reqRep, Size: 1 << 20}},
	{role: role{Pattern: dealerRouter, Size: 64, Outstanding: 16}},
	{role: role{Pattern: publishUnmatched, Size: 64, Subscriptions: 5000}},
	{role: role{Pattern: connections, Sockets: 50}},
}

func TestForeignEngines(t *testing.T) {
	for _, e := range foreignEngines() {
		for _, test := range foreignRoles {
			for _, transport := range []string{"tcp", "ipc", "inproc"} {
				r := test.role
				r.Transport, r.Senders, r.Receivers = transport, max(r.Senders, 1), max(r.Receivers, 1)
				r.Side = sideSend
				if transport == "inproc" {
					r.Side = sideBoth
				}
				if e.supports(r) != nil {
					continue
				}
				name := fmt.Sprintf("%s/%s/%s/%dx%d/%d@%g", e.name(), transport, r.Pattern, r.Senders, r.Receivers, r.Size, test.rate)
				t.Run(name, func(t *testing.T) { testForeignEngine(t, e, r, test.rate) })
			}
		}
	}
}

func testForeignEngine(t *testing.T, e engine, r role, rate float64) {
	ctx, cancel := context.WithTimeout(t.Context(), hang)
	defer cancel()
	r.Endpoint = map[string]string{
		"tcp": "tcp://127.0.0.1:*", "ipc": "ipc://" + filepath.Join(shortDir(t), "s"), "inproc": "inproc://foreign",
	}[r.Transport]
	numbers := []byte{1, 2}
	if r.Pattern == connections {
		numbers = numbers[:1]
	}
	if r.Side == sideBoth {
		s := openStation(ctx, t, e, &r)
		readyStations(ctx, t, s)
		for _, n := range numbers {
			got, err := s.slice(ctx, sliceSpec{Number: n, Duration: 20 * time.Millisecond, Rate: rate})
			if err != nil {
				t.Fatalf("slice %d: %v", n, err)
			}
			wantResult(t, r, rate, r.measuredBy(), got)
		}
		return
	}
	send, recv := r, r
	send.Side, recv.Side = sideSend, sideRecv
	bound, connected := &recv, &send
	if r.binder() == sideSend {
		bound, connected = connected, bound
	}
	bound.Bind = true
	first := openStation(ctx, t, e, bound)
	connected.Endpoint = bound.Endpoint
	second := openStation(ctx, t, e, connected)
	receiver, sender := first, second
	if r.binder() == sideSend {
		receiver, sender = second, first
	}
	readyStations(ctx, t, first, second)
	for _, n := range numbers {
		sent, got := bothSlices(ctx, t, r, sender, receiver, sliceSpec{Number: n, Duration: 20 * time.Millisecond, Rate: rate})
		wantResult(t, r, rate, sideSend, sent)
		wantResult(t, r, rate, sideRecv, got)
		if err := r.account(sent, got); err != nil {
			t.Errorf("slice %d: %v", n, err)
		}
	}
}

// openStation opens a station that is closed with the test, and notes its
// endpoint in r.
func openStation(ctx context.Context, t *testing.T, e engine, r *role) station {
	t.Helper()
	s, bound, err := e.open(ctx, *r)
	if err != nil {
		t.Fatalf("open %s: %v", r.Side, err)
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Errorf("close %s: %v", r.Side, err)
		}
	})
	r.Endpoint = bound
	return s
}

func readyStations(ctx context.Context, t *testing.T, stations ...station) {
	t.Helper()
	if err := each(len(stations), func(i int) error { return stations[i].ready(ctx) }); err != nil {
		t.Fatalf("ready: %v", err)
	}
}

// bothSlices runs a slice of two stations as the controller does.
func bothSlices(ctx context.Context, t *testing.T, r role, sender, receiver station, spec sliceSpec) (sent, got sliceResult) {
	t.Helper()
	received := make(chan error, 1)
	go func() {
		var err error
		got, err = receiver.slice(ctx, spec)
		received <- err
	}()
	sent, err := sender.slice(ctx, spec)
	if err != nil {
		t.Fatalf("send slice %d: %v", spec.Number, err)
	}
	again := time.NewTicker(endMarkInterval)
	defer again.Stop()
	for {
		select {
		case err := <-received:
			if err != nil {
				t.Fatalf("receive slice %d: %v", spec.Number, err)
			}
			return sent, got
		case <-again.C:
			if r.publishes() {
				if err := sender.endMark(spec.Number); err != nil {
					t.Fatalf("end mark of slice %d: %v", spec.Number, err)
				}
			}
		}
	}
}

// wantResult looks at what one side found.
func wantResult(t *testing.T, r role, rate float64, side string, got sliceResult) {
	t.Helper()
	recorded := int64(0)
	if got.Latency != nil {
		recorded = got.Latency.TotalCount()
	}
	wantRecorded := int64(0)
	if r.Pattern == reqRep && side == sideSend || rate > 0 && side == sideRecv {
		wantRecorded = got.Messages
	}
	if recorded != wantRecorded {
		t.Errorf("%s: got %d latencies, want %d", side, recorded, wantRecorded)
	}
	switch {
	case r.Pattern == connections:
		if got.Messages != int64(r.Sockets) || got.At <= 0 {
			t.Errorf("%s: got %d connections at %d, want %d and a time", side, got.Messages, got.At, r.Sockets)
		}
	case r.Pattern == publishUnmatched && side == sideRecv:
		if got.Messages != 0 {
			t.Errorf("got %d messages that nobody subscribed to, want none", got.Messages)
		}
	case rate > 0 && side == sideSend || rate > 0 && r.Pattern == pushPull:
		if got.Messages != 40 { // 2000/s for 20 ms
			t.Errorf("%s: got %d messages, want 40", side, got.Messages)
		}
	case r.Pattern == pubSub && side == sideRecv: // all may be dropped
	case side == r.measuredBy():
		if got.Messages == 0 || got.PerSecond <= 0 || got.Seconds <= 0 {
			t.Errorf("%s: got %d messages, %g/s, %g s, want more than 0", side, got.Messages, got.PerSecond, got.Seconds)
		}
	}
}

// A station whose peer never comes ends with its context, and when it is
// closed.
func TestForeignEnginesEnd(t *testing.T) {
	for _, e := range foreignEngines() {
		for _, side := range []string{sideSend, sideRecv} {
			for _, closes := range []bool{false, true} {
				r := role{Transport: "ipc", Pattern: pushPull, Side: side, Bind: side == sideRecv, Senders: 1, Receivers: 1, Size: 64}
				t.Run(fmt.Sprintf("%s/%s/close=%v", e.name(), side, closes), func(t *testing.T) {
					r.Endpoint = "ipc://" + filepath.Join(shortDir(t), "s")
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					s := openStation(t.Context(), t, e, &r)
					ended := make(chan error, 1)
					go func() {
						err := s.ready(ctx)
						if err == nil {
							_, err = s.slice(ctx, sliceSpec{Number: 1, Duration: hang})
						}
						ended <- err
					}()
					if closes {
						s.close() // its error is looked at when the test ends
					} else {
						cancel()
					}
					select {
					case err := <-ended:
						if err == nil {
							t.Error("got no error, want one")
						}
					case <-time.After(hang):
						t.Fatal("got no end")
					}
				})
			}
		}
	}
}
