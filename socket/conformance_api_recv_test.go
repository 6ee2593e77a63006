package socket_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// The contracts of the public API that no RFC has: receiving and events.

// TestEventsRegisterAtTheCall: what happens between the call of Events and the
// first iteration is not lost.
func TestEventsRegisterAtTheCall(t *testing.T) {
	confEach(t, func(e *confEnv) {
		a, b := e.New(pattern.Pair, nil), e.New(pattern.Pair, nil)
		events := a.Events(e.ctx)
		at := e.Join(a, b)
		if err := a.Unbind(at); err != nil {
			e.Fatal(err)
		}
		e.Until("the connection is closed", func() bool { return len(a.Peers()) == 0 })
		if err := a.Close(); err != nil {
			e.Fatal(err)
		}
		var got []socket.EventKind
		for ev := range events {
			if ev.Time.IsZero() || ev.Kind == socket.Listening && ev.Endpoint != at {
				e.Errorf("event %+v, want a time and the endpoint %s", ev, at)
			}
			got = append(got, ev.Kind)
		}
		want := []socket.EventKind{socket.Listening, socket.Ready, socket.Unbound, socket.Disconnected, socket.Closed}
		if i := slices.Index(got, socket.Disconnected); i > 0 && i+1 < len(got) && got[i+1] == socket.Unbound {
			got[i], got[i+1] = got[i+1], got[i] // either may come first
		}
		if e.scheme != "inproc" {
			want = slices.Insert(want, 1, socket.Accepted)
		}
		if !slices.Equal(got, want) {
			e.Errorf("events %v, want %v", got, want)
		}
		for ev := range a.Events(e.ctx) {
			e.Errorf("event %v on a closed socket, want none", ev.Kind)
		}
	})
}

// TestEventsEnd: the sequence ends with its context, and a listener that does
// not look loses the newest, counted.
func TestEventsEnd(t *testing.T) {
	confOn(t, "inproc", func(e *confEnv) {
		s := e.New(pattern.Pair, nil)
		ctx, cancel := context.WithCancel(e.ctx)
		ended := s.Events(ctx)
		cancel()
		for ev := range ended {
			e.Errorf("event %v after the context ended, want none", ev.Kind)
		}
		const n = 300
		events := s.Events(e.ctx)
		for i := range n {
			e.BindTo(s, fmt.Sprint("inproc://", i))
		}
		seen, lost := 0, 0
		for ev := range events {
			seen++
			lost += ev.Lost
			if seen == 256 {
				e.BindTo(s, "inproc://one more")
			}
			if ev.Endpoint == "inproc://one more" {
				break
			}
		}
		if seen != 257 || lost != n-256 {
			e.Errorf("%d events seen, %d lost, want 257 and %d", seen, lost, n-256)
		}
	})
}

// TestRecvInto: each call replaces the content; an error leaves the message
// empty; Release makes it usable again.
func TestRecvInto(t *testing.T) {
	confEach(t, func(e *confEnv) {
		push, pull := e.New(pattern.Push, nil), e.New(pattern.Pull, nil)
		e.Join(pull, push)
		var m ringwire.Message
		for i := range 20 {
			body := confBig[:i*2000]
			e.Send(push, body, "x")
			e.Send(push, body)
			if err := pull.RecvInto(e.ctx, &m); err != nil {
				e.Fatal(err)
			}
			if m.Len() != 2 || string(m.Frame(0)) != body || string(m.Frame(1)) != "x" {
				e.Fatalf("message %d has %d frames, want the body of %d bytes and x", i, m.Len(), len(body))
			}
			if err := pull.RecvInto(e.ctx, &m); err != nil {
				e.Fatal(err)
			}
			if m.Len() != 1 || string(m.Bytes()) != body {
				e.Fatalf("message %d has %d frames, want the body of %d bytes alone", i, m.Len(), len(body))
			}
			if i%3 == 0 {
				m.Release()
			}
		}
		if err := pull.RecvInto(confDone, &m); !errors.Is(err, context.Canceled) || m.Len() != 0 {
			e.Errorf("RecvInto = %v with %d frames, want Canceled and none", err, m.Len())
		}
		if err := pull.RecvInto(e.ctx, nil); err == nil {
			e.Error("RecvInto(nil) = nil, want an error")
		}
	})
}

