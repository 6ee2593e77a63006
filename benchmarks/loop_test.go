package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// script is a link that receives what it was given, and keeps what was sent.
type script struct {
	in   [][]byte
	sent [][]byte
}

func (s *script) send(b []byte) error {
	s.sent = append(s.sent, append([]byte(nil), b...))
	return nil
}

func (s *script) recv() ([]byte, error) {
	if len(s.in) == 0 {
		return nil, errLinkClosed
	}
	b := s.in[0]
	s.in = s.in[1:]
	return b, nil
}

func (s *script) close() error { return nil }

// message is a body of 16 bytes.
func message(kind, number byte) []byte {
	b := make([]byte, minSize)
	b[0], b[numberOffset] = kind, number
	return b
}

func scripted(r role, in ...[]byte) (*linkStation, *script) {
	link := &script{in: in}
	return linkStationOn(r, link, nil).(*linkStation), link
}

func recvRole(pattern string) role {
	r := pairRole("tcp", pattern, minSize)
	r.Side = sideRecv
	return r
}

// What belongs to other slices neither counts nor ends the slice.
func TestReceiveCounts(t *testing.T) {
	s, link := scripted(recvRole(pubSub),
		message(kindData, 6), message(kindEnd, 6), // late
		message(kindData, 7), message(kindEnd, 6), message(kindData, 7), message(kindEnd, 8),
		message(kindEnd, 7), message(kindEnd, 7))
	got, err := s.slice(t.Context(), sliceSpec{Number: 7})
	if err != nil || got.Messages != 2 || len(link.in) != 1 {
		t.Errorf("got %d messages, %d left and error %v, want 2 messages and the repeated mark left", got.Messages, len(link.in), err)
	}
}

// Each sender sends a mark, and the last one is the end.
func TestReceiveWaitsForAllMarks(t *testing.T) {
	r := recvRole(pushPull)
	r.Senders, r.Goroutines = 2, 2
	s, _ := scripted(r,
		message(kindEnd, 1), message(kindData, 1), message(kindEnd, 1), message(kindEnd, 1), message(kindData, 1), message(kindEnd, 1))
	if got, err := s.slice(t.Context(), sliceSpec{Number: 1}); err != nil || got.Messages != 2 {
		t.Errorf("got %d messages and error %v, want 2", got.Messages, err)
	}
	s, _ = scripted(r, message(kindEnd, 1), message(kindEnd, 1), message(kindEnd, 1))
	if _, err := s.slice(t.Context(), sliceSpec{Number: 1}); err == nil {
		t.Error("got an end after 3 of 4 marks, want none")
	}
}

func TestReceiveRefusesWrongSizes(t *testing.T) {
	for _, pattern := range []string{pushPull, reqRep} {
		s, _ := scripted(recvRole(pattern), make([]byte, 17))
		if _, err := s.slice(t.Context(), sliceSpec{}); err == nil || !strings.Contains(err.Error(), "17 bytes, want 16") {
			t.Errorf("%s: got error %v, want one about 17 bytes", pattern, err)
		}
	}
}

func TestReceiveTakesLatencies(t *testing.T) {
	c := newClock()
	early, late := message(kindData, 1), message(kindData, 1)
	setDue(early, c.now()-int64(time.Second))
	setDue(late, c.now()-int64(2*time.Second))
	s, _ := scripted(recvRole(pushPull), early, late, message(kindEnd, 1))
	got, err := s.slice(t.Context(), sliceSpec{Number: 1, Rate: 100})
	if err != nil || got.Latency == nil || got.Latency.TotalCount() != 2 {
		t.Fatalf("got %+v and error %v, want two latencies", got, err)
	}
	if least := got.Latency.seconds(0); least < 0.999 || got.Latency.seconds(100) < 1.998 {
		t.Errorf("got %v s and %v s, want at least 1 and 2", least, got.Latency.seconds(100))
	}
}

