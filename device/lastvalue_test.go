package device_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/device"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// keeper is a LastValue that runs until the test ends, with a publisher.
func keeper(t testing.TB, scheme string, back *socket.Options, keep *device.LastValueOptions) (*device.LastValue, *stage, *socket.Socket) {
	t.Helper()
	l, err := device.NewLastValue(nil, back, keep, nil)
	if err != nil {
		t.Fatal(err)
	}
	d := play(t, l.Device, bind(t, l.Front(), anywhere(t, scheme)), bind(t, l.Back(), anywhere(t, scheme)))
	pub := connected(t, pattern.Pub, noDrop, d.front)
	waitPeers(t, pub, 1)
	return l, d, pub
}

// kept waits until so many messages were taken in.
func kept(t testing.TB, l *device.LastValue, n int64) {
	t.Helper()
	eventually(t, "they are kept", func() bool { return l.Cache().Updated >= n })
}

// TestLastValue: who comes late gets the last message of each topic once, in
// order, and then what is new.
func TestLastValue(t *testing.T) {
	for _, scheme := range schemes {
		t.Run(scheme, func(t *testing.T) {
			l, d, pub := keeper(t, scheme, nil, nil)
			subscribed(t, pub, "a", 1)
			for _, m := range [][]string{{"a1", "old"}, {"b", "x"}, {"a2", "y", "", "more"}, {"a1", "new"}} {
				send(t, pub, m...)
			}
			kept(t, l, 4)
			late := subscribe(t, connected(t, pattern.Sub, nil, d.back), "a")
			want(t, recv(t, late), "a2", "y", "", "more")
			want(t, recv(t, late), "a1", "new")
			send(t, pub, "a1", "newest")
			want(t, recv(t, late), "a1", "newest")

			// A wider subscription brings only what it did not have.
			subscribe(t, late, "a1", "")
			want(t, recv(t, late), "b", "x")
			subscribed(t, l.Back(), "c", 1)
			send(t, pub, "c")
			want(t, recv(t, late), "c")

			// Who cancels and comes back is late again.
			other := subscribe(t, connected(t, pattern.Sub, nil, d.back), "b")
			want(t, recv(t, other), "b", "x")
			subscribed(t, l.Back(), "b", 2)
			if err := other.Unsubscribe("b"); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the cancellation has come", func() bool { return l.Back().WaitSubscribers(canceled(), "b", 2) != nil })
			subscribe(t, other, "b")
			want(t, recv(t, other), "b", "x")
			if s := l.Cache(); s.Keys != 4 || s.Updated != 6 || s.Given != 5 || s.Snapshots != 4 {
				t.Errorf("got %+v, want 4 keys, 6 updates, 5 given in 4 snapshots", s)
			}
		})
	}
}

// TestLastValueExactlyOnce: subscribers come while messages flow, and each gets,
// for each topic, every number from its first one on.
func TestLastValueExactlyOnce(t *testing.T) {
	const topics, last, subscribers = 5, 4000, 8
	l, d, pub := keeper(t, "tcp", noDrop, nil)
	subscribed(t, pub, "0", 1)
	var all sync.WaitGroup
	ctx := within(t)
	all.Go(func() {
		for n := range last {
			for topic := range topics {
				if err := pub.Send(ctx, []byte{'0' + byte(topic)}, binary.BigEndian.AppendUint32(nil, uint32(n))); err != nil {
					t.Error(err)
					return
				}
			}
		}
	})
	for i := range subscribers {
		kept(t, l, int64(i*last*topics/subscribers/2))
		sub := subscribe(t, connected(t, pattern.Sub, nil, d.back), "")
		all.Go(func() {
			next := make(map[byte]int)
			for done := 0; done < topics; {
				m, err := sub.Recv(ctx)
				if err != nil {
					t.Error(err)
					return
				}
				topic, n := m.Frame(0)[0], int(binary.BigEndian.Uint32(m.Frame(1)))
				m.Release()
				if expected, ok := next[topic]; ok && n != expected {
					t.Errorf("topic %c: got %d, want %d", topic, n, expected)
					return
				}
				next[topic] = n + 1
				if n == last-1 {
					done++
				}
			}
			if m, err := sub.TryRecv(); !errors.Is(err, ringwire.ErrAgain) {
				t.Errorf("got %v, %v after the last message, want nothing", m, err)
			}
		})
	}
	all.Wait()
	if st := l.Back().Stats(); st.SendDropped.Total() != 0 {
		t.Errorf("got drops: %+v", st)
	}
}

// TestLastValueManyKeys: a snapshot far over the usual high-water mark is whole.
func TestLastValueManyKeys(t *testing.T) {
	const n = 9000
	l, d, pub := keeper(t, "tcp", nil, nil)
	subscribed(t, pub, "k", 1)
	for i := range n {
		send(t, pub, fmt.Sprintf("k%05d", i), "body")
	}
	kept(t, l, n)
	sub := subscribe(t, connected(t, pattern.Sub, nil, d.back), "k")
	for i := range n {
		want(t, recv(t, sub), fmt.Sprintf("k%05d", i), "body")
	}
	if st := l.Back().Stats(); st.SendDropped.Total() != 0 {
		t.Errorf("got drops: %+v", st)
	}
}

