package socket_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// libzmq's tests of publish-subscribe.

// TestMockPubSub is libzmq's test_mock_pub_sub: a peer made by hand that
// subscribes with commands, as ZMTP 3.1 has it, or with messages, as 3.0 has
// it; either form is taken on either version.
func TestMockPubSub(t *testing.T) {
	for _, minor := range []byte{0, 1} {
		for _, commands := range []bool{false, true} {
			t.Run(fmt.Sprintf("publisher/3.%d,commands=%v", minor, commands), func(t *testing.T) {
				confOn(t, "tcp", func(e *confEnv) { confMockSub(e, minor, commands) })
			})
		}
		t.Run(fmt.Sprintf("subscriber/3.%d", minor), func(t *testing.T) {
			confOn(t, "tcp", func(e *confEnv) { confMockPub(e, minor) })
		})
	}
}

// confMockSub is the subscriber by hand.
func confMockSub(e *confEnv, minor byte, commands bool) {
	for _, spec := range []*pattern.Spec{pattern.XPub, pattern.Pub} {
		pub := e.New(spec, nil)
		raw := confDial(e.T, e.Bind(pub))
		if got := raw.handshake(minor, "Socket-Type", "SUB")["Socket-Type"]; got != spec.Name() {
			e.Errorf("Socket-Type %q, want %s", got, spec)
		}
		tell := func(topic string, subscribe bool) {
			switch {
			case commands && subscribe:
				raw.command("SUBSCRIBE", topic)
			case commands:
				raw.command("CANCEL", topic)
			case subscribe:
				raw.message("\x01" + topic)
			default:
				raw.message("\x00" + topic)
			}
		}
		tell("A", true)
		e.WaitSubscribers(pub, "A", 1)
		if spec == pattern.XPub {
			e.Want(pub, "\x01A")
		}
		e.Send(pub, "ALOL")
		raw.wantMessage("ALOL")
		tell("A", false)
		e.WaitUnsubscribed(pub, "A", 0)
		if spec == pattern.XPub {
			e.Want(pub, "\x00A")
		}
		e.Send(pub, "ALOL")
		tell("B", true)
		e.WaitSubscribers(pub, "B", 1)
		e.Send(pub, "B", "two")
		raw.wantMessage("B", "two")
		if spec == pattern.XPub {
			e.Want(pub, "\x01B")
			raw.message("user", "message")
			e.Want(pub, "user", "message")
		}
		raw.close()
		if spec == pattern.XPub {
			e.Want(pub, "\x00B")
		}
	}
}

// confMockPub is the publisher by hand: the form of our subscriptions follows
// the version that it announced.
func confMockPub(e *confEnv, minor byte) {
	want := func(raw *confRaw, topic string, subscribe bool) {
		e.Helper()
		switch {
		case minor == 0 && subscribe:
			raw.wantMessage("\x01" + topic)
		case minor == 0:
			raw.wantMessage("\x00" + topic)
		case subscribe:
			raw.wantCommand("SUBSCRIBE", topic)
		default:
			raw.wantCommand("CANCEL", topic)
		}
	}
	for _, spec := range []*pattern.Spec{pattern.Sub, pattern.XSub} {
		l, at := confListen(e.T)
		sub := e.New(spec, nil)
		e.Subscribe(sub, "A")
		e.Connect(sub, at)
		raw := confAccept(e.T, l)
		if got := raw.handshake(minor, "Socket-Type", "PUB")["Socket-Type"]; got != spec.Name() {
			e.Errorf("Socket-Type %q, want %s", got, spec)
		}
		want(raw, "A", true)
		raw.message("ALOL", "")
		e.Want(sub, "ALOL", "")
		e.Subscribe(sub, "A") // told again: the publisher keeps a set
		want(raw, "A", true)
		for range 2 {
			if err := sub.Unsubscribe("A"); err != nil {
				e.Fatal(err)
			}
		}
		want(raw, "A", false) // once, when nobody wants it any more
		long := strings.Repeat("t", 300)
		e.Subscribe(sub, long)
		want(raw, long, true)
		if spec == pattern.Sub { // filtered on arrival, too
			raw.message("nobody asked")
			raw.message(long)
			e.Want(sub, long)
			if n := sub.Stats().RecvDropped.NoRoute; n != 1 {
				e.Errorf("%d messages dropped without a subscription, want 1", n)
			}
		}
	}
}

