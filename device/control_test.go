package device_test

import (
	"context"
	"encoding/binary"
	"slices"
	"sync"
	"testing"

	"github.com/ringwire/ringwire/device"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// statistics asks a device by a socket.
func statistics(t testing.TB, control *socket.Socket, envelope ...string) (list []uint64) {
	t.Helper()
	send(t, control, append(envelope, "STATISTICS")...)
	got := recv(t, control)
	if len(got) < len(envelope) || !slices.Equal(got[:len(envelope)], envelope) {
		t.Fatalf("got the answer %q, want it behind %q", got, envelope)
	}
	got = got[len(envelope):]
	for _, f := range got {
		if len(f) != 8 {
			t.Fatalf("got the statistics %q, want frames of 8 bytes", got)
		}
		list = append(list, binary.NativeEndian.Uint64([]byte(f)))
	}
	if len(list) != 8 {
		t.Fatalf("got the statistics %v, want 8 numbers", list)
	}
	return list
}

// controls are the ways to steer a device: its socket, the other one, and what the
// other one puts before a command.
var controls = []struct {
	device, us *pattern.Spec
	envelope   []string
}{
	{pattern.Rep, pattern.Req, nil},
	{pattern.Pair, pattern.Pair, nil},
	{pattern.Dealer, pattern.Dealer, nil},
	{pattern.Router, pattern.Dealer, nil},
	{pattern.Router, pattern.Req, nil},
	{pattern.Rep, pattern.Dealer, []string{""}},
}

// TestControl is libzmq's test_proxy_steerable, over every type of control socket.
func TestControl(t *testing.T) {
	for _, c := range controls {
		t.Run(c.device.Name()+"-"+c.us.Name(), func(t *testing.T) {
			inside := open(t, c.device, nil)
			at := bind(t, inside, "tcp://127.0.0.1:0")
			d := start(t, device.NewQueue, "tcp", nil, nil, &device.Options{Control: inside})
			control := connected(t, c.us, nil, at)
			ctx, cancel := context.WithCancel(within(t))
			var serving sync.WaitGroup
			rep := connected(t, pattern.Rep, nil, d.back)
			serving.Go(func() { serve(ctx, rep) })
			defer serving.Wait()
			defer cancel()
			req := connected(t, pattern.Req, &socket.Options{Identity: []byte("me")}, d.front)
			ask := func(what ...string) {
				t.Helper()
				send(t, control, append(slices.Clone(c.envelope), what...)...)
				want(t, recv(t, control), append(slices.Clone(c.envelope), "")...)
			}
			round := func() {
				t.Helper()
				send(t, req, "12345", "67")
				want(t, recv(t, req), "12345", "67")
			}
			if got := statistics(t, control, c.envelope...); !slices.Equal(got, make([]uint64, 8)) {
				t.Fatalf("got %v, want zeros", got)
			}
			for range 10 {
				round()
			}
			// A request is identity, delimiter and two frames.
			expect := []uint64{40, 90, 40, 90, 40, 90, 40, 90}
			eventually(t, "the replies are counted", func() bool {
				return slices.Equal(statistics(t, control, c.envelope...), expect)
			})
			if got := statistics(t, control, c.envelope...); !slices.Equal(got, expect) {
				t.Errorf("got %v, want %v", got, expect)
			}

			ask("PAUSE")
			if !d.Stats().Paused {
				t.Error("got a device that is not paused after PAUSE")
			}
			send(t, req, "while paused")
			for _, nonsense := range []string{"", "pause", "RESUME ", "PAUSED", "KILL", "\x00"} {
				ask(nonsense)
			}
			ask("RESUME", "RESUME")
			if st := d.Stats(); !st.Paused || st.UnknownCommands != 7 {
				t.Errorf("got %+v, want a paused device that did not understand 7 commands", st)
			}
			if got := statistics(t, control, c.envelope...); !slices.Equal(got, expect) {
				t.Errorf("got %v while paused, want %v", got, expect)
			}
			ask("RESUME")
			want(t, recv(t, req), "while paused")
			ask("TERMINATE")
			if err := d.end(); err != nil {
				t.Errorf("Run of a device that was terminated: got %v, want nil", err)
			}
		})
	}
}

// TestControlWithoutAnswer: PULL and SUB take commands, too.
func TestControlWithoutAnswer(t *testing.T) {
	for inside, outside := range map[*pattern.Spec]*pattern.Spec{pattern.Pull: pattern.Push, pattern.Sub: pattern.Pub} {
		t.Run(inside.Name(), func(t *testing.T) {
			s := open(t, inside, nil)
			if inside == pattern.Sub {
				subscribe(t, s, "")
			}
			control := connected(t, outside, nil, bind(t, s, "tcp://127.0.0.1:0"))
			d := start(t, device.NewStreamer, "tcp", nil, nil, &device.Options{Control: s})
			waitPeers(t, control, 1)
			if outside == pattern.Pub {
				subscribed(t, control, "x", 1)
			}
			send(t, control, "PAUSE")
			eventually(t, "it pauses", func() bool { return d.Stats().Paused })
			send(t, control, "TERMINATE")
			if err := d.end(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestControlClosed: a device goes on without its control.
func TestControlClosed(t *testing.T) {
	s := open(t, pattern.Pair, nil)
	d := start(t, device.NewStreamer, "tcp", nil, nil, &device.Options{Control: s})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	push, pull := connected(t, pattern.Push, nil, d.front), connected(t, pattern.Pull, nil, d.back)
	send(t, push, "x")
	want(t, recv(t, pull), "x")
}

// TestControlNobodyReads: who asks and never reads the answers does not stop the
// device, nor its other commands.
func TestControlNobodyReads(t *testing.T) {
	s := open(t, pattern.Pair, &socket.Options{SendHWM: 1})
	d := start(t, device.NewStreamer, "inproc", nil, nil, &device.Options{Control: s})
	control := connected(t, pattern.Pair, &socket.Options{RecvHWM: 1}, bind(t, s, anywhere(t, "inproc")))
	for range 100 {
		send(t, control, "STATISTICS")
	}
	eventually(t, "answers are dropped", func() bool { return d.Stats().Unanswered > 0 })
	send(t, control, "TERMINATE")
	if err := d.end(); err != nil {
		t.Error(err)
	}
}

// TestPauseUnderLoad pauses and resumes again and again while messages flow: while
// it is paused nothing is read, and nothing is ever lost.
func TestPauseUnderLoad(t *testing.T) {
	const each, pauses = 20_000, 20
	d := start(t, device.NewStreamer, "tcp", nil, nil, nil)
	l := newLedger()
	ctx, cancel := context.WithCancel(within(t))
	defer cancel()
	var receiving, sending sync.WaitGroup
	pull := connected(t, pattern.Pull, nil, d.back)
	receiving.Go(func() { l.collect(ctx, pull, 0) })
	for i := range 2 {
		push := connected(t, pattern.Push, nil, d.front)
		sending.Go(func() {
			if _, err := flood(ctx, push, i, 0, each); err != nil {
				t.Error(err)
			}
		})
	}
	for i := range pauses {
		eventually(t, "messages flow", func() bool { return l.count() >= i*2*each/pauses })
		d.Pause()
		before := d.Stats().Forward.Received
		for range 20 {
			d.Pause() // once more changes nothing
			if got := d.Stats(); got.Forward.Received != before || !got.Paused {
				t.Fatalf("got %+v, want paused at %+v", got, before)
			}
		}
		d.Resume()
	}
	sending.Wait()
	eventually(t, "everything arrives", func() bool { return l.count() >= 2*each })
	cancel()
	receiving.Wait()
	l.check(t, 2, each, true)
}

// TestPausedFromTheStart: Pause before Run holds.
func TestPausedFromTheStart(t *testing.T) {
	d, err := device.NewStreamer(nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	d.Pause()
	front, back := bind(t, d.Front(), "tcp://127.0.0.1:0"), bind(t, d.Back(), "tcp://127.0.0.1:0")
	play(t, d, front, back)
	push, pull := connected(t, pattern.Push, nil, front), connected(t, pattern.Pull, nil, back)
	send(t, push, "x")
	if err := push.Confirm(within(t)); err != nil {
		t.Fatal(err)
	}
	if got := d.Stats().Forward.Received.Messages; got != 0 {
		t.Errorf("got %d messages received by a paused device, want none", got)
	}
	d.Resume()
	want(t, recv(t, pull), "x")
}