// TestLastValueBounds: the options reach the cache, and only the chosen topics come.
func TestLastValueBounds(t *testing.T) {
	l, d, pub := keeper(t, "tcp", nil, &device.LastValueOptions{Topics: []string{"a", "b"}, MaxKeys: 2})
	subscribed(t, pub, "b", 1)
	unsubscribed(t, pub, "c")
	for _, topic := range []string{"a1", "c1", "a2", "b1"} {
		send(t, pub, topic, "x")
	}
	kept(t, l, 3)
	sub := subscribe(t, connected(t, pattern.Sub, nil, d.back), "")
	want(t, recv(t, sub), "a2", "x")
	want(t, recv(t, sub), "b1", "x")
	if s := l.Cache(); s.Keys != 2 || s.Evicted != 1 {
		t.Errorf("got %+v, want 2 keys and one evicted", s)
	}

	old, d, pub := keeper(t, "tcp", nil, &device.LastValueOptions{TTL: time.Nanosecond})
	subscribed(t, pub, "a", 1)
	send(t, pub, "a", "x")
	kept(t, old, 1)
	sub = subscribe(t, connected(t, pattern.Sub, nil, d.back), "")
	subscribed(t, old.Back(), "a", 1)
	send(t, pub, "a", "y")
	want(t, recv(t, sub), "a", "y")
	eventually(t, "both are too old", func() bool { return old.Cache().Expired == 2 })

	for _, bad := range []device.LastValueOptions{{MaxKeys: -2}, {MaxBytes: -2}, {TTL: -2}} {
		if l, err := device.NewLastValue(nil, nil, &bad, nil); err == nil {
			l.Close()
			t.Errorf("got a device with %+v, want an error", bad)
		}
	}
	_, err := device.NewLastValue(nil, &socket.Options{InvertMatching: true}, nil, nil)
	refused(t, err, "InvertMatching")
}

// TestLastValueSubscribersGo: what is known of subscribers that have gone is
// forgotten, and others with the same topics are not disturbed.
func TestLastValueSubscribersGo(t *testing.T) {
	l, d, pub := keeper(t, "tcp", nil, nil)
	stays := subscribe(t, connected(t, pattern.Sub, nil, d.back), "a")
	subscribed(t, l.Back(), "a", 1)
	subscribed(t, pub, "a", 1)
	for i := range 20 {
		goes := subscribe(t, connected(t, pattern.Sub, nil, d.back), "a", "b")
		subscribed(t, l.Back(), "a", 2)
		send(t, pub, "a", fmt.Sprint(i))
		want(t, recv(t, stays), "a", fmt.Sprint(i))
		goes.Shutdown(canceled())
		eventually(t, "it is gone", func() bool { return l.Back().WaitSubscribers(canceled(), "a", 2) != nil })
	}
	unsubscribed(t, l.Back(), "b")
	ctx, cancel := context.WithCancel(within(t))
	cancel()
	if err := l.Drain(ctx); err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestLastValueUpstreamMessages: what a subscriber says reaches the publishers.
func TestLastValueUpstreamMessages(t *testing.T) {
	_, d, _ := keeper(t, "tcp", nil, nil)
	xpub := connected(t, pattern.XPub, nil, d.front)
	want(t, recv(t, xpub), "\x01")
	xsub := connected(t, pattern.XSub, nil, d.back)
	waitPeers(t, xsub, 1)
	send(t, xsub, "hello", "publisher")
	want(t, recv(t, xpub), "hello", "publisher")
}

// ExampleNewLastValue has a subscriber that comes after the message.
func ExampleNewLastValue() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	last := must(device.NewLastValue(nil, nil, &device.LastValueOptions{TTL: time.Hour}, nil))
	defer last.Close()
	publishHere := must(last.Front().Bind("tcp://127.0.0.1:*"))
	subscribeHere := must(last.Back().Bind("tcp://127.0.0.1:*"))
	go last.Run(ctx)

	pub := must(socket.New(pattern.Pub, nil))
	defer pub.Close()
	check(pub.Connect(publishHere))
	check(pub.WaitSubscribers(ctx, "price.", 1)) // the device itself
	check(pub.Send(ctx, []byte("price.tea"), []byte("4")))
	check(pub.Confirm(ctx))

	sub := must(socket.New(pattern.Sub, nil))
	defer sub.Close()
	check(sub.Subscribe("price."))
	check(sub.Connect(subscribeHere))
	m := must(sub.Recv(ctx))
	fmt.Printf("%s: %s\n", m.Frame(0), m.Frame(1))
	// Output: price.tea: 4
}
