package socket_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// RFC 29, the publish-subscribe pattern: PUB and SUB, and what XPUB and XSUB
// have in common with them.

func TestConformancePub(t *testing.T) {
	confTable(t, append([]confClause{
		{"PUB SHALL only send messages", confCannotRecv(pattern.Pub)},
		{"PUB SHALL silently discard any messages that subscribers send it", func(e *confEnv) {
			p, x := e.New(pattern.Pub, nil), e.New(pattern.XSub, nil)
			e.Join(p, x)
			e.Send(x, "a user's message")
			e.Subscribe(x, "t")
			e.WaitSubscribers(p, "t", 1)
			st := p.Stats()
			if st.RecvDropped.NoRoute != 1 || st.RecvDropped.Total() != 1 || st.Arrived != 1 {
				e.Errorf("arrived %d, dropped %+v, want 1 of each, NoRoute", st.Arrived, st.RecvDropped)
			}
			e.Send(p, "topic")
			e.Want(x, "topic")
		}},
		{"PUB SHALL NOT deliver these commands to its calling application", func(e *confEnv) {
			p, s := e.New(pattern.Pub, nil), e.New(pattern.Sub, nil)
			e.Join(p, s)
			e.Subscribe(s, "a")
			e.WaitSubscribers(p, "a", 1)
			if st := p.Stats(); st.Arrived != 0 {
				e.Errorf("%d messages arrived, want 0: a subscription is none", st.Arrived)
			}
			confCannotRecv(pattern.Pub)(e)
		}},
	}, confPublisher(pattern.Pub)...))
}

// confPublisher are the clauses that PUB and XPUB share.
func confPublisher(pub *pattern.Spec) []confClause {
	named := func(name string, test func(e *confEnv)) confClause { return confClause{pub.Name() + " " + name, test} }
	return []confClause{
		named("MAY be connected to any number of SUB or XSUB subscribers", func(e *confEnv) {
			p := e.New(pub, nil)
			at := e.Bind(p)
			var subs []*socket.Socket
			for _, spec := range []*pattern.Spec{pattern.Sub, pattern.XSub, pattern.Sub, pattern.XSub} {
				s := e.New(spec, nil)
				e.Subscribe(s, "")
				e.Connect(s, at)
				subs = append(subs, s)
			}
			other := e.New(pattern.Sub, nil)
			e.Subscribe(other, "")
			e.Connect(p, e.Bind(other)) // and one that is bound
			e.WaitSubscribers(p, "", 5)
			e.Send(p, "to", "all")
			for _, s := range append(subs, other) {
				e.Want(s, "to", "all")
			}
			e.Accounts(p)
		}),
		named("SHALL create a queue when initiating a connection and maintain it", func(e *confEnv) {
			at := e.Reserve()
			p := e.New(pub, nil)
			e.Connect(p, at)
			for i := range 2 { // a second time after the loss of the first
				s := e.New(pattern.Sub, nil)
				e.Subscribe(s, "")
				e.BindTo(s, at)
				e.WaitSubscribers(p, "", 1)
				e.Send(p, fmt.Sprint(i))
				e.Want(s, fmt.Sprint(i))
				e.Close(s)
				e.Until("the subscriber is gone", func() bool { return p.Stats().Peers == 0 })
			}
		}),
		named("SHALL destroy the queue of a subscriber that disconnects", func(e *confEnv) {
			p := e.New(pub, &socket.Options{SendHWM: 10})
			s := e.New(pattern.Sub, &socket.Options{RecvHWM: 2})
			e.Subscribe(s, "")
			at := e.Join(p, s)
			e.WaitSubscribers(p, "", 1)
			confOverflow(e, p)
			e.Close(s)
			e.Until("the subscriber is gone", func() bool { return len(p.Peers()) == 0 })
			if st := p.Stats(); st.SendQueued != 0 {
				e.Errorf("%d messages queued for nobody, want 0", st.SendQueued)
			}
			e.Accounts(p)
			next := e.New(pattern.Sub, nil)
			e.Subscribe(next, "")
			e.Connect(next, at)
			e.WaitSubscribers(p, "", 1)
			e.Send(p, "new")
			e.Want(next, "new")
		}),
		named("SHOULD constrain queue sizes to a limit", confDropsWhenFull(pub)),
		named("SHALL not modify outgoing messages", func(e *confEnv) {
			p, s := e.New(pub, nil), e.New(pattern.Sub, nil)
			e.Subscribe(s, "")
			e.Join(p, s)
			e.WaitSubscribers(p, "", 1)
			for _, f := range confFrames {
				e.Send(p, f)
				e.Want(s, f)
			}
			e.Send(p, confFrames...)
			e.Want(s, confFrames...)
		}),
		named("SHALL perform a binary comparison of the subscription against the start of the first frame", confPrefixes(pub)),
		named("SHALL silently drop the message if the queue for a subscriber is full", confDropsWhenFull(pub)),
		named("SHALL NOT block on sending", func(e *confEnv) {
			p := e.New(pub, nil)
			for range 2000 { // nobody is there
				if err := p.TrySend([]byte("x")); err != nil {
					e.Fatalf("TrySend without a subscriber = %v, want nil", err)
				}
			}
			if n := p.Stats().Unmatched; n != 2000 {
				e.Errorf("Unmatched = %d, want 2000", n)
			}
		}),
		named("SHALL receive subscribe and unsubscribe requests", func(e *confEnv) {
			p, s := e.New(pub, nil), e.New(pattern.Sub, nil)
			e.Join(p, s)
			for range 3 {
				e.Subscribe(s, "a", "end")
				e.WaitSubscribers(p, "a", 1)
				e.WaitSubscribers(p, "end", 1)
				if err := s.Unsubscribe("a"); err != nil {
					e.Fatal(err)
				}
				e.Until("the cancellation is here", func() bool { return p.Peers()[0].Subscriptions == 1 })
				e.Send(p, "a")
				e.Send(p, "end")
				e.Want(s, "end")
			}
		}),
	}
}

