package session_test

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwire/ringwire/internal/zmtp"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// relBeat is a heartbeat of a second, with a timeout that is over between two PINGs.
var relBeat = socket.Options{HeartbeatInterval: time.Second, HeartbeatTimeout: 4500 * time.Millisecond}

// relWithin is when a silent peer must be given up: an interval and two timeouts.
const relWithin = 10*time.Second + time.Millisecond

// relHuge takes 97 seconds at 4 KiB a second: its last byte is written, and the PING
// behind it, when there is most of a timeout left for the answer.
const relHuge = 388 << 10

// relTrickle makes a network pass on huge messages at 4 KiB a second.
func relTrickle(n *memNet) (slow *atomic.Bool) {
	slow = new(atomic.Bool)
	n.hook = func(c *memConn, write bool) error {
		if !write && slow.Load() {
			time.Sleep(time.Second)
		}
		return nil
	}
	return slow
}

// TestSIM04Verdict is the truth table: what the peer does, what we do, and what is on
// its way, against whether the connection is given up within five minutes. Nothing
// that only looks like death may be taken for it.
func TestSIM04Verdict(t *testing.T) {
	const (
		alive   = "alive"            // its application receives
		busy    = "busy"             // it does not, but there is room
		stalled = "stalled"          // it does not, and there is no room; it beats
		quiet   = "stalled, no beat" // it has no heartbeat of its own, either
		dead    = "dead"             // neither reads nor writes
		listens = "mute"             // reads, and writes nothing
	)
	const (
		small  = "small"   // two messages to it
		out    = "huge"    // a message to it that takes longer than a timeout
		within = "huge in" // one from it
	)
	for _, c := range []struct {
		peer  string
		full  bool // we have no room, and do not read
		size  string
		given bool // the peer is given up
	}{
		{alive, false, small, false}, {alive, true, small, false},
		{alive, false, out, false}, {alive, true, out, false},
		{alive, false, within, false},
		{busy, false, small, false}, {busy, true, small, false},
		{busy, false, out, false}, {busy, true, out, false},
		{busy, false, within, false},
		{stalled, false, small, false}, {stalled, true, small, false},
		{stalled, false, out, false}, {stalled, true, out, false},
		// What its kernel took of ours it will never see: its silence looks like death.
		{quiet, false, small, true}, {quiet, true, small, false},
		// While the PING waits behind the message, its kernel answers; then as above.
		{quiet, false, out, true}, {quiet, true, out, false},
		{dead, false, small, true}, {dead, true, small, false},
		{listens, false, small, true}, {listens, true, small, false},
		{listens, false, out, true}, {listens, true, out, false},
	} {
		t.Run(fmt.Sprintf("%s,full=%v,%s", c.peer, c.full, c.size), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newMemNet()
				slow := relTrickle(n)
				ctx, cancel := context.WithCancel(t.Context())
				var wg sync.WaitGroup
				defer wg.Wait()
				defer cancel()
				opts := relBeat
				opts.SendHWM, opts.MaxMessageSize, opts.NoLinger = 20, -1, true
				if c.full {
					opts.RecvHWM = 1
				}
				us := open(t, n, pattern.Dealer, opts)
				relBind(t, us, "mem://x")
				receive := func(s *socket.Socket) {
					wg.Go(func() {
						for m, err := range s.Messages(ctx) {
							if err != nil {
								return
							}
							m.Release()
						}
					})
				}
				if !c.full {
					receive(us)
				}
				// The peer, and what it sends to fill us.
				var send func(b []byte)
				switch c.peer {
				case dead, listens:
					raw := relRaw(t, n, "x", "DEALER", "")
					if c.peer == listens {
						wg.Go(func() { io.Copy(io.Discard, raw) })
						t.Cleanup(func() { raw.Close() })
						defer raw.Close()
					}
					send = func(b []byte) {
						frame := append(zmtp.AppendMessageHeader(nil, len(b), false), b...)
						if _, err := raw.Write(frame); err != nil {
							t.Error(err)
						}
					}
				default:
					opts := socket.Options{MaxMessageSize: -1, NoLinger: true}
					if c.peer == stalled {
						opts.HeartbeatInterval, opts.HeartbeatTimeout = relBeat.HeartbeatInterval, relBeat.HeartbeatTimeout
					}
					if c.peer == stalled || c.peer == quiet {
						opts.RecvHWM = 1
					}
					peer := open(t, n, pattern.Dealer, opts)
					relConnect(t, peer, "mem://x")
					if err := peer.WaitPeers(ctx, 1); err != nil {
						t.Fatal(err)
					}
					if c.peer == alive {
						receive(peer)
					}
					send = func(b []byte) {
						if err := peer.Send(ctx, b); err != nil {
							t.Error(err)
						}
					}
				}
				if err := us.WaitPeers(ctx, 1); err != nil {
					t.Fatal(err)
				}
				if c.full {
					for range 5 {
						send(make([]byte, 10))
					}
					synctest.Wait()
				}
				slow.Store(c.size != small)
				switch c.size {
				case within:
					send(make([]byte, relHuge))
				case out:
					if err := us.Send(ctx, make([]byte, relHuge)); err != nil {
						t.Fatal(err)
					}
				}
				for range 2 {
					if err := us.Send(ctx, make([]byte, 10)); err != nil {
						t.Fatal(err)
					}
				}
				if c.size == small && c.given {
					time.Sleep(relWithin)
				} else {
					time.Sleep(5 * time.Minute)
				}
				synctest.Wait()
				st := us.Stats()
				if got := st.Disconnects > 0; got != c.given {
					t.Errorf("given up: %v, want %v; %+v", got, c.given, st)
				}
			})
		})
	}
}

