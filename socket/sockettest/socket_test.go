package sockettest_test

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/sockettest"
)

// TestSocketLatency: everything comes, in order, and the first message after
// exactly the time that it was under way.
func TestSocketLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := sockettest.NewNetwork(1)
		n.SetLink("push", "pull", sockettest.Link{Latency: 50 * time.Millisecond, MaxRead: 1000, MaxWrite: 700})
		p := newPipeline(t, n, socket.Options{})
		if err := errors.Join(p.push.WaitPeers(t.Context(), 1), p.pull.WaitPeers(t.Context(), 1)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		start := time.Now()
		sent := later(func() error { return p.send(t.Context(), 0, 500) })
		for i := range uint32(500) {
			if got, err := p.recv(t.Context()); err != nil || got != i {
				t.Fatalf("message %d is %d, %v", i, got, err)
			}
			if took := time.Since(start); i == 0 && took != 50*time.Millisecond {
				t.Errorf("the first message took %v, want 50ms", took)
			}
		}
		if err := <-sent; err != nil {
			t.Error(err)
		}
		p.balance(t)
	})
}

// TestSocketCut: connections are cut again and again; what arrives is whole,
// in order and there once, and what is missing was in doubt.
func TestSocketCut(t *testing.T) {
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0))
			n := sockettest.NewNetwork(seed)
			n.SetLink("push", "pull", sockettest.Link{Latency: time.Millisecond, Jitter: 5 * time.Millisecond, Bandwidth: 10 << 20, MaxRead: 5000})
			p := newPipeline(t, n, socket.Options{SendHWM: 10, RecvHWM: 10, ReconnectMin: 10 * time.Millisecond})
			const total = 1000
			ctx, cancel := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			wg.Go(func() {
				if err := p.send(ctx, 0, total); err != nil {
					t.Errorf("seed %d: send: %v", seed, err)
				}
				// The last one must come, however often the connection breaks.
				for ctx.Err() == nil && p.send(ctx, total, total+1) == nil {
					time.Sleep(time.Second)
				}
			})
			cuts := 0
			wg.Go(func() {
				for range 30 {
					time.Sleep(time.Duration(random.IntN(100)) * time.Millisecond)
					cuts += n.Cut("push", "pull")
				}
			})
			for p.next <= total {
				if _, err := p.recv(ctx); err != nil {
					t.Fatalf("seed %d, waiting for %d: %v", seed, p.next, err)
				}
			}
			cancel()
			wg.Wait()
			if cuts < 5 {
				t.Errorf("seed %d: only %d connections were cut", seed, cuts)
			}
			// The repeated last message may still come: take it into account.
			for {
				m, err := p.pull.TryRecv()
				if err != nil {
					break
				}
				m.Release()
				p.delivered++
			}
			p.balance(t)
		})
	}
}

// TestSocketPartition: without heartbeats a partition only delays: one
// connection, nothing lost.
func TestSocketPartition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := sockettest.NewNetwork(1)
		p := newPipeline(t, n, socket.Options{SendHWM: 100})
		if err := p.push.WaitPeers(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		n.Partition("push", "pull")
		sent := later(func() error { return p.send(t.Context(), 0, 300) })
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if i, err := p.recv(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("message %d, %v came through a partition", i, err)
		}
		pending(t, "Send beyond the high-water mark", sent)
		n.Heal("push", "pull")
		for i := range uint32(300) {
			if got, err := p.recv(t.Context()); err != nil || got != i {
				t.Fatalf("message %d is %d, %v", i, got, err)
			}
		}
		if err := <-sent; err != nil {
			t.Error(err)
		}
		if st := p.push.Stats(); st.Connects != 1 || st.Disconnects != 0 {
			t.Errorf("%d connects, %d disconnects, want 1, 0", st.Connects, st.Disconnects)
		}
		p.balance(t)
	})
}

// TestSocketVanish: a heartbeat notices, on both sides; dials hang until the
// host returns, and then messages flow again.
func TestSocketVanish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := sockettest.NewNetwork(1)
		opts := socket.Options{HeartbeatInterval: time.Second, HeartbeatTimeout: time.Second, ConnectTimeout: 5 * time.Second, ReconnectMax: time.Second}
		p := newPipeline(t, n, opts)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := p.send(ctx, 0, 10); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			if _, err := p.recv(ctx); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(10 * time.Minute) // answered heartbeats
		if got := p.push.Stats().Disconnects + p.pull.Stats().Disconnects; got != 0 {
			t.Errorf("%d disconnects before, want 0", got)
		}
		n.Vanish("pull")
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if push, pull := p.push.Stats().Disconnects, p.pull.Stats().Disconnects; push != 1 || pull != 1 {
			t.Errorf("%d and %d disconnects after 3 s, want 1 and 1", push, pull)
		}
		if err := p.send(ctx, 10, 20); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		if got := p.push.Stats().Connects; got != 1 {
			t.Errorf("%d connects while it is gone, want 1", got)
		}
		n.Return("pull")
		for range 10 {
			if _, err := p.recv(ctx); err != nil {
				t.Fatal(err)
			}
		}
		p.balance(t)
	})
}

