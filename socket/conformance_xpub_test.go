package socket_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// RFC 29, the publish-subscribe pattern: what XPUB and XSUB do beyond PUB and
// SUB.

func TestConformanceXPub(t *testing.T) {
	confTable(t, append([]confClause{
		{"XPUB MAY both send and receive messages", func(e *confEnv) {
			p, s := e.New(pattern.XPub, nil), e.New(pattern.XSub, nil)
			e.Join(p, s)
			e.Subscribe(s, "t")
			e.Want(p, "\x01t")
			e.Send(s, "up", "", "stream")
			e.Want(p, "up", "", "stream")
			e.Send(p, "t", "down")
			e.Want(s, "t", "down")
		}},
		{"XPUB SHOULD constrain incoming queue sizes to a limit", confRecvLimitUp},
		{"XPUB SHALL receive incoming messages from its subscribers using a fair-queuing strategy", confFairQueue(pattern.XSub, pattern.XPub)},
		{"XPUB SHALL deliver these messages to its calling application", confUnmodifiedUp},
		{"XPUB SHALL deliver these commands to its calling application", func(e *confEnv) {
			p, s := e.New(pattern.XPub, nil), e.New(pattern.Sub, nil)
			e.Join(p, s)
			for _, topic := range confFrames[:5] {
				e.Subscribe(s, topic)
				e.Want(p, "\x01"+topic)
				if topic == "" {
					continue
				}
				if err := s.Unsubscribe(topic); err != nil {
					e.Fatal(err)
				}
				e.Want(p, "\x00"+topic)
			}
		}},
		{"XPUB MAY normalize commands so that multiple identical subscriptions result in a single one", func(e *confEnv) {
			p := e.New(pattern.XPub, nil)
			at := e.Bind(p)
			var subs []*socket.Socket
			for i := range 3 {
				s := e.New(pattern.Sub, nil)
				e.Subscribe(s, "same", fmt.Sprint(i))
				e.Connect(s, at)
				e.WaitSubscribers(p, fmt.Sprint(i), 1)
				subs = append(subs, s)
			}
			got := make(map[string]int)
			for range 4 {
				got[e.Recv(p)[0]]++
			}
			for _, want := range []string{"\x01same", "\x010", "\x011", "\x012"} {
				if got[want] != 1 {
					e.Errorf("%d notices %q, want 1; all: %v", got[want], want, got)
				}
			}
			e.WantNone(p)
			for i, s := range subs {
				if err := s.Unsubscribe("same"); err != nil {
					e.Fatal(err)
				}
				e.WaitUnsubscribed(p, "same", len(subs)-1-i)
			}
			e.Want(p, "\x00same")
			e.WantNone(p)
		}},
		{"XPUB SHALL generate an unsubscribe request if the subscriber disconnects prematurely", func(e *confEnv) {
			p, s := e.New(pattern.XPub, nil), e.New(pattern.Sub, nil)
			e.Subscribe(s, "t")
			e.Join(p, s)
			e.Want(p, "\x01t")
			e.Close(s)
			e.Want(p, "\x00t")
		}},
		{"XPUB discards a notice that a later one undoes while nobody has received it", func(e *confEnv) {
			p, s := e.New(pattern.XPub, nil), e.New(pattern.Sub, nil)
			e.Join(p, s)
			for i := range 100 {
				e.Subscribe(s, fmt.Sprint(i))
				if err := s.Unsubscribe(fmt.Sprint(i)); err != nil {
					e.Fatal(err)
				}
			}
			e.Subscribe(s, "end")
			e.WaitSubscribers(p, "end", 1)
			e.Want(p, "\x01end")
		}},
	}, confPublisher(pattern.XPub)...))
}

// WaitUnsubscribed waits until no more than n peers of s would receive topic.
func (e *confEnv) WaitUnsubscribed(s *socket.Socket, topic string, n int) {
	e.Helper()
	e.Until(fmt.Sprintf("no more than %d subscribers of %q", n, topic), func() bool {
		return !confHasSubscribers(e, s, topic, n+1)
	})
}

// confHasSubscribers reports whether n peers of s would receive topic now.
func confHasSubscribers(e *confEnv, s *socket.Socket, topic string, n int) bool {
	e.Helper()
	err := s.WaitSubscribers(confDone, topic, n)
	if err != nil && !errors.Is(err, confDone.Err()) {
		e.Fatalf("WaitSubscribers with a cancelled context = %v, want nil or %v", err, confDone.Err())
	}
	return err == nil
}

// confUnmodifiedUp is confUnmodified for what a subscriber sends: a first
// frame that starts with 0 or 1 would be a subscription.
func confUnmodifiedUp(e *confEnv) {
	p, s := e.New(pattern.XPub, nil), e.New(pattern.XSub, nil)
	e.Join(p, s)
	for _, f := range confFrames {
		if len(f) == 0 || f[0] > 1 {
			e.Send(s, f)
			e.Want(p, f)
		}
	}
	e.Send(s, confFrames...)
	e.Want(p, confFrames...)
}