// TestRecvBatch: it waits for one message, then takes what is there.
func TestRecvBatch(t *testing.T) {
	confEach(t, func(e *confEnv) {
		push, pull := e.New(pattern.Push, nil), e.New(pattern.Pull, nil)
		e.Join(pull, push)
		for i := range 5 {
			e.Send(push, fmt.Sprint(i))
		}
		e.Until("all have arrived", func() bool { return pull.Stats().RecvQueued == 5 })
		own := new(ringwire.Message)
		batch := []*ringwire.Message{nil, own, nil}
		if n, err := pull.RecvBatch(e.ctx, batch); n != 3 || err != nil {
			e.Fatalf("RecvBatch = %d, %v, want 3", n, err)
		}
		if batch[1] != own {
			e.Error("RecvBatch replaced a message of the caller's, want it filled")
		}
		more := make([]*ringwire.Message, 10)
		n, err := pull.RecvBatch(e.ctx, more)
		if n != 2 || err != nil || more[2] != nil {
			e.Fatalf("RecvBatch = %d, %v, want the 2 that are there", n, err)
		}
		for i, m := range append(batch, more[:n]...) {
			if got := string(m.Bytes()); got != fmt.Sprint(i) {
				e.Errorf("message %d is %q", i, got)
			}
		}
		if n, err := pull.RecvBatch(confDone, more); n != 0 || !errors.Is(err, context.Canceled) {
			e.Errorf("RecvBatch with nothing there = %d, %v, want 0, Canceled", n, err)
		}
		if n, err := pull.RecvBatch(e.ctx, nil); n != 0 || err != nil {
			e.Errorf("RecvBatch of nothing = %d, %v, want 0, nil", n, err)
		}
	})
}

// TestMessages: the caller owns each message; the sequence ends with the
// context's error once, or with nothing after Close.
func TestMessages(t *testing.T) {
	confEach(t, func(e *confEnv) {
		push, pull := e.New(pattern.Push, nil), e.New(pattern.Pull, nil)
		e.Join(pull, push)
		for i := range 6 {
			e.Send(push, fmt.Sprint(i))
		}
		ctx, cancel := context.WithCancel(e.ctx)
		var kept []*ringwire.Message
		var errs []error
		for m, err := range pull.Messages(ctx) {
			if err != nil {
				errs = append(errs, err)
				continue
			}
			if kept = append(kept, m); len(kept) == 4 {
				cancel()
			}
		}
		cancel()
		for i, m := range kept {
			if got := string(m.Bytes()); got != fmt.Sprint(i) {
				e.Errorf("message %d is %q after later ones were received", i, got)
			}
		}
		if len(errs) != 1 || !errors.Is(errs[0], context.Canceled) {
			e.Errorf("errors %v, want Canceled once", errs)
		}
		if len(kept) != 4 {
			e.Errorf("%d messages, want none after its context was done with the fourth", len(kept))
		}
		e.Want(pull, "4")
		e.Want(pull, "5")
		ended := make(chan error, 1)
		go func() {
			for _, err := range pull.Messages(e.ctx) {
				ended <- err
				return
			}
			ended <- nil
		}()
		if err := pull.Close(); err != nil {
			e.Fatal(err)
		}
		if err := <-ended; err != nil {
			e.Errorf("Messages ended with %v after Close, want nothing", err)
		}
	})
}

// TestFramesAreClipped: appending to a frame never writes into the next one,
// nor into what another subscriber sees; Bytes is the only frame, or a copy of
// all.
func TestFramesAreClipped(t *testing.T) {
	confEach(t, func(e *confEnv) {
		pub := e.New(pattern.Pub, nil)
		at := e.Bind(pub)
		var subs []*socket.Socket
		for range 2 {
			s := e.New(pattern.Sub, nil)
			e.Subscribe(s, "")
			e.Connect(s, at)
			subs = append(subs, s)
		}
		e.WaitSubscribers(pub, "", 2)
		for _, size := range []int{1, 100, 5000, 40000} {
			body := confBig[:size]
			e.Send(pub, body, "b", body)
			for _, s := range subs {
				m, err := s.Recv(e.ctx)
				if err != nil {
					e.Fatal(err)
				}
				all := m.Bytes()
				if string(all) != body+"b"+body {
					e.Errorf("Bytes has %d bytes, want all frames", len(all))
				}
				clear(all) // a copy: the message does not change
				for i := range m.Len() {
					f := m.Frame(i)
					if cap(f) != len(f) {
						e.Errorf("frame %d of %d bytes has capacity %d, want it clipped", i, len(f), cap(f))
					}
					_ = append(f, "overwritten?"...)
				}
				if got := confText(m); !slices.Equal(got, []string{body, "b", body}) {
					e.Errorf("frames changed by appending to others, size %d", size)
				}
			}
		}
		e.Send(pub, "alone")
		m, err := subs[0].Recv(e.ctx)
		if err != nil {
			e.Fatal(err)
		}
		if b := m.Bytes(); &b[0] != &m.Frame(0)[0] || cap(b) != len(b) {
			e.Error("Bytes of a single frame is not that frame, clipped")
		}
	})
}

