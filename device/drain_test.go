package device_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/device"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// TestDrain: what has arrived is delivered, although the receiver
// takes it only afterwards.
func TestDrain(t *testing.T) {
	for _, pausedBefore := range []bool{false, true} {
		t.Run(fmt.Sprint("paused ", pausedBefore), func(t *testing.T) {
			const sources, each = 3, 1500
			// The way is narrow, so that much is still under way.
			d := start(t, device.NewStreamer, "tcp", &socket.Options{RecvHWM: -1}, &socket.Options{SendHWM: 10}, &device.Options{Batch: 7})
			if pausedBefore {
				d.Pause()
			}
			for i := range sources {
				push := connected(t, pattern.Push, nil, d.front)
				if _, err := flood(within(t), push, i, 0, each); err != nil {
					t.Fatal(err)
				}
				arrived(t, push, d.Front(), (i+1)*each)
			}
			l := newLedger()
			ctx, cancel := context.WithCancel(within(t))
			defer cancel()
			drained := make(chan error, 1)
			go func() { drained <- d.Drain(within(t)) }()
			pull := connected(t, pattern.Pull, &socket.Options{RecvHWM: 10}, d.back)
			done := make(chan struct{})
			go func() {
				defer close(done)
				l.collect(ctx, pull, 0)
			}()
			if err := <-drained; err != nil {
				t.Error(err)
			}
			if err := d.end(); err != nil {
				t.Errorf("Run of a drained device: got %v, want nil", err)
			}
			if err := d.Close(); err != nil {
				t.Error(err)
			}
			eventually(t, "everything arrives", func() bool { return l.count() >= sources*each })
			cancel()
			<-done
			l.check(t, sources, each, true)
			balanced(t, d.Device)
		})
	}
}

// arrived waits until a sender has given everything away and so many messages in
// all are in the queues of a receiver.
func arrived(t testing.TB, from, to *socket.Socket, n int) {
	t.Helper()
	if err := from.Confirm(within(t)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it has arrived", func() bool { return to.Stats().Arrived >= int64(n) })
}

// TestDrainUnderLoad: a drain ends although the senders do not, and everything
// that the device took from its front is delivered.
func TestDrainUnderLoad(t *testing.T) {
	d := start(t, device.NewStreamer, "tcp", nil, nil, nil)
	l := newLedger()
	ctx, cancel := context.WithCancel(within(t))
	push, pull := connected(t, pattern.Push, nil, d.front), connected(t, pattern.Pull, nil, d.back)
	flooding, collecting := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(flooding)
		flood(ctx, push, 0, 0, 1<<30)
	}()
	collectCtx, stop := context.WithCancel(within(t))
	go func() {
		defer close(collecting)
		l.collect(collectCtx, pull, 0)
	}()
	eventually(t, "messages flow", func() bool { return l.count() > 1000 })
	if err := d.Drain(within(t)); err != nil {
		t.Error(err)
	}
	cancel()
	<-flooding
	taken := int(d.Stats().Forward.Received.Messages)
	eventually(t, "everything that was taken arrives", func() bool { return l.count() >= taken })
	stop()
	<-collecting
	l.check(t, 1, taken, true)
	if l.count() != taken {
		t.Errorf("got %d messages, want the %d that the device took", l.count(), taken)
	}
	balanced(t, d.Device)
}

// TestDrainAwaitsReplies: a queue is not over while a worker owes a reply.
func TestDrainAwaitsReplies(t *testing.T) {
	d := start(t, device.NewQueue, "tcp", nil, nil, nil)
	req, lost := connected(t, pattern.Req, nil, d.front), connected(t, pattern.Req, nil, d.front)
	rep := connected(t, pattern.Rep, nil, d.back)
	send(t, req, "question")
	want(t, recv(t, rep), "question")
	gone := connected(t, pattern.Rep, nil, d.back)
	waitPeers(t, d.Back(), 2)
	// Whichever worker gets it, one of them does not answer.
	send(t, lost, "never answered")
	eventually(t, "the second request was forwarded", func() bool { return d.Stats().Forward.Sent.Messages == 2 })

	drained := make(chan error, 1)
	go func() { drained <- d.Drain(within(t)) }()
	gone.Shutdown(canceled())
	select {
	case err := <-drained:
		t.Fatalf("Drain returned %v before the reply", err)
	default:
	}
	send(t, rep, "answer")
	want(t, recv(t, req), "answer")
	rep.Shutdown(canceled()) // it may have been given both requests
	if err := <-drained; err != nil {
		t.Error(err)
	}
}

// TestDrainInTime: when its context ends first, Drain says what was lost.
func TestDrainInTime(t *testing.T) {
	d := start(t, device.NewStreamer, "tcp", nil, nil, nil)
	push := connected(t, pattern.Push, nil, d.front)
	send(t, push, "nobody takes it")
	eventually(t, "it is in hand", func() bool { return d.Stats().Forward.InHand() == 1 })
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	err := d.Drain(ctx)
	if !errors.Is(err, context.DeadlineExceeded) || !isUnsent(err) {
		t.Errorf("Drain: got %v, want the context's error and an UnsentError", err)
	}
	if err := d.end(); !errors.Is(err, context.DeadlineExceeded) || !isUnsent(err) {
		t.Errorf("Run: got %v, want the context's error and an UnsentError", err)
	}
	balanced(t, d.Device)
}

// TestEnds: how a device ends, and what a second Run says.
func TestEnds(t *testing.T) {
	t.Run("context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		d, err := device.NewForwarder(nil, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		ended := make(chan error, 1)
		go func() { ended <- d.Run(ctx) }()
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
		if err := d.Run(context.Background()); !errors.Is(err, ringwire.ErrState) {
			t.Errorf("a second Run: got %v, want ErrState", err)
		}
	})
	t.Run("terminate before", func(t *testing.T) {
		d, err := device.NewForwarder(nil, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		d.Terminate()
		if err := d.Run(context.Background()); err != nil {
			t.Errorf("got %v, want nil", err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Run("closed before", func(t *testing.T) {
		d, err := device.NewForwarder(nil, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		}
		if err := d.Run(context.Background()); err != nil {
			t.Errorf("got %v, want nil: there is nothing left to do", err)
		}
		if _, err := d.Front().Bind("tcp://127.0.0.1:0"); !errors.Is(err, ringwire.ErrClosed) {
			t.Errorf("Bind of the front: got %v, want ErrClosed: Close closes what NewForwarder made", err)
		}
	})
	t.Run("sockets of the caller", func(t *testing.T) {
		front, back := open(t, pattern.Pull, nil), open(t, pattern.Push, nil)
		d, err := device.New(front, back, nil)
		if err != nil {
			t.Fatal(err)
		}
		s := play(t, d, bind(t, front, "tcp://127.0.0.1:0"), bind(t, back, "tcp://127.0.0.1:0"))
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if err := s.end(); err != nil {
			t.Error(err)
		}
		// They live on, for another device.
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- device.Run(ctx, front, back, nil) }()
		send(t, connected(t, pattern.Push, nil, s.front), "x")
		want(t, recv(t, connected(t, pattern.Pull, nil, s.back)), "x")
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
	})
	t.Run("socket closed before", func(t *testing.T) {
		front, back := open(t, pattern.Pull, nil), open(t, pattern.Push, nil)
		d, err := device.New(front, back, nil)
		if err != nil {
			t.Fatal(err)
		}
		back.Close()
		if err := d.Run(within(t)); !errors.Is(err, ringwire.ErrClosed) {
			t.Errorf("got %v, want ErrClosed", err)
		}
	})
}