// confOverflow publishes until a subscriber missed a message.
func confOverflow(e *confEnv, p *socket.Socket) (sent int64) {
	e.Helper()
	for p.Stats().SendDropped.HWM == 0 {
		if sent++; sent > 5000 {
			e.Fatal("no message was dropped for a subscriber that does not read, want some")
		}
		if err := p.TrySend([]byte(confBig)); err != nil {
			e.Fatalf("%s: TrySend = %v, want nil", p.Type(), err)
		}
	}
	return sent
}

// confDropsWhenFull: a subscriber that does not read misses messages, counted
// and told; what it gets is in order; the other one misses nothing.
func confDropsWhenFull(pub *pattern.Spec) func(e *confEnv) {
	return func(e *confEnv) {
		p := e.New(pub, &socket.Options{SendHWM: 4})
		next := e.Events(p)
		slow, fast := e.New(pattern.Sub, &socket.Options{RecvHWM: 2}), e.New(pattern.Sub, nil)
		e.Subscribe(slow, "")
		e.Subscribe(fast, "")
		e.Join(p, slow, fast)
		e.WaitSubscribers(p, "", 2)
		sent := 0
		for ; p.Stats().SendDropped.HWM < 5; sent++ {
			if sent > 5000 {
				e.Fatal("no message was dropped for a subscriber that does not read, want some")
			}
			e.Send(p, fmt.Sprintf("%06d", sent), confBig)
			if got := e.Recv(fast); got[0] != fmt.Sprintf("%06d", sent) {
				e.Fatalf("the fast subscriber got %q, want number %d", got[0], sent)
			}
		}
		if ev := next(socket.SlowPeer); ev.Peer.IsZero() {
			e.Error("the SlowPeer event names nobody, want the peer")
		}
		st := p.Stats()
		if st.Accepted != int64(2*sent) || st.SendDropped.Total() != 5 {
			e.Errorf("accepted %d, dropped %+v, want %d copies and 5 at the limit", st.Accepted, st.SendDropped, 2*sent)
		}
		last := ""
		for range sent - 5 {
			got := e.Recv(slow)[0]
			if got <= last {
				e.Fatalf("the slow subscriber got %q after %q, want a later one", got, last)
			}
			last = got
		}
		e.Accounts(p)
		e.Accounts(slow)
	}
}

// confPrefixes: who gets what, with topics that are prefixes of each other, of
// any bytes, and only the first frame compared.
func confPrefixes(pub *pattern.Spec) func(e *confEnv) {
	return func(e *confEnv) {
		p := e.New(pub, nil)
		at := e.Bind(p)
		long := strings.Repeat("t", 300)
		subs := []struct {
			topics []string
			s      *socket.Socket
		}{
			{topics: []string{"a", "ab", "abc"}}, // one copy however many match
			{topics: []string{"ab"}},
			{topics: []string{"\x00\xff"}},
			{topics: []string{long}},
			{topics: []string{""}},
			{}, // none
		}
		for i := range subs {
			x := &subs[i]
			x.s = e.New(pattern.Sub, nil)
			e.Subscribe(x.s, x.topics...)
			e.Subscribe(x.s, "\x7fend")
			e.Connect(x.s, at)
		}
		e.WaitSubscribers(p, "\x7fend", len(subs))
		messages := [][]string{
			{"abcd"}, {"a"}, {"b", "a"}, {""}, {"A"}, {"\x00\xff\x01", "x"}, {"\x00"}, {long}, {long + "x"}, {long[1:]}, {"ab"},
		}
		for _, m := range messages {
			e.Send(p, m...)
		}
		e.Send(p, "\x7fend")
		for _, x := range subs {
			for _, m := range messages {
				for _, topic := range x.topics {
					if strings.HasPrefix(m[0], topic) {
						e.Want(x.s, m...)
						break
					}
				}
			}
			e.Want(x.s, "\x7fend")
			e.WantNone(x.s)
		}
	}
}

