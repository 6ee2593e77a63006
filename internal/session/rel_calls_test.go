package session_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// relCall is a call of the API on a socket that has a peer; what it returns does not
// matter, that it returns does.
type relCall struct {
	name string
	call func(ctx context.Context, s *socket.Socket)
}

func relFirst(s *socket.Socket) (p ringwire.Peer) {
	if list := s.Peers(); len(list) > 0 {
		p = list[0].Peer
	}
	return p
}

func relMessages() []*ringwire.Message {
	return []*ringwire.Message{ringwire.NewMessage([]byte("a")), ringwire.NewMessage([]byte("b"))}
}

func relFree(list []*ringwire.Message) {
	for _, m := range list {
		if m != nil {
			m.Release()
		}
	}
}

var relCalls = []relCall{
	{"Bind", func(_ context.Context, s *socket.Socket) { s.Bind("mem://other") }},
	{"Unbind", func(_ context.Context, s *socket.Socket) { s.Unbind("mem://bound") }},
	{"Connect", func(_ context.Context, s *socket.Socket) { s.Connect("mem://peer") }},
	{"ConnectPeer", func(_ context.Context, s *socket.Socket) { s.ConnectPeer("mem://peer", []byte("p")) }},
	{"Disconnect", func(_ context.Context, s *socket.Socket) { s.Disconnect("mem://peer") }},
	{"DisconnectPeer", func(_ context.Context, s *socket.Socket) { s.DisconnectPeer(relFirst(s)) }},
	{"Send", func(ctx context.Context, s *socket.Socket) { s.Send(ctx, []byte("name"), nil, []byte("x")) }},
	{"SendMessage", func(ctx context.Context, s *socket.Socket) {
		list := relMessages()[:1]
		if s.SendMessage(ctx, list[0]) != nil {
			relFree(list)
		}
	}},
	{"SendBatch", func(ctx context.Context, s *socket.Socket) {
		list := relMessages()
		n, _ := s.SendBatch(ctx, list)
		relFree(list[n:])
	}},
	{"SendTo", func(ctx context.Context, s *socket.Socket) {
		list := relMessages()[:1]
		if s.SendTo(ctx, relFirst(s), list[0]) != nil {
			relFree(list)
		}
	}},
	{"TrySend", func(_ context.Context, s *socket.Socket) { s.TrySend([]byte("name"), nil, make([]byte, 5000)) }},
	{"Recv", func(ctx context.Context, s *socket.Socket) {
		if m, err := s.Recv(ctx); err == nil {
			m.Release()
		}
	}},
	{"RecvInto", func(ctx context.Context, s *socket.Socket) {
		var m ringwire.Message
		s.RecvInto(ctx, &m)
		m.Release()
	}},
	{"RecvBatch", func(ctx context.Context, s *socket.Socket) {
		list := make([]*ringwire.Message, 3)
		n, _ := s.RecvBatch(ctx, list)
		relFree(list[:n])
	}},
	{"TryRecv", func(_ context.Context, s *socket.Socket) {
		if m, err := s.TryRecv(); err == nil {
			m.Release()
		}
	}},
	{"Do", func(ctx context.Context, s *socket.Socket) {
		if m, err := s.Do(ctx, []byte("question")); err == nil {
			m.Release()
		}
	}},
	{"Subscribe", func(_ context.Context, s *socket.Socket) { s.Subscribe("n") }},
	{"Unsubscribe", func(_ context.Context, s *socket.Socket) { s.Unsubscribe("n") }},
	{"SubscribePeer", func(_ context.Context, s *socket.Socket) { s.SubscribePeer(relFirst(s), "n") }},
	{"UnsubscribePeer", func(_ context.Context, s *socket.Socket) { s.UnsubscribePeer(relFirst(s), "n") }},
	{"WaitPeers", func(ctx context.Context, s *socket.Socket) { s.WaitPeers(ctx, 3) }},
	{"WaitSubscribers", func(ctx context.Context, s *socket.Socket) { s.WaitSubscribers(ctx, "n", 3) }},
	{"Flush", func(ctx context.Context, s *socket.Socket) { s.Flush(ctx) }},
	{"Confirm", func(ctx context.Context, s *socket.Socket) { s.Confirm(ctx) }},
	{"Stats", func(_ context.Context, s *socket.Socket) { s.Stats() }},
	{"Events", func(ctx context.Context, s *socket.Socket) {
		for range s.Events(ctx) {
		}
	}},
	{"Close", func(_ context.Context, s *socket.Socket) { s.Close() }},
	{"Shutdown", func(ctx context.Context, s *socket.Socket) { s.Shutdown(ctx) }},
	{"end of the peer", nil},
}

// TestSIM05Pairs runs every two calls of the API at the same moment, on a socket of
// each type that has a connection, is about to have one, or is just losing it. A call
// that does not end is a deadlock that synctest reports or a Close that takes too
// long; afterwards the accounts are right and nothing is left.
func TestSIM05Pairs(t *testing.T) {
	for _, types := range []struct{ own, peer *pattern.Spec }{
		{pattern.Dealer, pattern.Router}, {pattern.Router, pattern.Dealer}, {pattern.Req, pattern.Rep}, {pattern.Rep, pattern.Req},
		{pattern.XPub, pattern.XSub}, {pattern.XSub, pattern.XPub}, {pattern.Pub, pattern.Sub}, {pattern.Sub, pattern.Pub},
		{pattern.Push, pattern.Pull}, {pattern.Pull, pattern.Push}, {pattern.Pair, pattern.Pair},
	} {
		t.Run(types.own.Name(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for i, f := range relCalls {
					for _, g := range relCalls[i:] {
						relPair(t, types.own, types.peer, f, g)
					}
				}
			})
		})
	}
}

func relPair(t *testing.T, own, other *pattern.Spec, f, g relCall) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	n := newMemNet()
	opts := socket.Options{SendHWM: 2, RecvHWM: 2, Linger: 50 * time.Millisecond, XPubManual: own == pattern.XPub}
	peer, s := relOpen(t, n, other, socket.Options{Identity: []byte("name"), NoLinger: true}), relOpen(t, n, own, opts)
	relBind(t, peer, "mem://peer")
	relBind(t, s, "mem://bound")
	relConnect(t, s, "mem://peer")
	if f.name <= g.name { // half of the pairs begin before the handshake is over
		synctest.Wait()
	}
	if other.Subscribes() {
		peer.Subscribe("")
	}
	if own.Subscribes() {
		s.Subscribe("")
	}
	var wg sync.WaitGroup
	for _, c := range []relCall{f, g} {
		wg.Go(func() {
			if c.call == nil {
				peer.Close()
				return
			}
			c.call(ctx, s)
		})
	}
	if other.Sends() && !errors.Is(peer.TrySend([]byte("name"), []byte("x")), ringwire.ErrClosed) {
		peer.TrySend([]byte("n"))
	}
	wg.Wait()
	began := time.Now()
	s.Close()
	peer.Close()
	if took := time.Since(began); took > time.Second {
		t.Errorf("%s: %s and %s: closing took %v, want at most the linger and 500ms", own, f.name, g.name, took)
	}
	synctest.Wait()
	balance(t, own.Name()+", "+f.name+" and "+g.name, s)
}
