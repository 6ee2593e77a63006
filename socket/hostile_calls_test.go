package socket_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// hostileCall is one method and the socket types that have it.
type hostileCall struct {
	name string
	on   []*pattern.Spec // nil: all
	call func(ctx context.Context, s *socket.Socket) error
}

func hostileCalls() []hostileCall {
	senders := []*pattern.Spec{pattern.Pair, pattern.Pub, pattern.XPub, pattern.XSub, pattern.Req, pattern.Rep, pattern.Dealer, pattern.Router, pattern.Push}
	receivers := []*pattern.Spec{pattern.Pair, pattern.Sub, pattern.XPub, pattern.XSub, pattern.Req, pattern.Rep, pattern.Dealer, pattern.Router, pattern.Pull}
	publishers := []*pattern.Spec{pattern.Pub, pattern.XPub}
	subscribers := []*pattern.Spec{pattern.Sub, pattern.XSub}
	message := func() *ringwire.Message { return ringwire.NewMessage([]byte("good"), []byte("x")) }
	frames := [][]byte{[]byte("good"), []byte("x")}
	nobody := ringwire.Peer{}
	return []hostileCall{
		{"Send", senders, func(ctx context.Context, s *socket.Socket) error { return s.Send(ctx, frames...) }},
		{"SendMessage", senders, func(ctx context.Context, s *socket.Socket) error { return s.SendMessage(ctx, message()) }},
		{"TrySend", senders, func(_ context.Context, s *socket.Socket) error { return s.TrySend(frames...) }},
		{"SendBatch", senders, func(ctx context.Context, s *socket.Socket) error {
			_, err := s.SendBatch(ctx, []*ringwire.Message{message()})
			return err
		}},
		{"Flush", senders, func(ctx context.Context, s *socket.Socket) error { return s.Flush(ctx) }},
		{"Recv", receivers, func(ctx context.Context, s *socket.Socket) error { _, err := s.Recv(ctx); return err }},
		{"RecvInto", receivers, func(ctx context.Context, s *socket.Socket) error { return s.RecvInto(ctx, new(ringwire.Message)) }},
		{"TryRecv", receivers, func(_ context.Context, s *socket.Socket) error { _, err := s.TryRecv(); return err }},
		{"RecvBatch", receivers, func(ctx context.Context, s *socket.Socket) error {
			_, err := s.RecvBatch(ctx, make([]*ringwire.Message, 1))
			return err
		}},
		{"Subscribe", subscribers, func(_ context.Context, s *socket.Socket) error { return s.Subscribe("topic") }},
		{"Unsubscribe", subscribers, func(_ context.Context, s *socket.Socket) error { return s.Unsubscribe("topic") }},
		{"WaitSubscribers", publishers, func(ctx context.Context, s *socket.Socket) error { return s.WaitSubscribers(ctx, "topic", 1) }},
		{"Do", []*pattern.Spec{pattern.Req}, func(ctx context.Context, s *socket.Socket) error { _, err := s.Do(ctx, frames...); return err }},
		{"SendTo", []*pattern.Spec{pattern.XPub, pattern.Router}, func(ctx context.Context, s *socket.Socket) error { return s.SendTo(ctx, nobody, message()) }},
		{"SubscribePeer", []*pattern.Spec{pattern.XPub}, func(_ context.Context, s *socket.Socket) error { return s.SubscribePeer(nobody, "topic") }},
		{"UnsubscribePeer", []*pattern.Spec{pattern.XPub}, func(_ context.Context, s *socket.Socket) error { return s.UnsubscribePeer(nobody, "topic") }},
		{"ConnectPeer", []*pattern.Spec{pattern.Router}, func(_ context.Context, s *socket.Socket) error {
			return s.ConnectPeer("tcp://127.0.0.1:1", []byte("peer"))
		}},
		{"WaitPeers", nil, func(ctx context.Context, s *socket.Socket) error { return s.WaitPeers(ctx, 2) }},
		{"Confirm", senders, func(ctx context.Context, s *socket.Socket) error { return s.Confirm(ctx) }},
		{"DisconnectPeer", nil, func(_ context.Context, s *socket.Socket) error { return s.DisconnectPeer(nobody) }},
		{"Bind", nil, func(_ context.Context, s *socket.Socket) error { _, err := s.Bind("tcp://127.0.0.1:0"); return err }},
		{"Bind ipc", nil, func(_ context.Context, s *socket.Socket) error { _, err := s.Bind("ipc://*"); return err }},
		{"Bind inproc", nil, func(_ context.Context, s *socket.Socket) error {
			_, err := s.Bind("inproc://badinput-closed")
			return err
		}},
		{"Connect", nil, func(_ context.Context, s *socket.Socket) error { return s.Connect("tcp://127.0.0.1:1") }},
		{"Connect inproc", nil, func(_ context.Context, s *socket.Socket) error { return s.Connect("inproc://badinput-closed") }},
		{"Unbind", nil, func(_ context.Context, s *socket.Socket) error { return s.Unbind("tcp://127.0.0.1:1") }},
		{"Disconnect", nil, func(_ context.Context, s *socket.Socket) error { return s.Disconnect("tcp://127.0.0.1:1") }},
	}
}

