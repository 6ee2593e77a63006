package session_test

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwire/ringwire/internal/zmtp"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// TestREL04DropsAreExact: a publisher counts each message that a subscriber missed,
// no more and no less, and another subscriber misses none.
func TestREL04DropsAreExact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const total = 2000
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		n := newMemNet()
		pub := open(t, n, pattern.Pub, socket.Options{SendHWM: 10, NoLinger: true})
		relBind(t, pub, "mem://x")
		fast, slow := open(t, n, pattern.Sub, socket.Options{}), open(t, n, pattern.Sub, socket.Options{RecvHWM: 10})
		for i, s := range []*socket.Socket{fast, slow} {
			if err := s.Subscribe(""); err != nil {
				t.Fatal(err)
			}
			relConnect(t, s, "mem://x")
			if err := pub.WaitSubscribers(ctx, "", i+1); err != nil {
				t.Fatal(err)
			}
		}
		for i := range uint32(total) {
			if err := pub.Send(ctx, numbered(i, 100)); err != nil {
				t.Fatal(err)
			}
			m, err := fast.Recv(ctx)
			if err != nil || relNumber(m.Bytes()) != int(i) {
				t.Fatalf("the fast subscriber's message %d: %v, %v", i, m, err)
			}
			m.Release()
		}
		ledger, got := make(relLedger), int64(0)
		for {
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			m, err := slow.Recv(ctx)
			cancel()
			if err != nil {
				break
			}
			ledger.take(t, m.Bytes())
			m.Release()
			got++
		}
		st := pub.Stats()
		if st.SendDropped.HWM != total-got || st.SendDropped.Total() != total-got || got == total || st.SlowPeers == 0 {
			t.Errorf("got %d of %d, %+v dropped, %d slow: want exactly the others", got, total, st.SendDropped, st.SlowPeers)
		}
	})
}

// TestREL14Oversize: a message over the receiver's limit ends that connection, with
// its reason on both sides' record, and is not sent again and again; what comes after
// it arrives, and other peers notice nothing.
func TestREL14Oversize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		n := newMemNet()
		pull := open(t, n, pattern.Pull, socket.Options{MaxMessageSize: 1000, MaxFrames: 3})
		events := relWatch(pull)
		relBind(t, pull, "mem://x")
		bystander := relRaw(t, n, "x", "PUSH", "")
		go io.Copy(io.Discard, bystander)
		push := open(t, n, pattern.Push, socket.Options{})
		relConnect(t, push, "mem://x")
		for i, frames := range [][][]byte{{make([]byte, 1001)}, {nil, nil, nil, nil}, {make([]byte, 500), make([]byte, 501)}} {
			if err := push.WaitPeers(ctx, 1); err != nil {
				t.Fatal(err)
			}
			if err := push.Send(ctx, frames...); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			list := events.of(socket.Disconnected)
			if len(list) != i+1 || list[i].Reason() != "oversize" || list[i].Next != socket.NextAccept {
				t.Fatalf("message %d: got %v, want one more disconnect for oversize", i, list)
			}
			if err := push.Send(ctx, numbered(uint32(i), 996)); err != nil {
				t.Fatal(err)
			}
			m, err := pull.Recv(ctx)
			if err != nil || relNumber(m.Bytes()) != i {
				t.Fatalf("the message behind it: %v, %v", m, err)
			}
			m.Release()
		}
		if _, err := bystander.Write(append(zmtp.AppendMessageHeader(nil, 3, false), "abc"...)); err != nil {
			t.Fatal(err)
		}
		m, err := pull.Recv(ctx)
		if err != nil || string(m.Bytes()) != "abc" {
			t.Fatalf("the bystander's message: %v, %v", m, err)
		}
		m.Release()
		if st := pull.Stats(); st.RecvDropped.Oversize != 3 || push.Stats().InDoubt != 5 { // what followed one went with the next
			t.Errorf("%d counted as oversize, %d in doubt, want 3, 5", st.RecvDropped.Oversize, push.Stats().InDoubt)
		}
	})
}
