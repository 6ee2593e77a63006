package socket_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// hostileTopic subscribes or cancels, as a command or in the older form.
func hostileTopic(topic []byte, subscribe, command bool) []byte {
	name, first := "CANCEL", byte(0)
	if subscribe {
		name, first = "SUBSCRIBE", 1
	}
	if command {
		return hostileCmd(name, topic...)
	}
	return hostileFrame(0, append([]byte{first}, topic...))
}

func hostilePublishers(t *testing.T, attack func(a *hostileArena)) {
	for _, spec := range []*pattern.Spec{pattern.XPub, pattern.Pub} {
		t.Run(spec.Name(), func(t *testing.T) { attack(hostileNew(t, spec, nil)) })
	}
}

// A topic has a limit, in both encodings and on the way off, too.
func TestSEC09LongTopics(t *testing.T) {
	hostilePublishers(t, func(a *hostileArena) {
		for _, command := range []bool{true, false} {
			for _, subscribe := range []bool{true, false} {
				c := a.raid("tcp")
				c.put(hostileTopic(make([]byte, pattern.MaxTopic), subscribe, command))
				a.kept(c)
				for _, size := range []int{pattern.MaxTopic + 1, 1 << 20, 32 << 20} {
					c := a.raid("tcp")
					c.put(hostileTopic(make([]byte, size), subscribe, command))
					a.thrown(c, socket.Disconnected, ringwire.ErrTooLarge)
				}
			}
		}
	})
}

// Very many topics, alike and not, cost no more than what arrived and some
// bookkeeping each, and nothing once the subscriber is gone.
func TestSEC09ManyTopics(t *testing.T) {
	const perTopic = 600 // bytes of bookkeeping
	const seed = 9
	noise := rand.New(rand.NewChaCha8([32]byte{seed}))
	random := func(int) []byte {
		topic := make([]byte, 6+noise.IntN(20))
		for i := range topic {
			topic[i] = byte(noise.Uint32())
		}
		return topic
	}
	prefix := bytes.Repeat([]byte("prefix/"), 70)
	shared := func(i int) []byte { return binary.BigEndian.AppendUint32(bytes.Clone(prefix), uint32(i)) }
	nested := func(i int) []byte { return bytes.Repeat([]byte{'n'}, 1+i) }
	for _, x := range []struct {
		name  string
		count int
		topic func(int) []byte
	}{{"random", 100_000, random}, {"shared prefix", 20_000, shared}, {"nested", 4_000, nested}} {
		if hostileRace {
			x.count /= 10
		}
		t.Run(x.name, func(t *testing.T) {
			hostilePublishers(t, func(a *hostileArena) {
				drain := a.drain()
				before := a.heap()
				c := a.raid("tcp")
				sent := 0
				var batch []byte
				for i := range x.count {
					topic := x.topic(i)
					sent += len(topic)
					if batch = append(batch, hostileTopic(topic, true, i%2 == 0)...); len(batch) > 16<<10 {
						c.put(batch)
						batch = batch[:0]
					}
				}
				c.put(batch, hostilePing(0, "all"))
				c.pong()
				topics := 0
				for _, p := range a.victim.Peers() {
					if p.Remote == c.remote {
						topics = p.Subscriptions
					}
				}
				if topics < x.count*999/1000 { // random ones may coincide
					a.t.Errorf("topics of the attacker: got %d, want %d", topics, x.count)
				}
				a.beat()
				grown := a.heap() - before
				if limit := int64(3*sent + perTopic*x.count + 256<<10); grown > limit {
					a.t.Errorf("heap for %d topics of %d bytes: got %d, want at most %d", x.count, sent, grown, limit)
				}
				a.t.Logf("%d topics of %d bytes cost %d", x.count, sent, grown)
				c.Close()
				a.calm()
				drain()
				if left := a.heap() - before; left > 1<<20 {
					a.t.Errorf("heap after the subscriber has gone: got %d more than before, want next to none", left)
				}
			})
		})
	}
}

// drain receives the notifications of an XPUB until the returned function is
// called, which waits until none is left.
func (a *hostileArena) drain() (stop func()) {
	if a.victim.Type() != pattern.XPub {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			m, err := a.victim.Recv(ctx)
			if err != nil {
				return
			}
			m.Release()
		}
	}()
	return func() {
		cancel()
		<-done
		for {
			m, err := a.victim.TryRecv()
			if err != nil {
				return
			}
			m.Release()
		}
	}
}

// Subscribing and cancelling for ever, and cancelling what was never
// subscribed, leaves nothing behind, although nobody receives what an XPUB
// tells its application.
func TestSEC09SubscriptionChurn(t *testing.T) {
	const turns, size = 20_000, 1 << 10
	hostilePublishers(t, func(a *hostileArena) {
		c := a.raid("tcp")
		topic := bytes.Repeat([]byte{'t'}, size)
		turn := append(hostileTopic(topic, true, true), hostileTopic(topic, false, true)...)
		turn = append(turn, hostileTopic([]byte("never subscribed"), false, true)...)
		c.put(turn, hostilePing(0, "warm"))
		c.pong()
		before := a.heap()
		for range turns {
			c.put(turn)
		}
		c.put(hostilePing(0, "done"))
		c.pong()
		a.beat()
		if grown := a.heap() - before; grown > 1<<20 {
			a.t.Errorf("heap after %d subscriptions of %d bytes that were cancelled: got %d more, want next to none", turns, size, grown)
		}
		a.kept(c)
	})
}

