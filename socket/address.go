package socket

import (
	"context"
	"fmt"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/msg"
	"github.com/ringwire/ringwire/internal/pipe"
	"github.com/ringwire/ringwire/pattern"
)

// SendTo sends m to one peer, as Message.Peer names it: an XPUB sends to a
// subscriber whatever it subscribed to, a ROUTER without an identity frame in
// front. It owns m on success. A peer that is gone is
// ringwire.ErrHostUnreachable; a full one makes it wait on a ROUTER, and on an
// XPUB with XPubNoDrop, and is a counted drop on another XPUB.
func (s *Socket) SendTo(ctx context.Context, to ringwire.Peer, m *ringwire.Message) error {
	if err := s.canSendMessage(ctx, m); err != nil {
		return err
	}
	if s.spec != pattern.XPub && s.spec != pattern.Router {
		return s.unsupported("send to")
	}
	im := (*msg.Message)(m)
	for waited := false; ; waited = true {
		sender, err := s.trySendTo(to, im)
		if s.slowNews.Load() {
			s.tellSlow()
		}
		if err != ringwire.ErrAgain {
			if err == nil {
				if waited {
					s.group.PassOn()
				}
				im.Release()
			}
			return fail("send to", "", err)
		}
		if !s.group.AwaitRoom(sender, ctx.Done()) {
			return fail("send to", "", ctx.Err())
		}
	}
}

// trySendTo queues m once. With ErrAgain the caller is registered as waiting.
func (s *Socket) trySendTo(to ringwire.Peer, m *msg.Message) (*pipe.Sender, error) {
	g := s.group
	g.Lock()
	defer g.UnlockAndFlush()
	if g.Closed() {
		return nil, ringwire.ErrClosed
	}
	p := s.find(to)
	switch {
	case p == nil:
		return nil, fmt.Errorf("peer %v: %w", to, ringwire.ErrHostUnreachable)
	case p.end.TrySend(m):
		return nil, nil
	case s.spec == pattern.XPub && !s.opts.XPubNoDrop:
		p.end.Drop(pipe.HWM, m)
		s.overflowed(p.end)
		return nil, nil
	}
	sender := g.Block(p.end)
	if p.end.TrySend(m) { // room came before we were registered
		g.Unblock(sender)
		return nil, nil
	}
	return sender, ringwire.ErrAgain
}

// SubscribePeer makes a subscription for one peer, as the application of an
// XPUB with XPubManual decides it.
func (s *Socket) SubscribePeer(to ringwire.Peer, prefix string) error {
	return s.manual("subscribe peer", to, pattern.Publisher.SubscribePeer, prefix)
}

// UnsubscribePeer undoes SubscribePeer.
func (s *Socket) UnsubscribePeer(to ringwire.Peer, prefix string) error {
	return s.manual("unsubscribe peer", to, pattern.Publisher.UnsubscribePeer, prefix)
}

func (s *Socket) manual(op string, to ringwire.Peer, do func(pattern.Publisher, *pipe.End, string), prefix string) error {
	if s.spec != pattern.XPub {
		return s.unsupported(op)
	}
	if !s.opts.XPubManual {
		return fail(op, "", fmt.Errorf("option XPubManual is false, want true: %w", ringwire.ErrState))
	}
	if len(prefix) > pattern.MaxTopic {
		return fail(op, "", fmt.Errorf("prefix has %d bytes, limit %d: %w", len(prefix), pattern.MaxTopic, ringwire.ErrTooLarge))
	}
	g := s.group
	g.Lock()
	defer g.Unlock()
	if g.Closed() {
		return fail(op, "", ringwire.ErrClosed)
	}
	p := s.find(to)
	if p == nil {
		return fail(op, "", fmt.Errorf("peer %v: %w", to, ringwire.ErrHostUnreachable))
	}
	do(s.pattern.(pattern.Publisher), p.end, prefix)
	g.Notify()
	return nil
}

// DisconnectPeer ends the connection to one peer. A connecting endpoint will
// connect again; to end that, Disconnect it. The Disconnected event has the reason
// "DisconnectPeer".
func (s *Socket) DisconnectPeer(who ringwire.Peer) error {
	g := s.group
	g.Lock()
	p := s.find(who)
	closed := g.Closed()
	g.Unlock()
	if closed {
		return fail("disconnect peer", "", ringwire.ErrClosed)
	}
	if p == nil {
		return fail("disconnect peer", "", fmt.Errorf("peer %v: %w", who, ringwire.ErrHostUnreachable))
	}
	p.Drop(errEvicted)
	return nil
}

// Subscribe asks for the messages whose first frame starts with prefix, from
// every publisher now and later; the empty prefix asks for all. Subscribing
// twice needs unsubscribing twice. SUB and XSUB. (ZMQ_SUBSCRIBE.)
func (s *Socket) Subscribe(prefix string) error {
	return s.subscription("subscribe", prefix, func(p pattern.Subscriber) error {
		p.Subscribe(prefix)
		return nil
	})
}

// Unsubscribe undoes one Subscribe; a prefix without one is an error that
// wraps ringwire.ErrState. (ZMQ_UNSUBSCRIBE.)
func (s *Socket) Unsubscribe(prefix string) error {
	return s.subscription("unsubscribe", prefix, func(p pattern.Subscriber) error {
		return p.Unsubscribe(prefix)
	})
}

func (s *Socket) subscription(op, prefix string, do func(pattern.Subscriber) error) error {
	if !s.spec.Subscribes() {
		return s.unsupported(op)
	}
	if len(prefix) > pattern.MaxTopic {
		return fail(op, "", fmt.Errorf("prefix has %d bytes, limit %d: %w", len(prefix), pattern.MaxTopic, ringwire.ErrTooLarge))
	}
	g := s.group
	g.Lock()
	if g.Closed() {
		g.Unlock()
		return fail(op, "", ringwire.ErrClosed)
	}
	err := do(s.pattern.(pattern.Subscriber))
	g.UnlockAndFlush()
	return fail(op, "", err)
}