// TestXPubTopicLengths is libzmq's test_xpub_topic: topics around the length
// at which the command's frame gets a long header, and the longest.
func TestXPubTopicLengths(t *testing.T) {
	confEach(t, func(e *confEnv) {
		pub, sub := e.New(pattern.XPub, nil), e.New(pattern.Sub, nil)
		e.Join(pub, sub)
		for _, n := range []int{0, 1, 244, 245, 246, 247, 248, 249, 250, 254, 255, 256, 257, 1000, pattern.MaxTopic} {
			topic := strings.Repeat("t", n)
			e.Subscribe(sub, topic)
			e.Want(pub, "\x01"+topic)
			e.Send(pub, topic)
			e.Want(sub, topic)
			if err := sub.Unsubscribe(topic); err != nil {
				e.Fatal(err)
			}
			e.Want(pub, "\x00"+topic)
		}
		if err := sub.Subscribe(strings.Repeat("t", pattern.MaxTopic+1)); err == nil {
			e.Errorf("Subscribe to a topic of %d bytes = nil, want an error", pattern.MaxTopic+1)
		}
	})
}

// TestXPubVerbose is libzmq's test_xpub_verbose: which subscriptions and
// cancellations an XPUB hears of, with one and with two subscribers.
func TestXPubVerbose(t *testing.T) {
	for _, c := range []struct {
		name       string
		opts       socket.Options
		sub, unsub int // notices of two subscriptions to, and cancellations of, the same topic by two subscribers
		again      int // notices of a subscription that the same subscriber has already
	}{
		{"plain", socket.Options{}, 1, 1, 0},
		{"verbose", socket.Options{XPubVerbose: true}, 2, 1, 1},
		{"verboser", socket.Options{XPubVerboser: true}, 2, 2, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			confEach(t, func(e *confEnv) {
				pub := e.New(pattern.XPub, &c.opts)
				one, two := e.New(pattern.XSub, nil), e.New(pattern.XSub, nil)
				e.Join(pub, one, two)
				// A user's message behind each step shows that nothing more came.
				step := func(s *socket.Socket, message string, n int) {
					e.Helper()
					e.Send(s, message)
					e.Send(s, "end")
					for range n {
						e.Want(pub, message)
					}
					e.Want(pub, "end")
				}
				step(one, "\x01A", 1)
				step(one, "\x01A", c.again)
				step(two, "\x01A", c.sub-1)
				step(two, "\x01B", 1)
				step(one, "\x00A", 0) // it subscribed twice
				step(one, "\x00A", c.unsub-1)
				step(two, "\x00A", 1)
				e.Send(pub, "B")
				e.Want(two, "B")
				e.Close(two)
				e.Want(pub, "\x00B")
			})
		})
	}
}

// TestXPubManual is libzmq's test_xpub_manual: the application decides what a
// subscriber gets.
func TestXPubManual(t *testing.T) {
	confEach(t, func(e *confEnv) {
		pub := e.New(pattern.XPub, &socket.Options{XPubManual: true})
		sub := e.New(pattern.XSub, nil)
		e.Join(pub, sub)
		e.Subscribe(sub, "A")
		m, err := pub.Recv(e.ctx)
		if err != nil {
			e.Fatal(err)
		}
		who := m.Peer()
		if string(m.Bytes()) != "\x01A" {
			e.Fatalf("Recv = %q, want a subscription to A", m.Bytes())
		}
		if err := pub.SubscribePeer(who, "XA"); err != nil {
			e.Fatal(err)
		}
		e.Send(pub, "A")
		e.Send(pub, "XA")
		e.Want(sub, "XA")
		if err := sub.Unsubscribe("A"); err != nil {
			e.Fatal(err)
		}
		e.Want(pub, "\x00A")
		e.Send(pub, "XA") // cancelled there, but not here yet
		e.Want(sub, "XA")
		if err := pub.UnsubscribePeer(who, "XA"); err != nil {
			e.Fatal(err)
		}
		if err := pub.SubscribePeer(who, "B"); err != nil {
			e.Fatal(err)
		}
		e.Send(pub, "XA")
		e.Send(pub, "B")
		e.Want(sub, "B")
		e.Send(sub, "user", "message")
		e.Want(pub, "user", "message")
		e.Close(sub)
		e.Want(pub, "\x00B")
		if err := pub.SubscribePeer(who, "C"); err == nil {
			e.Error("SubscribePeer of a peer that is gone = nil, want an error")
		}
	})
}

// TestXPubWelcome is libzmq's test_xpub_welcome_msg: whoever subscribes to it
// is welcomed, on each connection.
func TestXPubWelcome(t *testing.T) {
	for _, spec := range []*pattern.Spec{pattern.XPub, pattern.Pub} {
		t.Run(spec.Name(), func(t *testing.T) {
			confEach(t, func(e *confEnv) {
				pub := e.New(spec, &socket.Options{WelcomeMessage: []byte("W")})
				at := e.Bind(pub)
				for range 2 {
					sub := e.New(pattern.Sub, nil)
					e.Subscribe(sub, "W")
					e.Connect(sub, at)
					e.Want(sub, "W")
				}
			})
		})
	}
}