// Subscribers that come, subscribe and go leave nothing behind either.
func TestSEC09SubscriberChurn(t *testing.T) {
	const turns, size = 300, 32 << 10
	hostilePublishers(t, func(a *hostileArena) {
		topic := bytes.Repeat([]byte{'t'}, size)
		turn := func() {
			c := a.dial("tcp")
			c.put(hostileHello, hostileReady("SUB"), hostileTopic(topic, true, true), hostilePing(0, ""))
			c.pongRaw()
			c.Close()
			hostileUntil(a.t, "the subscriber to be gone", func() bool { return len(a.victim.Peers()) == 1 })
		}
		turn()
		before := a.heap()
		for range turns {
			turn()
		}
		if grown := a.heap() - before; grown > 1<<20 {
			a.t.Errorf("heap after %d subscribers with a topic of %d bytes: got %d more, want next to none", turns, size, grown)
		}
	})
}

// pongRaw waits for a PONG right behind the handshake.
func (c *hostileConn) pongRaw() {
	c.t.Helper()
	var greeting [64]byte
	if _, err := c.Read(greeting[:]); err != nil {
		c.t.Fatal(err)
	}
	c.pong()
}

// Data that a socket type does not receive is discarded and counted.
func TestSEC10WrongDirection(t *testing.T) {
	const count = 20_000
	body := bytes.Repeat([]byte("unwanted"), 64)
	for _, x := range []struct{ victim, peer *pattern.Spec }{{pattern.Pub, pattern.Sub}, {pattern.Push, pattern.Pull}} {
		t.Run(x.victim.Name(), func(t *testing.T) {
			victim := hostileSocket(t, x.victim, nil)
			defer victim.Close()
			at := hostileBind(t, victim, "tcp://127.0.0.1:0")
			c := hostileDial(t, "tcp", at)
			c.put(hostileHello, hostileReady(x.peer.Name()))
			c.put(hostileFrame(0, body), hostilePing(0, "warm"))
			c.pongRaw()
			before := hostileHeap()
			for range count {
				c.put(hostileFrame(hostileMore, body), hostileFrame(0, body))
			}
			c.put(hostilePing(0, "done"))
			c.pong()
			if grown := hostileHeap() - before; grown > 256<<10 {
				t.Errorf("heap after %d messages to a %v: got %d more, want next to none", count, x.victim, grown)
			}
			if st := victim.Stats(); st.RecvDropped.NoRoute != count+1 || st.Arrived != count+1 || st.RecvQueued != 0 {
				t.Errorf("messages to a %v: got %+v, want %d dropped without a route", x.victim, st, count+1)
			}
			c.Close()
			good := hostileSocket(t, x.peer, nil)
			defer good.Close()
			hostileServes(t, victim, good, at)
		})
	}
}

// hostileServes checks that a PUB or PUSH serves a newcomer.
func hostileServes(t *testing.T, victim, good *socket.Socket, at string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), hostileGuard)
	defer cancel()
	hostileUntil(t, "the attacker to be gone", func() bool { return len(victim.Peers()) == 0 })
	if good.Type() == pattern.Sub {
		if err := good.Subscribe("good"); err != nil {
			t.Fatal(err)
		}
	}
	if err := good.Connect("tcp://" + at); err != nil {
		t.Fatal(err)
	}
	if err := victim.WaitPeers(ctx, 1); err != nil {
		t.Fatal(err)
	}
	if victim.Type() == pattern.Pub {
		if err := victim.WaitSubscribers(ctx, "good", 1); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 100 {
		if err := hostileExchange(ctx, victim, good, n); err != nil {
			t.Fatalf("message %d: %v", n, err)
		}
	}
}

// Whatever is not for this type of socket is ignored or ends the connection,
// and never disturbs the others.
func TestSEC10WrongType(t *testing.T) {
	hostileEach(t, nil, func(a *hostileArena, network string) {
		for _, traffic := range [][]byte{
			hostileTopic([]byte("good"), true, true), hostileTopic([]byte("good"), false, true), hostileTopic(nil, true, true),
			hostileTopic([]byte("good"), true, false), hostileTopic([]byte("good"), false, false), hostileTopic(nil, false, true),
			hostileCmd("JOIN", []byte("group")...), hostileCmd("LEAVE", []byte("group")...), hostileCmd("JOIN"), hostileCmd("PONG"), hostileCmd("PONG", []byte("never asked")...),
			hostileFrame(0, nil), hostileFrame(0, []byte("evil")), hostileFrame(0, []byte{2}), bytes.Repeat(hostileFrame(hostileMore, nil), 100),
			append(hostileFrame(hostileMore, []byte("good")), hostileFrame(hostileMore, []byte("forged"))...),
			append(hostileFrame(hostileMore, nil), hostileFrame(0, []byte("a request"))...),
		} {
			a.kept(func() *hostileConn { c := a.raid(network); c.put(traffic); return c }())
		}
	})
}