// TestREL06FullBothSides: two sides that are full, each with a heartbeat of its own,
// wait for each other's applications for ever, not longer than that, and lose
// nothing.
func TestREL06FullBothSides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const total = 200
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Hour)
		defer cancel()
		n := newMemNet()
		opts := relBeat
		opts.RecvHWM, opts.SendHWM, opts.HeartbeatTTL = 1, 1, 2*time.Second
		a, b := open(t, n, pattern.Dealer, opts), open(t, n, pattern.Dealer, opts)
		join(ctx, t, a, b)
		var wg sync.WaitGroup
		for _, s := range []*socket.Socket{a, b} {
			wg.Go(func() {
				for i := range uint32(total) {
					if err := s.Send(ctx, numbered(i, 1000)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		for _, s := range []*socket.Socket{a, b} {
			if st := s.Stats(); st.Disconnects != 0 || st.Accepted == total {
				t.Fatalf("after an hour: %d disconnects, %d accepted, want 0, and less than all", st.Disconnects, st.Accepted)
			}
		}
		// One side goes on an hour before the other, then both, slowly.
		for _, s := range []*socket.Socket{a, b} {
			wg.Go(func() {
				for i := range total {
					m, err := s.Recv(ctx)
					if err != nil {
						t.Error(err)
						return
					}
					if got := relNumber(m.Bytes()); got != i {
						t.Errorf("got message %d, want %d", got, i)
					}
					m.Release()
					time.Sleep(time.Second)
				}
			})
			time.Sleep(time.Hour)
		}
		wg.Wait()
		for _, s := range []*socket.Socket{a, b} {
			if st := s.Stats(); st.Disconnects != 0 {
				t.Errorf("got %d disconnects, want 0", st.Disconnects)
			}
		}
	})
}

// TestREL06FullThenDead: a peer that died while we had no room is given up once there
// is room again, and what it had sent is delivered.
func TestREL06FullThenDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newMemNet()
		opts := relBeat
		opts.RecvHWM = 2
		us := open(t, n, pattern.Pull, opts)
		relBind(t, us, "mem://x")
		raw := relRaw(t, n, "x", "PUSH", "")
		go io.Copy(io.Discard, raw) // what it does not read would be another excuse
		const total = 30
		for i := range uint32(total) {
			frame := append(zmtp.AppendMessageHeader(nil, 14, false), numbered(i, 10)...)
			if _, err := raw.Write(frame); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Hour)
		for i := range total {
			m, err := us.Recv(t.Context())
			if err != nil || relNumber(m.Bytes()) != i {
				t.Fatalf("message %d: got %v, %v", i, m, err)
			}
			m.Release()
		}
		if got := us.Stats().Disconnects; got != 0 {
			t.Errorf("while there was no room: got %d disconnects, want 0", got)
		}
		time.Sleep(relWithin)
		synctest.Wait()
		if got := us.Stats().Disconnects; got != 1 {
			t.Errorf("once there was room: got %d disconnects, want 1", got)
		}
	})
}