// TestSocketCorrupt: a peer whose bytes are corrupted is disconnected for
// breaking the protocol, when it shows; another one is not affected.
func TestSocketCorrupt(t *testing.T) {
	violations := 0
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			n := sockettest.NewNetwork(seed)
			p := newPipeline(t, n, socket.Options{ReconnectMin: -1, MaxMessageSize: 1 << 20})
			bad := open(t, n, "bad", pattern.Push, socket.Options{ReconnectMin: -1, SendHWM: -1, NoLinger: true})
			if err := bad.Connect("mem://pull:5555"); err != nil {
				t.Fatal(err)
			}
			if err := p.pull.WaitPeers(t.Context(), 2); err != nil {
				t.Fatal(err)
			}
			n.SetOneWay("bad", "pull", sockettest.Link{Corrupt: 0.05})
			events := p.pull.Events(t.Context())
			for range 200 {
				if err := bad.Send(t.Context(), []byte("bad"), []byte("bad")); err != nil {
					t.Fatal(err)
				}
			}
			sent := later(func() error { return p.send(t.Context(), 0, 100) })
			for next := uint32(0); next < 100; {
				m, err := p.pull.Recv(t.Context())
				if err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				if m.Len() == 2 && string(m.Frame(1)) == "second" {
					if got := binary.BigEndian.Uint32(m.Frame(0)); got != next {
						t.Fatalf("seed %d: the good peer's message %d is %d", seed, next, got)
					}
					next++
				}
				m.Release()
			}
			if err := <-sent; err != nil {
				t.Error(err)
			}
			bad.Close()
			p.push.Close()
			p.pull.Close()
			for ev := range events {
				if ev.Kind != socket.Disconnected || ev.Err == nil {
					continue
				}
				if errors.Is(ev.Err, ringwire.ErrProtocol) || errors.Is(ev.Err, ringwire.ErrTooLarge) {
					violations++
				}
			}
		})
	}
	if violations < 10 {
		t.Errorf("%d of 20 peers were disconnected for breaking the protocol, want most", violations)
	}
}

// TestSocketRefused: attempts are refused, then accepting fails, then it works.
func TestSocketRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := sockettest.NewNetwork(1)
		n.Refuse("pull", true)
		n.FailAccept("pull", syscall.EMFILE)
		p := newPipeline(t, n, socket.Options{ReconnectMax: time.Second, HandshakeTimeout: 5 * time.Second})
		time.Sleep(time.Minute)
		if st := p.push.Stats(); st.Connects != 0 {
			t.Errorf("%d connects while refused, want 0", st.Connects)
		}
		n.Refuse("pull", false)
		time.Sleep(time.Minute)
		if push, pull := p.push.Stats(), p.pull.Stats(); push.Connects == 0 || push.HandshakeTimeouts == 0 || pull.AcceptErrors == 0 || pull.Accepts != 0 {
			t.Errorf("without descriptors: %d connects, %d handshakes timed out, %d accepts failed, %d did not", push.Connects, push.HandshakeTimeouts, pull.AcceptErrors, pull.Accepts)
		}
		n.FailAccept("pull", nil)
		if err := p.send(t.Context(), 0, 1); err != nil {
			t.Fatal(err)
		}
		if _, err := p.recv(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.balance(t)
	})
}

// TestSocketHeartbeatEvent: what the application is told of a host that
// vanished.
func TestSocketHeartbeatEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := sockettest.NewNetwork(1)
		p := newPipeline(t, n, socket.Options{HeartbeatInterval: time.Second})
		if err := p.push.WaitPeers(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		events := p.push.Events(t.Context())
		n.Vanish("pull")
		for ev := range events {
			if ev.Kind == socket.Disconnected {
				if !errors.Is(ev.Err, os.ErrDeadlineExceeded) {
					t.Errorf("disconnected: %v, want a deadline", ev.Err)
				}
				break
			}
		}
	})
}
