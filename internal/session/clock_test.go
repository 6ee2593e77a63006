package session_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/transport"
)

// TestReconnectBackOff: attempts to connect become rarer up to the bound, are
// never further apart than it, and succeed once somebody listens.
func TestReconnectBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newMemNet()
		push := open(t, n, pattern.Push, socket.Options{ReconnectMin: 100 * time.Millisecond, ReconnectMax: 5 * time.Second})
		if err := push.Connect("mem://x"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		list := n.attempts()
		bound := 100 * time.Millisecond
		for i := 1; i < len(list); i++ {
			if gap := list[i].Sub(list[i-1]); gap <= 0 || gap > bound {
				t.Errorf("attempt %d came %v after the one before, want more than 0, at most %v", i, gap, bound)
			}
			bound = min(2*bound, 5*time.Second)
		}
		// On average half of 5 s: 240, give or take.
		if len(list) < 150 || len(list) > 400 {
			t.Errorf("%d attempts in 10 minutes, want about 240", len(list))
		}
		pull := open(t, n, pattern.Pull, socket.Options{})
		if _, err := pull.Bind("mem://x"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 6*time.Second)
		defer cancel()
		if err := push.WaitPeers(ctx, 1); err != nil {
			t.Error(err)
		}
	})
}

// TestHandshakeTimeout: a peer that says nothing is dropped at the deadline,
// on both sides, and one that dribbles is, too.
func TestHandshakeTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newMemNet()
		pull := open(t, n, pattern.Pull, socket.Options{HandshakeTimeout: 3 * time.Second})
		if _, err := pull.Bind("mem://x"); err != nil {
			t.Fatal(err)
		}
		silent, err := n.Dial(t.Context(), "x", nil)
		if err != nil {
			t.Fatal(err)
		}
		dribbling, err := n.Dial(t.Context(), "x", nil)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			greeting := append([]byte{0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 1, 'N', 'U', 'L', 'L'}, make([]byte, 48)...)
			for _, b := range greeting {
				if _, err := dribbling.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}()
		time.Sleep(3*time.Second - time.Millisecond)
		synctest.Wait()
		if st := pull.Stats(); st.HandshakesFailed != 0 {
			t.Errorf("before the deadline: got %d failed handshakes, want 0", st.HandshakesFailed)
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		if st := pull.Stats(); st.HandshakesFailed != 2 || st.HandshakeTimeouts != 2 {
			t.Errorf("after it: got %d failed, %d timeouts, want 2, 2", st.HandshakesFailed, st.HandshakeTimeouts)
		}
		silent.Close()
		dribbling.Close()
		time.Sleep(2 * time.Second)
	})
}

// TestHeartbeatTimeout: a peer that has gone silent is given up within
// interval and timeout, one that answers is not.
func TestHeartbeatTimeout(t *testing.T) {
	for _, timeout := range []time.Duration{500 * time.Millisecond, time.Second} {
		synctest.Test(t, func(t *testing.T) {
			n := newMemNet()
			silent := make(chan struct{})
			mute := make(chan struct{})
			n.hook = func(c *memConn, write bool) error {
				select {
				case <-mute:
					if write && !c.dialed {
						<-silent // the accepted side writes no more
					}
				default:
				}
				return nil
			}
			dealer := open(t, n, pattern.Dealer, socket.Options{HeartbeatInterval: time.Second, HeartbeatTimeout: timeout, ReconnectMin: -1})
			peer := open(t, n, pattern.Dealer, socket.Options{})
			join(t.Context(), t, peer, dealer)
			time.Sleep(time.Hour)
			synctest.Wait()
			if got := dealer.Stats().Disconnects; got != 0 {
				t.Fatalf("timeout %v: an idle peer that answers: got %d disconnects in an hour, want 0", timeout, got)
			}
			close(mute)
			time.Sleep(time.Second + timeout + timeout + time.Millisecond)
			synctest.Wait()
			if got := dealer.Stats().Disconnects; got != 1 {
				t.Errorf("timeout %v: a silent peer: got %d disconnects, want 1", timeout, got)
			}
			close(silent)
		})
	}
}

// TestLinger: Close gives a peer that does not read so long, and says what it
// threw away.
func TestLinger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newMemNet()
		push := open(t, n, pattern.Push, socket.Options{Linger: 7 * time.Second})
		if _, err := push.Bind("mem://x"); err != nil {
			t.Fatal(err)
		}
		pull, err := socket.New(pattern.Pull, &socket.Options{RecvHWM: 1, Transports: []transport.Transport{n}})
		if err != nil {
			t.Fatal(err)
		}
		defer pull.Close()
		if err := pull.Connect("mem://x"); err != nil {
			t.Fatal(err)
		}
		if err := push.WaitPeers(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		const total = 200
		for range total {
			if err := push.Send(t.Context(), make([]byte, 1000)); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		queued := push.Stats().SendQueued
		began := time.Now()
		err = push.Close()
		took := time.Since(began)
		var unsent *ringwire.UnsentError
		// Of what was queued a few were partly written: those are in doubt.
		if st := push.Stats(); !errors.As(err, &unsent) || unsent.Messages != st.SendDropped.Closed || unsent.Messages+st.Written != total || unsent.Messages > queued || st.Written > 20 {
			t.Errorf("Close: got %v, want an UnsentError of the %d of %d queued that were not written; %+v", err, st.SendDropped.Closed, queued, st.Counters)
		}
		if took < 7*time.Second || took > 8*time.Second {
			t.Errorf("Close took %v, want 7s", took)
		}
		balance(t, "push", push)
		if st := push.Stats(); st.SendQueued != 0 || st.Accepted != total {
			t.Errorf("after Close: got %+v, want nothing queued, %d accepted", st.Counters, total)
		}
	})
}
