package device_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/device"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// TestRecord: what a socket receives from two endpoints is in the files, whole, in
// order, with the endpoints, over many segments.
func TestRecord(t *testing.T) {
	const each = 500
	dir := filepath.Join(t.TempDir(), "new", "recording")
	pull := open(t, pattern.Pull, nil)
	at := []string{bind(t, pull, "tcp://127.0.0.1:0"), bind(t, pull, anywhere(t, "inproc"))}
	r, err := device.NewRecorder(dir, &device.RecordOptions{SegmentBytes: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- r.Record(within(t), pull) }()
	for i, endpoint := range at {
		push := connected(t, pattern.Push, nil, endpoint)
		if _, err := flood(within(t), push, i, 0, each); err != nil {
			t.Fatal(err)
		}
		eventually(t, "they are recorded", func() bool { return r.Stats().Messages == int64((i+1)*each) })
	}
	if err := pull.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, ringwire.ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if _, err := r.Write(time.Now(), "", numbered(0, 0)); !errors.Is(err, ringwire.ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}

	l, last := newLedger(), make(map[int]int)
	files := make(map[string]int64)
	var before time.Time
	for e, err := range device.Entries(dir) {
		if err != nil {
			t.Fatal(err)
		}
		m := ringwire.NewMessage(e.Frames...)
		source, _, err := parse(m, 0)
		if err != nil {
			t.Fatal(err)
		}
		if e.Label != at[source] || e.Time.Before(before) {
			t.Fatalf("got %+v, want label %s and a time not before %v", e, at[source], before)
		}
		before = e.Time
		files[e.Segment] = e.Offset
		l.enter(m, 0, last)
	}
	l.check(t, 2, each, true)
	if st := r.Stats(); int(st.Segments) != len(files) || st.Segments < 5 {
		t.Errorf("got %+v and %d files, want as many segments, at least 5", st, len(files))
	}
	for path, offset := range files {
		if info, err := os.Stat(path); err != nil || info.Size() > 10_500 || offset > 10_000 {
			t.Errorf("segment %s: %d bytes, %v, want about 10000", path, info.Size(), err)
		}
	}

	// Everything can be sent again, damage is said aloud, and the rest still comes.
	damaged := firstSegment(t, dir)
	b, err := os.ReadFile(damaged)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-1] ^= 1
	if err := os.WriteFile(damaged, b, 0o600); err != nil {
		t.Fatal(err)
	}
	to := open(t, pattern.Pull, nil)
	again := connected(t, pattern.Push, &socket.Options{SendHWM: -1}, bind(t, to, "tcp://127.0.0.1:0"))
	stats, err := device.Replay(within(t), again, dir, &device.ReplayOptions{Fast: true})
	s, ok := errors.AsType[*device.SegmentError](err)
	if !ok || !errors.Is(err, device.ErrCorrupt) || s.Segment != damaged {
		t.Errorf("got %v, want segment %s to be corrupt", err, damaged)
	}
	if stats.Messages != 2*each-1 || stats.Times != 1 {
		t.Errorf("got %+v, want %d messages", stats, 2*each-1)
	}
	ctx, cancel := context.WithCancel(within(t))
	l = newLedger()
	done := make(chan struct{})
	go func() { defer close(done); l.collect(ctx, to, 0) }()
	eventually(t, "they arrive", func() bool { return l.count() >= 2*each-1 })
	cancel()
	<-done
	l.check(t, 2, each, false)
}

func firstSegment(t testing.TB, dir string) string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, "*.rwrec"))
	if err != nil || len(list) == 0 {
		t.Fatalf("got %v, %v, want segments", list, err)
	}
	return list[0]
}

// TestRecordFunction records until its context ends, under a label.
func TestRecordFunction(t *testing.T) {
	dir := t.TempDir()
	pull := open(t, pattern.Pull, nil)
	push := connected(t, pattern.Push, nil, bind(t, pull, "tcp://127.0.0.1:0"))
	ctx, cancel := context.WithCancel(within(t))
	ended := make(chan error, 1)
	go func() { ended <- device.Record(ctx, pull, dir, &device.RecordOptions{Label: "mine", Sync: -1}) }()
	send(t, push, "a", "", "b")
	eventually(t, "it is in the file", func() bool {
		for e, err := range device.Entries(dir) {
			if err == nil && e.Label == "mine" && len(e.Frames) == 3 && string(e.Frames[2]) == "b" {
				return true
			}
		}
		return false
	})
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if err := device.Record(ctx, open(t, pattern.Push, nil), dir, nil); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("got %v, want ErrUnsupported on a PUSH", err)
	}
}

// TestRecordSaysSo: the logger hears of a truncated tail.
func TestRecordSaysSo(t *testing.T) {
	dir := t.TempDir()
	record(t, dir, "x", "a", "b")
	path := firstSegment(t, dir)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, info.Size()-1); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	r, err := device.NewRecorder(dir, &device.RecordOptions{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if !errors.Is(r.Found(), device.ErrTruncated) || !strings.Contains(log.String(), path) {
		t.Errorf("got %v and the log %q, want both to name %s", r.Found(), &log, path)
	}
}

// record writes messages of one frame, a second apart from the second 1000 on.
func record(t testing.TB, dir, label string, bodies ...string) {
	t.Helper()
	r, err := device.NewRecorder(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, body := range bodies {
		if n, err := r.Write(time.Unix(int64(1000+i), 0), label, ringwire.NewMessage([]byte(body))); n != 1 || err != nil {
			t.Fatal(n, err)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}

// ExampleNewRecorder records by hand and reads it.
func ExampleNewRecorder() {
	dir := must(os.MkdirTemp("", "recording"))
	defer os.RemoveAll(dir)
	r := must(device.NewRecorder(dir, &device.RecordOptions{Sync: time.Second}))
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	must(r.Write(at, "kitchen", ringwire.NewMessage([]byte("temperature"), []byte("21"))))
	check(r.Close())

	for e, err := range device.Entries(dir) {
		check(err)
		fmt.Printf("%s %s %s=%s\n", e.Time.UTC().Format(time.DateTime), e.Label, e.Frames[0], e.Frames[1])
	}
	// Output: 2026-01-02 03:04:05 kitchen temperature=21
}
