package main

import (
	"context"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// TestStalledSubscriber: one of two subscribers stops reading. It shows within two
// seconds under its name, with all that is queued and dropped for it, and what was
// dropped is exactly what it finds missing when it reads again.
func TestStalledSubscriber(t *testing.T) {
	for _, policy := range []string{"drop-newest", "drop-oldest"} {
		t.Run(policy, func(t *testing.T) { testStalled(t, policy) })
	}
}

func testStalled(t *testing.T, policy string) {
	const messages = 2000
	p := start(t, "--send-hwm", "100", "--send-buffer", "16KiB", "--on-full", policy)
	pub := newSocket(t, pattern.Pub, &socket.Options{OnFull: socket.FullBlock}, p.frontend)
	reader := newSocket(t, pattern.Sub, &socket.Options{RecvHWM: messages, Metadata: map[string]string{"X-Name": "reader"}}, p.backend)
	late := newSocket(t, pattern.Sub, &socket.Options{RecvHWM: 10, RecvBuffer: 1, Metadata: map[string]string{"X-Name": "late"}}, p.backend)
	if err := pub.WaitSubscribers(patience(t), "x", 1); err != nil {
		t.Fatal(err)
	}
	eventually(t, "both subscribers are there", func() bool {
		a, okA := p.peer(`"reader"`)
		b, okB := p.peer(`"late"`)
		return okA && okB && a.Subscriptions == 1 && b.Subscriptions == 1
	})

	// One at a time, so that whoever reads misses nothing: the reader has it before
	// the next one goes.
	body := make([]byte, 4096)
	begun := make(chan time.Time, 1)
	sent := make(chan error, 1)
	go func() {
		for i := range messages {
			binary.BigEndian.PutUint64(body, uint64(i))
			if err := pub.Send(t.Context(), body); err != nil {
				sent <- err
				return
			}
			m, err := reader.Recv(t.Context())
			if err != nil {
				sent <- err
				return
			}
			got := int(binary.BigEndian.Uint64(m.Bytes()))
			m.Release()
			if got != i {
				sent <- errors.New("the subscriber that reads has missed something")
				return
			}
			if i == messages/2 { // far beyond what the buffers hold: it is stalled now
				begun <- time.Now()
			}
		}
		sent <- nil
	}()
	since := <-begun
	eventually(t, "the stalled subscriber shows", func() bool {
		v, ok := p.peer(`"late"`)
		return ok && v.State == stalled && v.Send.Queued > 0 && v.Send.Dropped["total"] > 0
	})
	if took := time.Since(since); took > 2*time.Second {
		t.Errorf("the stalled subscriber shows after %v, want at most 2s", took)
	}
	if v, _ := p.peer(`"late"`); v.Send.Queued > 100 {
		t.Errorf("%d messages are queued, send-hwm is 100", v.Send.Queued)
	}
	if v, ok := p.peer(`"reader"`); !ok || v.State == stalled || v.Send.Dropped["total"] != 0 {
		t.Errorf("the subscriber that reads is %+v", v)
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}

	// Now it reads all that is left for it. What follows shows that no more comes.
	received := make(chan int, 1)
	go func() {
		n := 0
		defer func() { received <- n }()
		for last := -1; ; n++ {
			m, err := late.Recv(t.Context())
			if err != nil {
				return
			}
			number := int(binary.BigEndian.Uint64(m.Bytes()))
			m.Release()
			if number == messages {
				return
			}
			if number <= last {
				t.Errorf("message %d after %d", number, last)
			}
			last = number
		}
	}()
	eventually(t, "its queue is empty", func() bool { v, _ := p.peer(`"late"`); return v.Send.Queued == 0 })
	binary.BigEndian.PutUint64(body, messages)
	send(t, pub, string(body))
	var n int
	select {
	case n = <-received:
	case <-time.After(guardTime):
		t.Fatal("the end did not come")
	}
	var v peerView
	eventually(t, "its counters are settled", func() bool {
		v, _ = p.peer(`"late"`)
		return v.Send.Accepted == messages+1
	})
	if dropped := v.Send.Dropped["total"]; dropped != int64(messages-n) || dropped == 0 || v.Send.Dropped["hwm"] != dropped {
		t.Errorf("it received %d of %d messages, dropped were %v", n, messages, v.Send.Dropped)
	}
	if s := p.stats(); s.Backend.Send.Dropped["hwm"] != int64(messages-n) {
		t.Errorf("the backend's drops are %v, the subscriber missed %d", s.Backend.Send.Dropped, messages-n)
	}
}

// TestBlock: with the policy block nothing is dropped, and the publisher waits.
func TestBlock(t *testing.T) {
	p := start(t, "--send-hwm", "10", "--recv-hwm", "10", "--send-buffer", "16KiB", "--on-full", "block")
	pub := newSocket(t, pattern.Pub, &socket.Options{OnFull: socket.FullBlock, SendHWM: 10, SendBuffer: 16 << 10}, p.frontend)
	sub := newSocket(t, pattern.Sub, &socket.Options{RecvHWM: 10, RecvBuffer: 1}, p.backend)
	if err := pub.WaitSubscribers(patience(t), "", 1); err != nil {
		t.Fatal(err)
	}
	sent := 0
	for ctx, cancel := context.WithCancel(patience(t)); ; sent++ {
		short, stop := context.WithTimeout(ctx, 300*time.Millisecond)
		err := pub.Send(short, make([]byte, 32<<10))
		stop()
		if err != nil {
			cancel()
			break
		}
	}
	for i := range sent {
		m, err := sub.Recv(patience(t))
		if err != nil {
			t.Fatalf("message %d of %d: %v", i, sent, err)
		}
		m.Release()
	}
	if s := p.stats(); s.Backend.Send.Dropped["total"] != 0 {
		t.Errorf("dropped %v", s.Backend.Send.Dropped)
	}
}