// confRecvLimitUp is confRecvLimit for what a subscriber sends: it never waits,
// so what a full publisher has no room for is dropped and counted.
func confRecvLimitUp(e *confEnv) {
	p := e.New(pattern.XPub, &socket.Options{RecvHWM: 4})
	s := e.New(pattern.XSub, &socket.Options{SendHWM: 4})
	e.Join(p, s)
	sent := confOverflow(e, s)
	for range sent - 1 {
		limit := int64(4)
		if e.scheme == "inproc" {
			limit = 8
		}
		if q := p.Stats().RecvQueued; q > limit {
			e.Fatalf("%d messages in the incoming queue, want at most %d", q, limit)
		}
		e.Want(p, confBig)
	}
	e.Accounts(s)
	e.Accounts(p)
}

func TestConformanceXSub(t *testing.T) {
	confTable(t, append([]confClause{
		{"XSUB MAY both send and receive messages", confUnmodifiedUp},
		{"XSUB SHALL not modify outgoing messages", confUnmodifiedUp},
		{"XSUB SHALL send all messages to all connected publishers", func(e *confEnv) {
			s := e.New(pattern.XSub, nil)
			var pubs []*socket.Socket
			for range 3 {
				p := e.New(pattern.XPub, nil)
				e.Connect(s, e.Bind(p))
				e.WaitPeers(p, 1)
				pubs = append(pubs, p)
			}
			e.WaitPeers(s, 3)
			for i := range 5 {
				e.Send(s, "up", fmt.Sprint(i))
			}
			for _, p := range pubs {
				for i := range 5 {
					e.Want(p, "up", fmt.Sprint(i))
				}
			}
			e.Accounts(s)
		}},
		{"XSUB SHALL silently drop the message if the outgoing queue for a publisher is full", confRecvLimitUp},
		{"XSUB SHALL NOT block on sending", func(e *confEnv) {
			s := e.New(pattern.XSub, nil)
			for _, m := range []string{"up", "\x01t", "\x00t"} {
				if err := s.TrySend([]byte(m)); err != nil {
					e.Errorf("TrySend(%q) without a publisher = %v, want nil", m, err)
				}
			}
		}},
		{"XSUB SHALL accept subscription commands from its calling application", func(e *confEnv) {
			p, s := e.New(pattern.XPub, nil), e.New(pattern.XSub, nil)
			e.Send(s, "\x01before") // remembered for every publisher
			e.Join(p, s)
			e.Want(p, "\x01before")
			e.Send(s, "\x01after")
			e.Want(p, "\x01after")
			e.Send(p, "after all")
			e.Want(s, "after all")
			e.Send(s, "\x00after")
			e.Want(p, "\x00after")
			e.Send(s, "\x00unknown") // nothing to cancel
			e.Send(s, "end")
			e.Want(p, "end")
		}},
		{"XSUB SHALL send subscribe and unsubscribe requests to publishers", func(e *confEnv) {
			p, s := e.New(pattern.XPub, nil), e.New(pattern.XSub, nil)
			e.Join(p, s)
			e.Subscribe(s, "t")
			e.Want(p, "\x01t")
			if err := s.Unsubscribe("t"); err != nil {
				e.Fatal(err)
			}
			e.Want(p, "\x00t")
			if err := s.Unsubscribe("t"); !errors.Is(err, ringwire.ErrState) {
				e.Errorf("Unsubscribe without a subscription = %v, want ErrState", err)
			}
		}},
		{"XSUB When closing a connection SHOULD send unsubscribe requests for all subscriptions", func(e *confEnv) {
			p, s := e.New(pattern.XPub, nil), e.New(pattern.XSub, nil)
			at := e.Join(p, s)
			e.Subscribe(s, "t")
			e.Want(p, "\x01t")
			if err := s.Disconnect(at); err != nil {
				e.Fatal(err)
			}
			e.Want(p, "\x00t")
		}},
		{"XSUB MAY filter messages: it does not, it delivers what publishers send", func(e *confEnv) {
			p, s := e.New(pattern.XPub, nil), e.New(pattern.XSub, nil)
			e.Join(p, s)
			e.Subscribe(s, "t")
			m, err := p.Recv(e.ctx)
			if err != nil {
				e.Fatal(err)
			}
			if err := p.SendTo(e.ctx, m.Peer(), ringwire.NewMessage([]byte("not asked for"))); err != nil {
				e.Fatal(err)
			}
			e.Want(s, "not asked for")
		}},
	}, confSubscriber(pattern.XSub)...))
}