// hostilePeers gives each type another one to talk to.
var hostilePeers = map[*pattern.Spec]*pattern.Spec{
	pattern.Pair: pattern.Pair, pattern.Pub: pattern.Sub, pattern.XPub: pattern.Sub, pattern.Sub: pattern.Pub, pattern.XSub: pattern.Pub,
	pattern.Req: pattern.Rep, pattern.Rep: pattern.Req, pattern.Dealer: pattern.Router, pattern.Router: pattern.Dealer,
	pattern.Push: pattern.Pull, pattern.Pull: pattern.Push,
}

// A call that a socket type does not have is ErrUnsupported and names the
// type, for all types and methods.
func TestBadDirection(t *testing.T) {
	for _, spec := range hostileSpecs {
		t.Run(spec.Name(), func(t *testing.T) {
			h := hostileWhole(t, spec, hostilePeers[spec])
			for _, c := range hostileCalls() {
				if c.on == nil || slices.Contains(c.on, spec) {
					continue
				}
				h.refused(c.name, func() error { return c.call(t.Context(), h.s) }, errors.ErrUnsupported, spec.Name())
			}
		})
	}
}

// Every call on a closed socket is ErrClosed, which is net.ErrClosed, and
// opens nothing.
func TestBadClosed(t *testing.T) {
	for _, spec := range hostileSpecs {
		t.Run(spec.Name(), func(t *testing.T) {
			s := hostileSocket(t, spec, &socket.Options{XPubManual: spec == pattern.XPub})
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			use := hostileUse()
			for _, c := range hostileCalls() {
				if c.on != nil && !slices.Contains(c.on, spec) {
					continue
				}
				err := c.call(t.Context(), s)
				hostileRefused(t, c.name, err, ringwire.ErrClosed)
				if !errors.Is(err, net.ErrClosed) {
					t.Errorf("%s: got %v, want it to be net.ErrClosed too", c.name, err)
				}
			}
			for m, err := range s.Messages(t.Context()) {
				if spec.Receives() {
					t.Errorf("Messages: got %v, %v, want nothing", m, err)
				}
			}
			for ev := range s.Events(t.Context()) {
				t.Errorf("Events: got %v, want nothing", ev)
			}
			if err := s.Close(); err != nil {
				t.Errorf("a second Close: got %v, want nil", err)
			}
			if err := s.Shutdown(t.Context()); err != nil {
				t.Errorf("Shutdown: got %v, want nil", err)
			}
			if got := len(s.Peers()); got != 0 {
				t.Errorf("peers: got %d, want 0", got)
			}
			use.returns(t, 0)
		})
	}
}

// Messages that are none.
func TestBadMessages(t *testing.T) {
	for _, spec := range hostileSpecs {
		if !spec.Sends() {
			continue
		}
		t.Run(spec.Name(), func(t *testing.T) {
			h := hostileWhole(t, spec, hostilePeers[spec])
			ctx := t.Context()
			h.refused("Send()", func() error { return h.s.Send(ctx) }, nil, "no frames")
			h.refused("TrySend()", func() error { return h.s.TrySend() }, nil, "no frames")
			h.refused("SendMessage(empty)", func() error { return h.s.SendMessage(ctx, ringwire.NewMessage()) }, nil, "no frames")
			h.refused("SendMessage(zero)", func() error { return h.s.SendMessage(ctx, new(ringwire.Message)) }, nil, "no frames")
			h.refused("SendMessage(nil)", func() error { return h.s.SendMessage(ctx, nil) }, nil, "nil")
			h.refused("SendBatch(nil message)", func() error { _, err := h.s.SendBatch(ctx, []*ringwire.Message{nil}); return err }, nil, "nil")
			if spec.Receives() {
				h.refused("RecvInto(nil)", func() error { return h.s.RecvInto(ctx, nil) }, nil, "nil")
			}
		})
	}
}

