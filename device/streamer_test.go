package device_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/device"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// TestStreamer: many push, many pull, nothing is lost, doubled, torn or out of
// order.
func TestStreamer(t *testing.T) {
	for _, scheme := range schemes {
		t.Run(scheme, func(t *testing.T) {
			const sources, each, sinks = 3, 3000, 2
			d := start(t, device.NewStreamer, scheme, nil, nil, nil)
			l := newLedger()
			ctx, cancel := context.WithCancel(within(t))
			defer cancel()
			var receivers, senders sync.WaitGroup
			for range sinks {
				pull := connected(t, pattern.Pull, nil, d.back)
				receivers.Go(func() { l.collect(ctx, pull, 0) })
			}
			for i := range sources {
				push := connected(t, pattern.Push, nil, d.front)
				senders.Go(func() {
					if _, err := flood(ctx, push, i, 0, each); err != nil {
						t.Error(err)
					}
				})
			}
			senders.Wait()
			eventually(t, "everything arrives", func() bool { return l.count() >= sources*each })
			cancel()
			receivers.Wait()
			l.check(t, sources, each, true)
			if err := d.Close(); err != nil {
				t.Error(err)
			}
			if err := d.end(); err != nil {
				t.Errorf("Run of a device that was closed: got %v, want nil", err)
			}
			balanced(t, d.Device)
			st := d.Stats()
			if got := st.Forward.Sent.Messages; got != sources*each {
				t.Errorf("got %d messages sent forward, want %d", got, sources*each)
			}
			if st.Backward != (device.Direction{}) {
				t.Errorf("got %+v backward, want nothing", st.Backward)
			}
		})
	}
}

// TestStreamerWithoutBack: with nobody behind it the device takes no more than a
// batch, and the senders meet their high-water mark.
func TestStreamerWithoutBack(t *testing.T) {
	const batch, hwm = 16, 20
	d := start(t, device.NewStreamer, "tcp", &socket.Options{RecvHWM: hwm}, &socket.Options{SendHWM: hwm}, &device.Options{Batch: batch})
	push := connected(t, pattern.Push, &socket.Options{SendHWM: hwm}, d.front)
	// More than the kernel takes.
	big := make([]byte, 1<<20)
	sent := 0
	for push.TrySend(big) == nil || d.Stats().Forward.InHand() == 0 {
		if sent++; sent > 10_000_000 {
			t.Fatal("the sender never meets its high-water mark")
		}
	}
	st := d.Stats().Forward
	if st.InHand() > batch || st.Sent.Messages != 0 {
		t.Errorf("got %d messages in hand and %d sent, want at most %d and none", st.InHand(), st.Sent.Messages, batch)
	}
	inHand := st.InHand()
	d.Terminate()
	err := d.end()
	u, ok := errors.AsType[*ringwire.UnsentError](err)
	if !ok {
		t.Fatalf("Run of a device that was terminated with messages in hand: got %v, want an UnsentError", err)
	}
	got := d.Stats().Forward.Dropped
	if u.Messages != got.Messages || u.Bytes != got.Bytes || got.Messages < inHand {
		t.Errorf("got %+v, want what Stats calls dropped, %+v, at least %d", u, got, inHand)
	}
	balanced(t, d.Device)
}

// TestTerminateSubPush is libzmq's test_proxy_terminate: a device whose back has
// no peer can still be ended.
func TestTerminateSubPush(t *testing.T) {
	front, back := open(t, pattern.Sub, nil), open(t, pattern.Push, nil)
	if err := front.Subscribe(""); err != nil {
		t.Fatal(err)
	}
	at := bind(t, front, "tcp://127.0.0.1:0")
	d, err := device.New(front, back, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := play(t, d, at, "")
	pub := connected(t, pattern.Pub, nil, at)
	if err := pub.WaitSubscribers(within(t), "x", 1); err != nil {
		t.Fatal(err)
	}
	send(t, pub, "x")
	eventually(t, "a message is in hand", func() bool { return d.Stats().Forward.InHand() == 1 })
	d.Terminate()
	if err := s.end(); !isUnsent(err) {
		t.Errorf("got %v, want an UnsentError", err)
	}
	balanced(t, d)
}

// TestStreamerPeersKilled: senders and receivers vanish under load. What is
// received was not doubled, torn or put out of order, and the device goes on.
func TestStreamerPeersKilled(t *testing.T) {
	const each, rounds = 100_000, 4
	opts := &socket.Options{ReconnectMin: quick}
	d := start(t, device.NewStreamer, "tcp", nil, nil, nil)
	l := newLedger()
	ctx, cancel := context.WithCancel(within(t))
	defer cancel()
	var all sync.WaitGroup
	for round := range rounds {
		pull := connected(t, pattern.Pull, opts, d.back)
		push := connected(t, pattern.Push, opts, d.front)
		all.Go(func() { l.collect(ctx, pull, 0) })
		all.Go(func() { flood(ctx, push, round, 0, each) })
		before := l.count()
		eventually(t, "messages flow", func() bool { return l.count() > before+1000 })
		push.Shutdown(canceled())
		pull.Shutdown(canceled())
	}
	// It still works, for newcomers.
	pull, push := connected(t, pattern.Pull, opts, d.back), connected(t, pattern.Push, opts, d.front)
	all.Go(func() { l.collect(ctx, pull, 0) })
	if _, err := flood(ctx, push, rounds, 0, 100); err != nil {
		t.Error(err)
	}
	eventually(t, "what came last arrives", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.seen[[2]int{rounds, 99}]
	})
	cancel()
	all.Wait()
	l.check(t, rounds, each, false)
	d.Terminate()
	if err := d.end(); err != nil && !isUnsent(err) {
		t.Error(err)
	}
	balanced(t, d.Device)
}

// TestSocketClosed: a device ends with its sockets, whichever is closed.
func TestSocketClosed(t *testing.T) {
	for _, which := range []string{"front", "back"} {
		t.Run(which, func(t *testing.T) {
			d := start(t, device.NewStreamer, "tcp", nil, nil, nil)
			push := connected(t, pattern.Push, nil, d.front)
			pull := connected(t, pattern.Pull, nil, d.back)
			send(t, push, "x")
			want(t, recv(t, pull), "x")
			s := d.Front()
			if which == "back" {
				s = d.Back()
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if err := d.end(); !errors.Is(err, ringwire.ErrClosed) {
				t.Errorf("got %v, want ErrClosed", err)
			}
			balanced(t, d.Device)
		})
	}
}
