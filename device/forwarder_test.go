package device_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/ringwire/ringwire/device"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// subscribed waits until a publisher has somebody for a topic.
func subscribed(t testing.TB, pub *socket.Socket, topic string, n int) {
	t.Helper()
	if err := pub.WaitSubscribers(within(t), topic, n); err != nil {
		t.Fatal(err)
	}
}

// unsubscribed waits until a publisher has nobody for a topic.
func unsubscribed(t testing.TB, pub *socket.Socket, topic string) {
	t.Helper()
	eventually(t, "nobody wants "+topic, func() bool {
		return pub.WaitSubscribers(canceled(), topic, 1) != nil
	})
}

func subscribe(t testing.TB, s *socket.Socket, topics ...string) *socket.Socket {
	t.Helper()
	for _, topic := range topics {
		if err := s.Subscribe(topic); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// TestForwarder is libzmq's test_sub_forward, and more: subscriptions travel
// upstream, those of late subscribers included, and so do cancellations.
func TestForwarder(t *testing.T) {
	for _, scheme := range schemes {
		t.Run(scheme, func(t *testing.T) {
			d := start(t, device.NewForwarder, scheme, nil, nil, nil)
			early := subscribe(t, connected(t, pattern.Sub, nil, d.back), "a")
			pub := connected(t, pattern.Pub, nil, d.front)
			subscribed(t, pub, "a1", 1)
			send(t, pub, "b", "nobody wants it")
			send(t, pub, "a1", "", "body")
			want(t, recv(t, early), "a1", "", "body")
			if got := d.Stats().Forward.Received.Messages; got != 1 {
				t.Errorf("the device received %d messages, want only the one that somebody wants", got)
			}

			late := subscribe(t, connected(t, pattern.Sub, nil, d.back), "b", "c")
			subscribed(t, pub, "b", 1)
			subscribed(t, pub, "c", 1)
			send(t, pub, "b1", "x")
			want(t, recv(t, late), "b1", "x")

			if err := late.Unsubscribe("b"); err != nil {
				t.Fatal(err)
			}
			unsubscribed(t, pub, "b")
			subscribed(t, pub, "c", 1)
			late.Shutdown(canceled()) // a peer that is gone wants nothing
			unsubscribed(t, pub, "c")
			subscribed(t, pub, "a", 1)
		})
	}
}

// TestForwarderPublisherReturns: a publisher that comes back is told all
// subscriptions again.
func TestForwarderPublisherReturns(t *testing.T) {
	d := start(t, device.NewForwarder, "tcp", &socket.Options{ReconnectMin: quick}, nil, nil)
	sub := subscribe(t, connected(t, pattern.Sub, nil, d.back), "a", "b")
	first := open(t, pattern.Pub, nil)
	at := bind(t, first, "tcp://127.0.0.1:0")
	connect(t, d.Front(), at)
	subscribed(t, first, "a", 1)
	first.Shutdown(canceled())

	second := open(t, pattern.Pub, nil)
	eventually(t, "the address is free", func() bool {
		_, err := second.Bind(at)
		return err == nil
	})
	for _, topic := range []string{"a", "b"} {
		subscribed(t, second, topic, 1)
		send(t, second, topic)
		want(t, recv(t, sub), topic)
	}
}

// noDrop makes a chain of publishers wait for the slowest subscriber, so that what
// arrives can be counted.
var noDrop = &socket.Options{XPubNoDrop: true}

// TestForwarderChain: three devices in a row, the first with two publishers, the
// last with two subscribers, and a second path from the first to the last.
func TestForwarderChain(t *testing.T) {
	for _, scheme := range schemes {
		t.Run(scheme, func(t *testing.T) {
			const each = 2000
			first := start(t, device.NewForwarder, scheme, nil, noDrop, nil)
			second := start(t, device.NewForwarder, scheme, nil, noDrop, nil)
			third := start(t, device.NewForwarder, scheme, nil, noDrop, nil)
			connect(t, second.Front(), first.back)
			connect(t, third.Front(), second.back)

			ctx, cancel := context.WithCancel(within(t))
			defer cancel()
			var receiving, sending sync.WaitGroup
			var ledgers []*ledger
			for range 2 {
				l := newLedger()
				ledgers = append(ledgers, l)
				sub := subscribe(t, connected(t, pattern.Sub, nil, third.back), "")
				receiving.Go(func() { l.collect(ctx, sub, 0) })
			}
			subscribed(t, third.Back(), "x", 2)
			for i := range 2 {
				pub := connected(t, pattern.Pub, noDrop, first.front)
				subscribed(t, pub, "x", 1)
				sending.Go(func() {
					if _, err := flood(ctx, pub, i, 0, each); err != nil {
						t.Error(err)
					}
				})
			}
			sending.Wait()
			for _, l := range ledgers {
				eventually(t, "everything arrives", func() bool { return l.count() >= 2*each })
			}
			cancel()
			receiving.Wait()
			for _, l := range ledgers {
				l.check(t, 2, each, true)
			}
		})
	}
}

// TestForwarderMesh: the front connects to several upstream devices, and a
// subscription reaches the publishers of all.
func TestForwarderMesh(t *testing.T) {
	var pubs []*socket.Socket
	last := start(t, device.NewForwarder, "tcp", nil, nil, nil)
	for range 3 {
		upstream := start(t, device.NewForwarder, "tcp", nil, nil, nil)
		connect(t, last.Front(), upstream.back)
		pubs = append(pubs, connected(t, pattern.Pub, nil, upstream.front))
	}
	sub := subscribe(t, connected(t, pattern.Sub, nil, last.back), "t")
	for i, pub := range pubs {
		subscribed(t, pub, "t", 1)
		send(t, pub, "t", fmt.Sprint(i))
		want(t, recv(t, sub), "t", fmt.Sprint(i))
	}
	if err := sub.Unsubscribe("t"); err != nil {
		t.Fatal(err)
	}
	for _, pub := range pubs {
		unsubscribed(t, pub, "t")
	}
}

// TestForwarderBackpressure is libzmq's test_proxy_hwm: with a publisher that does
// not drop, a subscriber that does not read holds up the whole chain, the device
// has no more than a batch in hand, and its statistics are there at once.
func TestForwarderBackpressure(t *testing.T) {
	const batch = 8
	small := &socket.Options{SendHWM: 2, RecvHWM: 2, XPubNoDrop: true}
	rep := open(t, pattern.Rep, nil)
	d := start(t, device.NewForwarder, "tcp", &socket.Options{SendHWM: 2, RecvHWM: 2}, small, &device.Options{Batch: batch, Control: rep})
	sub := subscribe(t, connected(t, pattern.Sub, &socket.Options{RecvHWM: 2}, d.back), "")
	pub := connected(t, pattern.Pub, small, d.front)
	subscribed(t, pub, "x", 1)
	control := connected(t, pattern.Req, nil, bind(t, rep, "tcp://127.0.0.1:0"))

	body := strings.Repeat("x", 1<<20)
	sent := 0
	eventually(t, "the chain is full", func() bool {
		for pub.TrySend([]byte(body)) == nil {
			sent++
		}
		return d.Stats().Forward.InHand() > 0
	})
	if n := d.Stats().Forward.InHand(); n > batch {
		t.Errorf("got %d messages in hand, want at most %d", n, batch)
	}
	if got := statistics(t, control); got[0] == 0 {
		t.Errorf("got the statistics %v, want what was received", got)
	}
	for range sent {
		want(t, recv(t, sub), body)
	}
}

// TestForwarderSubscribersKilled: subscribers vanish under load, each time the one
// that is left goes on without a gap.
func TestForwarderSubscribersKilled(t *testing.T) {
	d := start(t, device.NewForwarder, "tcp", nil, noDrop, nil)
	ctx, cancel := context.WithCancel(within(t))
	defer cancel()
	var all sync.WaitGroup
	steady := newLedger()
	stays := subscribe(t, connected(t, pattern.Sub, nil, d.back), "")
	all.Go(func() { steady.collect(ctx, stays, 0) })
	pub := connected(t, pattern.Pub, noDrop, d.front)
	subscribed(t, pub, "x", 1)
	sent := make(chan int, 1)
	stop, halt := context.WithCancel(ctx)
	all.Go(func() {
		n := 0
		for stop.Err() == nil {
			n, _ = flood(ctx, pub, 0, n, n+1)
		}
		sent <- n
	})
	for range 5 {
		l := newLedger()
		killed := subscribe(t, connected(t, pattern.Sub, nil, d.back), "")
		all.Go(func() { l.collect(ctx, killed, 0) })
		eventually(t, "the subscriber receives", func() bool { return l.count() > 500 })
		killed.Shutdown(canceled())
		l.check(t, 1, 0, false)
	}
	halt()
	n := <-sent
	eventually(t, "everything arrives", func() bool { return steady.count() >= n })
	cancel()
	all.Wait()
	steady.check(t, 1, n, true)
}

// TestForwarderUpstreamMessages: what a subscriber sends that is no subscription
// reaches the publishers.
func TestForwarderUpstreamMessages(t *testing.T) {
	d := start(t, device.NewForwarder, "tcp", nil, nil, nil)
	xsub := connected(t, pattern.XSub, nil, d.back)
	xpub := connected(t, pattern.XPub, nil, d.front)
	send(t, xsub, "\x01topic")
	want(t, recv(t, xpub), "\x01topic")
	send(t, xsub, "hello", "publisher")
	want(t, recv(t, xpub), "hello", "publisher")
	send(t, xsub, "\x00topic")
	want(t, recv(t, xpub), "\x00topic")
}