// TestWaitSubscribers: it counts peers that would receive the topic, however
// many of their subscriptions match.
func TestWaitSubscribers(t *testing.T) {
	confEach(t, func(e *confEnv) {
		pub := e.New(pattern.Pub, nil)
		at := e.Bind(pub)
		for _, topics := range [][]string{{"a", "ab", "abc"}, {"ab"}, {"abcd"}, {"x"}} {
			s := e.New(pattern.Sub, nil)
			e.Subscribe(s, topics...)
			e.Connect(s, at)
		}
		e.Until("all subscriptions are here", func() bool {
			n := 0
			for _, p := range pub.Peers() {
				n += p.Subscriptions
			}
			return n == 6
		})
		for topic, want := range map[string]int{"abc": 2, "abcd": 3, "a": 1, "x": 1, "xy": 1, "": 0, "y": 0} {
			if !confHasSubscribers(e, pub, topic, want) || confHasSubscribers(e, pub, topic, want+1) {
				e.Errorf("WaitSubscribers(%q): want exactly %d", topic, want)
			}
		}
		if err := e.New(pattern.Push, nil).WaitSubscribers(e.ctx, "", 1); !errors.Is(err, errors.ErrUnsupported) {
			e.Errorf("WaitSubscribers on a PUSH = %v, want ErrUnsupported", err)
		}
	})
}

// TestErrorsOfCalls: errors come as *OpError; closed is also net.ErrClosed; no
// frames, a nil message and a nil context are errors.
func TestErrorsOfCalls(t *testing.T) {
	confOn(t, "inproc", func(e *confEnv) {
		s := e.New(pattern.Pair, nil)
		e.Bind(s)
		var none context.Context
		_, errRecv := s.Recv(none)
		_, errDo := e.New(pattern.Req, nil).Do(none, nil)
		_, errProbe := socket.Probe(none, "tcp://127.0.0.1:1", nil)
		for name, err := range map[string]error{
			"Send without frames": s.Send(e.ctx), "TrySend without frames": s.TrySend(),
			"SendMessage(nil)": s.SendMessage(e.ctx, nil), "SendMessage without frames": s.SendMessage(e.ctx, new(ringwire.Message)),
			"Send without context": s.Send(none, nil), "Recv without context": errRecv, "Do without context": errDo,
			"Flush without context": s.Flush(none), "WaitPeers without context": s.WaitPeers(none, 1),
			"Shutdown without context": s.Shutdown(none), "Confirm without context": s.Confirm(none), "Probe without context": errProbe,
		} {
			var op *ringwire.OpError
			if !errors.As(err, &op) || op.Op == "" {
				e.Errorf("%s = %v, want an *OpError", name, err)
			}
		}
		for name, err := range map[string]error{
			"Subscribe": s.Subscribe("x"), "Unsubscribe": s.Unsubscribe("x"),
			"SendTo":        s.SendTo(e.ctx, ringwire.Peer{}, ringwire.NewMessage(nil)),
			"SubscribePeer": s.SubscribePeer(ringwire.Peer{}, "x"), "UnsubscribePeer": s.UnsubscribePeer(ringwire.Peer{}, "x"),
		} {
			if !errors.Is(err, errors.ErrUnsupported) {
				e.Errorf("%s on a PAIR = %v, want ErrUnsupported", name, err)
			}
		}
		if err := e.New(pattern.XPub, nil).SubscribePeer(ringwire.Peer{}, "x"); !errors.Is(err, ringwire.ErrState) {
			e.Errorf("SubscribePeer without XPubManual = %v, want ErrState", err)
		}
	})
}