func TestConformanceSub(t *testing.T) {
	confTable(t, append([]confClause{
		{"SUB SHALL only receive messages", confCannotSend(pattern.Sub)},
		{"SUB SHALL deliver only what it subscribed to, nothing without a subscription", func(e *confEnv) {
			p, s := e.New(pattern.Pub, nil), e.New(pattern.Sub, nil)
			e.Join(p, s)
			e.Send(p, "nobody wants this")
			e.Subscribe(s, "x")
			e.WaitSubscribers(p, "x", 1)
			e.Send(p, "y")
			e.Send(p, "x")
			e.Want(s, "x")
		}},
		{"SUB MAY send subscribe and unsubscribe requests: the second of two cancels", func(e *confEnv) {
			p, s := e.New(pattern.Pub, nil), e.New(pattern.Sub, nil)
			e.Join(p, s)
			e.Subscribe(s, "a", "a", "end")
			e.WaitSubscribers(p, "end", 1)
			if err := s.Unsubscribe("a"); err != nil {
				e.Fatal(err)
			}
			e.Send(p, "a")
			e.Want(s, "a") // still subscribed once
			if err := s.Unsubscribe("a"); err != nil {
				e.Fatal(err)
			}
			e.Until("the cancellation is here", func() bool { return p.Peers()[0].Subscriptions == 1 })
			e.Send(p, "a")
			e.Send(p, "end")
			e.Want(s, "end")
			if err := s.Unsubscribe("a"); err == nil {
				e.Error("Unsubscribe without a subscription = nil, want an error")
			}
		}},
	}, confSubscriber(pattern.Sub)...))
}

// confSubscriber are the clauses that SUB and XSUB share.
func confSubscriber(sub *pattern.Spec) []confClause {
	named := func(name string, test func(e *confEnv)) confClause { return confClause{sub.Name() + " " + name, test} }
	return []confClause{
		named("MAY be connected to any number of PUB or XPUB publishers", func(e *confEnv) {
			s := e.New(sub, nil)
			e.Subscribe(s, "")
			for _, spec := range []*pattern.Spec{pattern.Pub, pattern.XPub, pattern.Pub} {
				p := e.New(spec, nil)
				e.Connect(s, e.Bind(p))
				e.WaitSubscribers(p, "", 1)
				e.Send(p, "from "+spec.Name())
				e.Want(s, "from "+spec.Name())
			}
		}),
		named("SHALL create a queue when initiating a connection and maintain it", func(e *confEnv) {
			at := e.Reserve()
			s := e.New(sub, nil)
			e.Connect(s, at)
			e.Subscribe(s, "t")
			for range 3 { // each publisher is told the subscriptions anew
				p := e.New(pattern.Pub, nil)
				e.BindTo(p, at)
				e.WaitSubscribers(p, "t", 1)
				e.Send(p, "t")
				e.Want(s, "t")
				e.Close(p)
			}
		}),
		named("SHALL create a queue when a publisher connects to it", func(e *confEnv) {
			s := e.New(sub, nil)
			e.Subscribe(s, "t")
			at := e.Bind(s)
			for range 3 {
				p := e.New(pattern.Pub, nil)
				e.Connect(p, at)
				e.WaitSubscribers(p, "t", 1)
				e.Send(p, "t")
				e.Want(s, "t")
				e.Close(p)
			}
		}),
		named("SHOULD constrain queue sizes to a limit", func(e *confEnv) {
			limit := int64(4)
			p, s := e.New(pattern.Pub, nil), e.New(sub, &socket.Options{RecvHWM: int(limit)})
			e.Subscribe(s, "")
			e.Join(p, s)
			e.WaitSubscribers(p, "", 1)
			if e.scheme == "inproc" {
				limit += socket.DefaultHWM
			}
			for i := range 50 {
				e.Send(p, fmt.Sprint(i))
			}
			e.Until("the queue is full", func() bool { return s.Stats().RecvQueued >= min(50, limit) })
			for i := range 50 {
				if q := s.Stats().RecvQueued; q > limit {
					e.Fatalf("%d messages in the incoming queue, want at most %d", q, limit)
				}
				e.Want(s, fmt.Sprint(i))
			}
		}),
		named("SHALL receive incoming messages using a fair-queuing strategy", func(e *confEnv) {
			const peers, each = 3, 5
			s := e.New(sub, nil)
			e.Subscribe(s, "")
			for k := range peers {
				p := e.New(pattern.Pub, nil)
				e.Connect(s, e.Bind(p))
				e.WaitSubscribers(p, "", 1)
				for i := range each {
					e.Send(p, fmt.Sprintf("%d:%d", k, i))
				}
			}
			confTurns(e, s, peers, each)
		}),
		named("SHALL not modify incoming messages", func(e *confEnv) {
			p, s := e.New(pattern.Pub, nil), e.New(sub, nil)
			e.Subscribe(s, "")
			e.Join(p, s)
			e.WaitSubscribers(p, "", 1)
			e.Send(p, confFrames...)
			e.Want(s, confFrames...)
		}),
	}
}
