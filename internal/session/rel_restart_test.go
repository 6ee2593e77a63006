package session_test

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/transport"
)

// TestREL02Joins: a subscriber that WaitSubscribers has seen misses nothing, a
// thousand times.
func TestREL02Joins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		n := newMemNet()
		pub := open(t, n, pattern.Pub, socket.Options{})
		relBind(t, pub, "mem://x")
		for i := range 1000 {
			topic := fmt.Sprint("topic ", i, ".")
			sub := open(t, n, pattern.Sub, socket.Options{NoLinger: true})
			if err := sub.Subscribe(topic); err != nil {
				t.Fatal(err)
			}
			relConnect(t, sub, "mem://x")
			if err := pub.WaitSubscribers(ctx, topic, 1); err != nil {
				t.Fatal(err)
			}
			if err := pub.Send(ctx, []byte(topic)); err != nil {
				t.Fatal(err)
			}
			m, err := sub.Recv(ctx)
			if err != nil || string(m.Bytes()) != topic {
				t.Fatalf("join %d: got %v, %v", i, m, err)
			}
			m.Release()
			sub.Close()
		}
		if st := pub.Stats(); st.Accepted != 1000 || st.Unmatched != 0 {
			t.Errorf("got %d accepted, %d unmatched, want 1000, 0", st.Accepted, st.Unmatched)
		}
	})
}

// TestREL11NoStorm: a thousand peers that lose their server at the same moment do not
// come back in step, ask ever less often, and are all there soon after it is.
func TestREL11NoStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const peers, outage, slot, most = 1000, time.Minute, 100 * time.Millisecond, 10 * time.Second
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		n := newMemNet()
		pull := open(t, n, pattern.Pull, socket.Options{NoLinger: true})
		relBind(t, pull, "mem://x")
		for range peers {
			push := open(t, n, pattern.Push, socket.Options{ReconnectMax: most, NoLinger: true})
			relConnect(t, push, "mem://x")
		}
		if err := pull.WaitPeers(ctx, peers); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		before := len(n.attempts())
		down := time.Now()
		pull.Close()
		time.Sleep(outage)
		slots := make([]int, outage/slot+1)
		for _, at := range n.attempts()[before:] {
			slots[at.Sub(down)/slot]++
		}
		// The first delay is up to 100 ms, each later one up to twice that. So the
		// first attempts come within a slot, and from then on no slot has many.
		for i, count := range slots {
			limit := 3 * peers / 2
			switch {
			case i > 300: // 30 s: everybody is at the longest delay, 20 are expected
				limit = peers / 16
			case i > 20:
				limit = peers / 5
			case i > 1:
				limit = peers
			}
			if count > limit {
				t.Errorf("%d attempts between %v and %v of the outage, want at most %d", count, time.Duration(i)*slot, time.Duration(i+1)*slot, limit)
			}
		}
		again := open(t, n, pattern.Pull, socket.Options{NoLinger: true})
		relBind(t, again, "mem://x")
		bounded, done := context.WithTimeout(ctx, most+time.Millisecond)
		defer done()
		if err := again.WaitPeers(bounded, peers); err != nil {
			t.Error(err)
		}
	})
}

// relMoving resolves one name to an address that changes.
type relMoving struct {
	*memNet
	at atomic.Value // string
}

func (m *relMoving) Dial(ctx context.Context, name string, o *transport.Options) (net.Conn, error) {
	if name == "server" {
		name = m.at.Load().(string)
	}
	return m.memNet.Dial(ctx, name, o)
}

// TestREL12Moves: a server that comes back elsewhere is found under its name, every
// time, at the latest after the longest delay.
func TestREL12Moves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most = 5 * time.Second
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		n := &relMoving{memNet: newMemNet()}
		n.at.Store("nowhere")
		push := relOpen(t, n, pattern.Push, socket.Options{ReconnectMax: most, NoLinger: true})
		relConnect(t, push, "mem://server")
		for i := range 20 {
			time.Sleep(time.Minute) // nobody is there
			at := fmt.Sprint("address-", i)
			pull := relOpen(t, n, pattern.Pull, socket.Options{NoLinger: true})
			relBind(t, pull, "mem://"+at)
			n.at.Store(at)
			bounded, done := context.WithTimeout(ctx, most+time.Millisecond)
			if err := pull.WaitPeers(bounded, 1); err != nil {
				t.Fatalf("move %d: %v", i, err)
			}
			done()
			if err := push.Send(ctx, []byte(at)); err != nil {
				t.Fatal(err)
			}
			m, err := pull.Recv(ctx)
			if err != nil || string(m.Bytes()) != at {
				t.Fatalf("move %d: got %v, %v", i, m, err)
			}
			m.Release()
			if err := push.Confirm(ctx); err != nil {
				t.Fatal(err)
			}
			pull.Close()
		}
	})
}