// TestPubInvertMatching is libzmq's test_pub_invert_matching.
func TestPubInvertMatching(t *testing.T) {
	confEach(t, func(e *confEnv) {
		opts := &socket.Options{InvertMatching: true}
		pub := e.New(pattern.Pub, opts)
		sub1, sub2, plain := e.New(pattern.Sub, opts), e.New(pattern.Sub, opts), e.New(pattern.XSub, nil)
		e.Subscribe(sub1, "B")
		e.Subscribe(sub2, "C")
		at := e.Join(pub, sub1, sub2)
		e.Until("both subscriptions are here", func() bool {
			n := 0
			for _, p := range pub.Peers() {
				n += p.Subscriptions
			}
			return n == 2
		})
		e.Connect(plain, at)
		e.WaitPeers(pub, 3)
		e.Send(pub, "Bx")
		e.Send(pub, "Cx")
		e.Send(pub, "D")
		e.Want(sub1, "Cx")
		e.Want(sub1, "D")
		e.Want(sub2, "Bx")
		e.Want(sub2, "D")
		for _, m := range []string{"Bx", "Cx", "D"} { // no subscription: nothing to keep away
			e.Want(plain, m)
		}
	})
}

// TestSubForward is libzmq's test_sub_forward: an XPUB and an XSUB between SUB
// and PUB, forwarded by hand; a late subscriber and a cancellation go through.
func TestSubForward(t *testing.T) {
	confEach(t, func(e *confEnv) {
		xpub, xsub := e.New(pattern.XPub, nil), e.New(pattern.XSub, nil)
		pub, sub := e.New(pattern.Pub, nil), e.New(pattern.Sub, nil)
		e.Join(xsub, pub)
		down := e.Join(xpub, sub)
		pass := func(from, to *socket.Socket) {
			e.Helper()
			m, err := from.Recv(e.ctx)
			if err == nil {
				err = to.SendMessage(e.ctx, m)
			}
			if err != nil {
				e.Fatalf("%s to %s: %v", from.Type(), to.Type(), err)
			}
		}
		e.Subscribe(sub, "a")
		pass(xpub, xsub)
		e.WaitSubscribers(pub, "a", 1)
		e.Send(pub, "a", "1")
		pass(xsub, xpub)
		e.Want(sub, "a", "1")

		late := e.New(pattern.Sub, nil)
		e.Subscribe(late, "b")
		e.Connect(late, down)
		pass(xpub, xsub)
		e.WaitSubscribers(pub, "b", 1)
		e.Send(pub, "b", "2")
		pass(xsub, xpub)
		e.Want(late, "b", "2")

		if err := sub.Unsubscribe("a"); err != nil {
			e.Fatal(err)
		}
		pass(xpub, xsub)
		e.WaitUnsubscribed(pub, "a", 0)
		e.Close(late)
		pass(xpub, xsub)
		e.WaitUnsubscribed(pub, "b", 0)
	})
}

// TestUpstreamSubscriptionBytes: what an XSUB sends that starts with 0 or 1 is
// a subscription, whatever follows; anything else is a user's message.
func TestUpstreamSubscriptionBytes(t *testing.T) {
	confEach(t, func(e *confEnv) {
		pub, sub := e.New(pattern.XPub, nil), e.New(pattern.XSub, nil)
		e.Join(pub, sub)
		e.Send(sub, "")
		e.Want(pub, "")
		e.Send(sub, "\x02A")
		e.Want(pub, "\x02A")
		e.Send(sub, "\x01A")
		e.Want(pub, "\x01A")
		if err := sub.SendMessage(e.ctx, ringwire.NewMessage([]byte("\x00A"))); err != nil {
			e.Fatal(err)
		}
		e.Want(pub, "\x00A")
	})
}

// TestPublisherForgets: a publisher that connects and loses its connection
// forgets what was subscribed over it: whoever it reaches next subscribes anew.
func TestPublisherForgets(t *testing.T) {
	for _, spec := range []*pattern.Spec{pattern.Pub, pattern.XPub} {
		t.Run(spec.Name(), func(t *testing.T) {
			confEach(t, func(e *confEnv) {
				at := e.Reserve()
				pub, first, second := e.New(spec, nil), e.New(pattern.XSub, nil), e.New(pattern.XSub, nil)
				e.Subscribe(first, "a")
				e.Subscribe(second, "b")
				e.BindTo(first, at)
				e.Connect(pub, at)
				e.WaitSubscribers(pub, "a", 1)
				e.Close(first)
				e.Until("the connection is lost", func() bool { return pub.Stats().Peers == 0 })
				e.BindTo(second, at)
				e.WaitSubscribers(pub, "b", 1)
				e.Send(pub, "a")
				e.Send(pub, "b")
				e.Want(second, "b")
				if n := pub.Stats().Unmatched; n != 1 {
					e.Errorf("%d messages unmatched, want 1", n)
				}
			})
		})
	}
}
