package device_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/ringwire/ringwire/device"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// TestQueueChain: three queues in a row. Each reply finds its way back through all
// of them.
func TestQueueChain(t *testing.T) {
	for _, scheme := range schemes {
		t.Run(scheme, func(t *testing.T) {
			const clients, each = 3, 100
			var hops []*stage
			for i := range 3 {
				hops = append(hops, start(t, device.NewQueue, scheme, nil, nil, nil))
				if i > 0 {
					connect(t, hops[i-1].Back(), hops[i].front)
				}
			}
			ctx, cancel := context.WithCancel(within(t))
			defer cancel()
			var serving, asking sync.WaitGroup
			for range 2 {
				rep := connected(t, pattern.Rep, nil, hops[2].back)
				serving.Go(func() { serve(ctx, rep) })
			}
			for c := range clients {
				req := connected(t, pattern.Req, nil, hops[0].front)
				asking.Go(func() {
					for i := range each {
						body := fmt.Sprintf("%d/%d", c, i)
						m, err := req.Do(ctx, []byte(body))
						if err != nil {
							t.Error(err)
							return
						}
						if got := string(m.Bytes()); got != body {
							t.Errorf("got the reply %q to %q", got, body)
						}
						m.Release()
					}
				})
			}
			asking.Wait()
			cancel()
			serving.Wait()
		})
	}
}

// TestStreamerChain: three streamers in a row, drained one after the other, lose
// nothing.
func TestStreamerChain(t *testing.T) {
	for _, scheme := range schemes {
		t.Run(scheme, func(t *testing.T) {
			const each = 3000
			var hops []*stage
			for i := range 3 {
				hops = append(hops, start(t, device.NewStreamer, scheme, nil, nil, &device.Options{Batch: 1 + 100*i}))
				if i > 0 {
					connect(t, hops[i-1].Back(), hops[i].front)
				}
			}
			push, pull := connected(t, pattern.Push, nil, hops[0].front), connected(t, pattern.Pull, nil, hops[2].back)
			l := newLedger()
			ctx, cancel := context.WithCancel(within(t))
			defer cancel()
			done := make(chan struct{})
			go func() { defer close(done); l.collect(ctx, pull, 0) }()
			if _, err := flood(ctx, push, 0, 0, each); err != nil {
				t.Fatal(err)
			}
			arrived(t, push, hops[0].Front(), each)
			for i, hop := range hops {
				if err := hop.Drain(ctx); err != nil {
					t.Errorf("hop %d: %v", i, err)
				}
				if i < len(hops)-1 {
					arrived(t, hop.Back(), hops[i+1].Front(), each)
				}
			}
			eventually(t, "everything arrives", func() bool { return l.count() >= each })
			cancel()
			<-done
			l.check(t, 1, each, true)
		})
	}
}

// TestDeviceKilled: the device itself vanishes under load, another takes its place,
// and traffic goes on without a call; nothing comes twice or out of order.
func TestDeviceKilled(t *testing.T) {
	const rounds = 4
	opts := &socket.Options{ReconnectMin: quick, ReconnectMax: quick}
	d, err := device.NewStreamer(nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := play(t, d, bind(t, d.Front(), "tcp://127.0.0.1:0"), bind(t, d.Back(), "tcp://127.0.0.1:0"))
	push, pull := connected(t, pattern.Push, opts, s.front), connected(t, pattern.Pull, opts, s.back)
	l := newLedger()
	ctx, cancel := context.WithCancel(within(t))
	var all sync.WaitGroup
	all.Go(func() { l.collect(ctx, pull, 0) })
	all.Go(func() { flood(ctx, push, 0, 0, 1<<30) })
	for range rounds {
		before := l.count()
		eventually(t, "messages flow", func() bool { return l.count() > before+1000 })
		s.Front().Shutdown(canceled())
		s.Back().Shutdown(canceled())
		if err := s.end(); err == nil {
			t.Error("got nil from Run of a device whose sockets were closed, want an error")
		}
		balanced(t, s.Device)
		next, err := device.NewStreamer(nil, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, side := range []struct {
			s  *socket.Socket
			at string
		}{{next.Front(), s.front}, {next.Back(), s.back}} {
			eventually(t, "the address is free", func() bool {
				_, err := side.s.Bind(side.at)
				return err == nil
			})
		}
		s = play(t, next, s.front, s.back)
	}
	before := l.count()
	eventually(t, "messages flow", func() bool { return l.count() > before+1000 })
	cancel()
	all.Wait()
	l.check(t, 1, 0, false)
}

// TestForwarderDrain: what has arrived reaches the subscribers.
func TestForwarderDrain(t *testing.T) {
	const each = 2000
	d := start(t, device.NewForwarder, "tcp", nil, noDrop, nil)
	sub := subscribe(t, connected(t, pattern.Sub, nil, d.back), "")
	pub := connected(t, pattern.Pub, noDrop, d.front)
	subscribed(t, pub, "x", 1)
	l := newLedger()
	ctx, cancel := context.WithCancel(within(t))
	defer cancel()
	done := make(chan struct{})
	go func() { defer close(done); l.collect(ctx, sub, 0) }()
	if _, err := flood(ctx, pub, 0, 0, each); err != nil {
		t.Fatal(err)
	}
	arrived(t, pub, d.Front(), each)
	if err := d.Drain(ctx); err != nil {
		t.Error(err)
	}
	eventually(t, "everything arrives", func() bool { return l.count() >= each })
	cancel()
	<-done
	l.check(t, 1, each, true)
}
