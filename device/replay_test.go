package device_test

import (
	"context"
	"errors"
	"fmt"
	"math"
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

// TestReplayChooses: topics, a window of time, several times.
func TestReplayChooses(t *testing.T) {
	dir := t.TempDir()
	record(t, dir, "x", "a1", "b1", "a2", "c1", "b2")
	record(t, dir, "x", "a9") // at 1000 again, in a second segment
	for name, c := range map[string]struct {
		opts    device.ReplayOptions
		want    string
		skipped int64
	}{
		"all":    {device.ReplayOptions{Fast: true}, "a1 b1 a2 c1 b2 a9", 0},
		"topics": {device.ReplayOptions{Fast: true, Topics: []string{"b", "c"}}, "b1 c1 b2", 3},
		"from":   {device.ReplayOptions{Fast: true, From: time.Unix(1003, 0)}, "c1 b2", 4},
		"to":     {device.ReplayOptions{Fast: true, To: time.Unix(1001, 0)}, "a1 a9", 4},
		"window": {device.ReplayOptions{Fast: true, From: time.Unix(1001, 0), To: time.Unix(1003, 0), Topics: []string{"a"}}, "a2", 5},
		"twice":  {device.ReplayOptions{Fast: true, Times: 2, Topics: []string{"a1"}}, "a1 a1", 10},
		"rate":   {device.ReplayOptions{Rate: 1e4}, "a1 b1 a2 c1 b2 a9", 0},
		"speed":  {device.ReplayOptions{Speed: 1e4}, "a1 b1 a2 c1 b2 a9", 0},
	} {
		t.Run(name, func(t *testing.T) {
			pull := open(t, pattern.Pull, nil)
			push := connected(t, pattern.Push, nil, bind(t, pull, anywhere(t, "inproc")))
			stats, err := device.Replay(within(t), push, dir, &c.opts)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for range stats.Messages {
				got = append(got, recv(t, pull)...)
			}
			if strings.Join(got, " ") != c.want || stats.Skipped != c.skipped {
				t.Errorf("got %q and %+v, want %q and %d skipped", got, stats, c.want, c.skipped)
			}
		})
	}
}

// TestReplayPace: a message is not sent before its time. (That it is sent soon
// after is not asserted.)
func TestReplayPace(t *testing.T) {
	dir := t.TempDir()
	record(t, dir, "x", "a", "b", "c")
	for name, c := range map[string]struct {
		opts  device.ReplayOptions
		least time.Duration
	}{
		"speed": {device.ReplayOptions{Speed: 50}, 40 * time.Millisecond},
		"rate":  {device.ReplayOptions{Rate: 50}, 40 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			pull := open(t, pattern.Pull, nil)
			push := connected(t, pattern.Push, nil, bind(t, pull, anywhere(t, "inproc")))
			begin := time.Now()
			if _, err := device.Replay(within(t), push, dir, &c.opts); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(begin); took < c.least {
				t.Errorf("three messages took %v, want at least %v", took, c.least)
			}
		})
	}
}

// TestReplayEnds: with its context, also in a loop and while it waits; and with
// options that are wrong.
func TestReplayEnds(t *testing.T) {
	dir := t.TempDir()
	record(t, dir, "x", "a", "b")
	pub := open(t, pattern.Pub, nil)
	for _, opts := range []device.ReplayOptions{{}, {Fast: true, Times: -1}, {Rate: 1e-9}, {Speed: 1e-12}, {Rate: 1000, Times: -1}} {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		if stats, err := device.Replay(ctx, pub, dir, &opts); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%+v: got %+v, %v, want the context's error", opts, stats, err)
		}
		cancel()
	}
	for says, opts := range map[string]device.ReplayOptions{
		"Speed is -1":   {Speed: -1},
		"Speed is NaN":  {Speed: math.NaN()},
		"Rate is +Inf":  {Rate: math.Inf(1)},
		"more than one": {Speed: 2, Fast: true},
		"Times is -2":   {Times: -2},
		"for ever":      {Fast: true, Times: -1, Topics: []string{"none"}},
	} {
		_, err := device.Replay(within(t), pub, dir, &opts)
		refused(t, err, says)
	}
	_, err := device.Replay(within(t), open(t, pattern.Pull, nil), dir, nil)
	refused(t, err, "cannot send")
	if _, err := device.Replay(within(t), pub, filepath.Join(dir, "none"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want os.ErrNotExist", err)
	}
	for says, opts := range map[string]device.RecordOptions{"SegmentBytes is -2": {SegmentBytes: -2}, "Sync is -2": {Sync: -2}} {
		_, err := device.NewRecorder(dir, &opts)
		refused(t, err, says)
	}
}

// ExampleReplay sends a recording again, as fast as it can.
func ExampleReplay() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	dir := must(os.MkdirTemp("", "recording"))
	defer os.RemoveAll(dir)
	r := must(device.NewRecorder(dir, nil))
	for i := range 3 {
		must(r.Write(time.Now(), "sensor", ringwire.NewMessage(fmt.Appendf(nil, "reading %d", i))))
	}
	check(r.Close())

	pull, push := must(socket.New(pattern.Pull, nil)), must(socket.New(pattern.Push, nil))
	defer pull.Close()
	defer push.Close()
	check(push.Connect(must(pull.Bind("inproc://again"))))
	stats := must(device.Replay(ctx, push, dir, &device.ReplayOptions{Fast: true, Topics: []string{"reading"}}))
	fmt.Println(stats.Messages, "sent")
	for range stats.Messages {
		m := must(pull.Recv(ctx))
		fmt.Printf("%s\n", m.Bytes())
	}
	// Output:
	// 3 sent
	// reading 0
	// reading 1
	// reading 2
}