// TestREL17ManyTopics: a hundred thousand subscriptions are there again after each
// restart of the publisher, within the longest delay, the first and the last of them.
func TestREL17ManyTopics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const topics, most = 100_000, 2 * time.Second
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		n := newMemNet()
		n.max = 64 << 10
		sub := open(t, n, pattern.Sub, socket.Options{ReconnectMax: most, NoLinger: true})
		for i := range topics {
			if err := sub.Subscribe(fmt.Sprintf("topic %06d", i)); err != nil {
				t.Fatal(err)
			}
		}
		relConnect(t, sub, "mem://x")
		for restart := range 2 {
			time.Sleep(10 * time.Second)
			pub := open(t, n, pattern.Pub, socket.Options{NoLinger: true})
			relBind(t, pub, "mem://x")
			began := time.Now()
			if err := pub.WaitSubscribers(ctx, fmt.Sprintf("topic %06d", topics-1), 1); err != nil {
				t.Fatal(err)
			}
			// Subscriptions come in no order that is promised.
			for pub.Peers()[0].Subscriptions < topics {
				if time.Since(began) > most {
					t.Fatalf("restart %d: %d of %d subscriptions after %v", restart, pub.Peers()[0].Subscriptions, topics, most)
				}
				time.Sleep(time.Millisecond)
			}
			if took := time.Since(began); took > most {
				t.Errorf("restart %d: %v, want at most %v", restart, took, most)
			}
			for _, i := range []int{0, topics / 2, topics - 1} {
				topic := fmt.Sprintf("topic %06d", i)
				if err := pub.Send(ctx, []byte(topic)); err != nil {
					t.Fatal(err)
				}
				m, err := sub.Recv(ctx)
				if err != nil || string(m.Bytes()) != topic {
					t.Fatalf("restart %d: got %v, %v, want %s", restart, m, err, topic)
				}
				m.Release()
			}
			pub.Close()
		}
	})
}

// TestREL07Takeover: a client whose connection is dead without a word, and that comes
// back under its name, is reached again within the time that the old one is given,
// and while it is not, Send says so or waits: nothing goes into a hole unnoticed.
func TestREL07Takeover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const grace = 2 * time.Second // probeTime of socket/peer.go
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Hour)
		defer cancel()
		n := newMemNet()
		router := open(t, n, pattern.Router, socket.Options{})
		relBind(t, router, "mem://x")
		events := relWatch(router)
		for i := range 300 {
			relRaw(t, n, "x", "DEALER", "client") // never reads, never writes, never ends
			synctest.Wait()
			client := open(t, n, pattern.Dealer, socket.Options{Identity: []byte("client"), NoLinger: true, ReconnectMin: -1})
			relConnect(t, client, "mem://x")
			bounded, done := context.WithTimeout(ctx, grace+100*time.Millisecond)
			if err := client.WaitPeers(bounded, 1); err != nil {
				t.Fatalf("takeover %d: %v", i, err)
			}
			done()
			time.Sleep(grace + 100*time.Millisecond) // its READY is the router's answer to us, not the end of the takeover
			want := fmt.Sprint("message ", i)
			if err := router.Send(ctx, []byte("client"), []byte(want)); err != nil {
				t.Fatalf("takeover %d: %v", i, err)
			}
			m, err := client.Recv(ctx)
			if err != nil || string(m.Bytes()) != want {
				t.Fatalf("takeover %d: got %v, %v, want %s", i, m, err, want)
			}
			m.Release()
			client.Close()
			synctest.Wait()
		}
		taken := 0
		for _, ev := range events.of(socket.Disconnected) {
			if ev.Reason() == "identity" {
				taken++
			}
		}
		if taken != 300 {
			t.Errorf("%d connections were taken over from, want 300", taken)
		}
		balance(t, "router", router)
	})
}