func TestAnswer(t *testing.T) {
	in := [][]byte{message(kindEnd, 4), message(kindData, 5), message(kindData, 5), message(kindEnd, 5)}
	s, link := scripted(recvRole(reqRep), in...)
	got, err := s.slice(t.Context(), sliceSpec{Number: 5})
	if err != nil || got.Messages != 2 || fmt.Sprint(link.sent) != fmt.Sprint(in) {
		t.Errorf("got %d messages, %v sent and error %v, want 2 and all of %v returned", got.Messages, link.sent, err, in)
	}
}

func TestAskRefusesWrongAnswers(t *testing.T) {
	for _, pattern := range []string{reqRep, dealerRouter} {
		r := pairRole("tcp", pattern, minSize)
		r.Side = sideSend
		s, _ := scripted(r, message(kindData, 6))
		if _, err := s.slice(t.Context(), sliceSpec{Number: 7, Duration: time.Hour}); err == nil || !strings.Contains(err.Error(), "to slice 6, want kind 0 and slice 7") {
			t.Errorf("%s: got error %v, want that it is of another slice", pattern, err)
		}
	}
}

// A paced sender leaves nothing out, however late it is, and says when each was
// due.
func TestSendPaced(t *testing.T) {
	r := pairRole("tcp", pushPull, minSize)
	r.Side = sideSend
	s, link := scripted(r)
	got, err := s.slice(t.Context(), sliceSpec{Number: 3, Duration: 10 * time.Millisecond, Rate: 100_000})
	if err != nil || got.Messages != 1000 || len(link.sent) != 1001 {
		t.Fatalf("got %d messages, %d sent and error %v, want 1000 and an end mark", got.Messages, len(link.sent), err)
	}
	for i, b := range link.sent[:1000] {
		if b[0] != kindData || b[numberOffset] != 3 {
			t.Fatalf("message %d: got kind %d of slice %d, want data of 3", i, b[0], b[numberOffset])
		}
		if got, want := due(b)-due(link.sent[0]), int64(i)*10_000; got != want {
			t.Fatalf("message %d: got due %d ns after the first, want %d", i, got, want)
		}
	}
	if last := link.sent[1000]; last[0] != kindEnd || last[numberOffset] != 3 {
		t.Errorf("got last message of kind %d and slice %d, want an end mark of 3", last[0], last[numberOffset])
	}
}

// ways are the roles that the engines of this file's package part play.
func ways() map[string]role {
	many := pairRole("inproc", pushPull, 64)
	many.Goroutines = 4
	fanIn := pairRole("tcp", pushPull, 64)
	fanIn.Senders = 8
	window := pairRole("ipc", dealerRouter, 64)
	window.Outstanding = 16
	return map[string]role{
		"push-pull": pairRole("tcp", pushPull, 64), "inproc": pairRole("inproc", pushPull, 16), "large": pairRole("ipc", pushPull, 200_000),
		"round trips": pairRole("ipc", reqRep, 64), "inproc round trips": pairRole("inproc", reqRep, 64),
		"goroutines": many, "fan-in": fanIn, "window": window,
	}
}

// Over real links, in one process, both sides count the same in every slice.
func TestSlicesCountAlike(t *testing.T) {
	for _, e := range []engine{ringwireEngine{}, netEngine{}, chanEngine{}, limitEngine{}} {
		for name, r := range ways() {
			r.Side = sideBoth
			if e.supports(r) != nil {
				continue
			}
			t.Run(e.name()+"/"+name, func(t *testing.T) {
				sides := openSides(t, e, r)
				for number := range byte(3) {
					spec := sliceSpec{Number: number, Duration: 3 * time.Millisecond}
					results := make([]sliceResult, len(sides))
					err := each(len(sides), func(i int) (err error) {
						results[i], err = sides[i].slice(t.Context(), spec)
						return err
					})
					if err != nil {
						t.Fatal(err)
					}
					for _, got := range results {
						if got.Messages < 1 || got.Messages != results[0].Messages {
							t.Errorf("slice %d: got %d messages on one side and %d on the other, want the same", number, got.Messages, results[0].Messages)
						}
					}
				}
			})
		}
	}
}