// REQ and REP out of turn, and what comes out of it.
func TestBadTurns(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), hostileGuard)
	defer cancel()
	req := hostileWhole(t, pattern.Req, pattern.Rep)
	rep := hostileWhole(t, pattern.Rep, pattern.Req)
	for _, c := range hostileCalls() {
		switch c.name {
		case "Recv", "RecvInto", "TryRecv", "RecvBatch":
			req.refused("REQ "+c.name+" first", func() error { return c.call(ctx, req.s) }, ringwire.ErrState)
		case "Send", "SendMessage", "TrySend", "SendBatch":
			rep.refused("REP "+c.name+" first", func() error { return c.call(ctx, rep.s) }, ringwire.ErrState)
		}
	}
	if err := req.s.Send(ctx, []byte("one")); err != nil {
		t.Fatal(err)
	}
	for _, c := range hostileCalls() {
		switch c.name {
		case "Send", "SendMessage", "TrySend", "SendBatch", "Do":
			hostileRefused(t, "REQ "+c.name+" twice", c.call(ctx, req.s), ringwire.ErrState)
		}
	}
	m, err := req.peer.Recv(ctx)
	if err != nil || string(m.Bytes()) != "one" {
		t.Fatalf("request: got %v, %v, want one", m, err)
	}
	for _, c := range hostileCalls() {
		switch c.name {
		case "Recv", "RecvInto", "TryRecv", "RecvBatch":
			hostileRefused(t, "REP "+c.name+" twice", c.call(ctx, req.peer), ringwire.ErrState)
		}
	}
	if err := req.peer.SendMessage(ctx, m); err != nil {
		t.Fatal(err)
	}
	if m, err = req.s.Recv(ctx); err != nil || string(m.Bytes()) != "one" {
		t.Fatalf("reply: got %v, %v, want one", m, err)
	}
	if m, err := req.peer.TryRecv(); !errors.Is(err, ringwire.ErrAgain) {
		t.Errorf("a request that was refused: got %v, %v, want none", m, err)
	}
	req.works()
	rep.works()
}

// Names that are unknown, taken or too long.
func TestBadNames(t *testing.T) {
	ctx := t.Context()
	long := strings.Repeat("t", pattern.MaxTopic+1)
	for _, spec := range []*pattern.Spec{pattern.Sub, pattern.XSub} {
		h := hostileWhole(t, spec, pattern.Pub)
		if spec == pattern.XSub {
			h.refused("XSUB Send of a long subscription", func() error { return h.s.Send(ctx, []byte("\x01"+long)) }, ringwire.ErrTooLarge, "65537")
		}
		h.refused("Subscribe", func() error { return h.s.Subscribe(long) }, ringwire.ErrTooLarge, "65537")
		h.refused("Unsubscribe", func() error { return h.s.Unsubscribe(long) }, ringwire.ErrTooLarge, "65537")
		h.refused("Unsubscribe", func() error { return h.s.Unsubscribe("never") }, ringwire.ErrState, "never")
		h.refused("Unsubscribe of a long topic", func() error { return h.s.Unsubscribe(long[1:]) }, ringwire.ErrState)
	}
	x := hostileWhole(t, pattern.XPub, pattern.Sub)
	m := ringwire.NewMessage([]byte("x"))
	who := x.s.Peers()[0].Peer
	x.refused("SendTo(nobody)", func() error { return x.s.SendTo(ctx, ringwire.Peer{}, m) }, ringwire.ErrHostUnreachable, "none")
	x.refused("SendTo(nil)", func() error { return x.s.SendTo(ctx, who, nil) }, nil, "nil")
	x.refused("SendTo(empty)", func() error { return x.s.SendTo(ctx, who, ringwire.NewMessage()) }, nil, "no frames")
	x.refused("SubscribePeer without XPubManual", func() error { return x.s.SubscribePeer(who, "a") }, ringwire.ErrState, "XPubManual")
	x.refused("UnsubscribePeer without XPubManual", func() error { return x.s.UnsubscribePeer(who, "a") }, ringwire.ErrState, "XPubManual")
	x.refused("DisconnectPeer(nobody)", func() error { return x.s.DisconnectPeer(ringwire.Peer{}) }, ringwire.ErrHostUnreachable, "none")

	r := hostileWhole(t, pattern.Router, pattern.Dealer)
	for _, identity := range [][]byte{nil, {}, {0}, []byte("\x00abc"), bytes.Repeat([]byte("i"), 256), bytes.Repeat([]byte("i"), 1<<20)} {
		r.refused("ConnectPeer", func() error { return r.s.ConnectPeer("tcp://127.0.0.1:1", identity) }, nil, "identity", "tcp://127.0.0.1:1")
	}
	r.refused("ConnectPeer with a name in use", func() error { return r.s.ConnectPeer("tcp://127.0.0.1:1", []byte("good")) }, ringwire.ErrRejected, "good")
	r.refused("ConnectPeer to nowhere", func() error { return r.s.ConnectPeer("nowhere", []byte("new")) }, nil, "nowhere")
	r.refused("Send without a body", func() error { return r.s.Send(ctx, []byte("good")) }, nil, "identity")
	r.refused("Send to a stranger", func() error { return r.s.Send(ctx, []byte("stranger"), []byte("x")) }, ringwire.ErrHostUnreachable, "stranger")
	r.refused("Send to a huge name", func() error { return r.s.Send(ctx, make([]byte, 1<<20), []byte("x")) }, ringwire.ErrHostUnreachable)
	r.refused("SendTo(nobody)", func() error { return r.s.SendTo(ctx, ringwire.Peer{}, m) }, ringwire.ErrHostUnreachable, "none")
	if string(m.Bytes()) != "x" {
		t.Errorf("a message that was refused: got %q, want it unchanged", m.Bytes())
	}
}