// openSides opens what sidesOf says, ready.
func openSides(t *testing.T, e engine, r role) []station {
	t.Helper()
	endpoint := map[string]string{
		"tcp": "tcp://127.0.0.1:*", "ipc": "ipc://" + filepath.Join(shortDir(t), "s"), "inproc": "inproc://" + t.Name(),
	}[r.Transport]
	var sides []station
	for _, side := range sidesOf(r) {
		r.Side, r.Bind, r.Endpoint = side, side == r.binder(), endpoint
		s, bound, err := e.open(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.close(); err != nil {
				t.Errorf("close: got %v, want nil", err)
			}
		})
		sides, endpoint = append(sides, s), bound
	}
	ctx, cancel := context.WithTimeout(t.Context(), hang)
	defer cancel()
	if err := each(len(sides), func(i int) error { return sides[i].ready(ctx) }); err != nil {
		t.Fatal(err)
	}
	return sides
}

// A slice ends early when its context does.
func TestSliceInterrupted(t *testing.T) {
	for _, e := range []engine{ringwireEngine{}, netEngine{}, chanEngine{}, limitEngine{}} {
		for name, r := range ways() {
			r.Side = sideBoth
			if e.supports(r) != nil {
				continue
			}
			t.Run(e.name()+"/"+name, func(t *testing.T) {
				sides := openSides(t, e, r)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				time.AfterFunc(time.Millisecond, cancel)
				err := each(len(sides), func(i int) error {
					_, err := sides[i].slice(ctx, sliceSpec{Number: 1, Duration: hang})
					return err
				})
				if err == nil {
					t.Error("got no error, want one")
				}
			})
		}
	}
}

// The clock of Go that loops read is the one that all processes share.
func TestClock(t *testing.T) {
	c := newClock()
	before := systemClock()
	now := c.now()
	after := systemClock()
	if slack := int64(time.Millisecond); now < before-slack || now > after+slack {
		t.Errorf("got %d, want from %d to %d", now, before, after)
	}
}

func TestHistogramTravels(t *testing.T) {
	h := newHistogram()
	for _, v := range []int64{0, 500, 500, 1_000_000, 1 << 60} {
		h.record(v)
	}
	text, err := h.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	got := new(histogram)
	if err := got.UnmarshalText(text); err != nil {
		t.Fatal(err)
	}
	if got.TotalCount() != 5 || got.ValueAtPercentile(50) != h.ValueAtPercentile(50) || got.seconds(50) != 500e-9 {
		t.Errorf("got %d values with median %v s, want 5 and 500 ns", got.TotalCount(), got.seconds(50))
	}
	l := got.latency()
	if last := l.Percentiles[len(l.Percentiles)-1]; l.Count != 5 || last.Percent != 100 || l.Max < 59_000_000_000 {
		t.Errorf("got %+v, want 5 values up to a minute", l)
	}
	if err := got.UnmarshalText([]byte("nonsense")); err == nil {
		t.Error("got no error for nonsense, want one")
	}
}

func TestUsage(t *testing.T) {
	before := readUsage()
	var keep [][]byte
	for range 1000 {
		keep = append(keep, make([]byte, 100))
	}
	used := usedSince(before)
	if used.Allocs == nil || *used.Allocs < int64(len(keep)) {
		t.Errorf("got allocations %v, want at least %d", used.Allocs, len(keep))
	}
	if sum := used.and(used); *sum.Allocs != 2*(*used.Allocs) {
		t.Errorf("got %d together, want twice %d", *sum.Allocs, *used.Allocs)
	}
	if none := (usage{}).and(used); none.CPU != nil || none.Allocs != nil || per(none.CPU, 1) != nil {
		t.Errorf("got %+v of what was not counted, want nothing", none)
	}
}
