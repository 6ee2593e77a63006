package socket_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// The contracts of the public API that no RFC has: calls about one peer.

// TestSendTo: to one peer, without an identity frame on a ROUTER, whatever it
// subscribed to on an XPUB; who is gone cannot be reached.
func TestSendTo(t *testing.T) {
	confEach(t, func(e *confEnv) {
		for _, c := range []struct{ spec, other *pattern.Spec }{{pattern.Router, pattern.Dealer}, {pattern.XPub, pattern.XSub}} {
			s := e.New(c.spec, nil)
			at := e.Bind(s)
			var others []*socket.Socket
			var peers []ringwire.Peer
			for i := range 2 {
				o := e.New(c.other, nil)
				e.Connect(o, at)
				e.WaitPeers(o, 1)
				e.Send(o, "it is I", fmt.Sprint(i))
				m, err := s.Recv(e.ctx)
				if err != nil {
					e.Fatal(err)
				}
				others, peers = append(others, o), append(peers, m.Peer())
				m.Release()
			}
			for i := range 2 {
				m := ringwire.NewMessage([]byte("to"), []byte(fmt.Sprint(i)), []byte(confBig))
				if err := s.SendTo(e.ctx, peers[i], m); err != nil {
					e.Fatal(err)
				}
				e.Want(others[i], "to", fmt.Sprint(i), confBig)
			}
			for _, o := range others {
				e.WantNone(o)
			}
			e.Close(others[0])
			e.Until("the peer is gone", func() bool { return len(s.Peers()) == 1 })
			m := ringwire.NewMessage([]byte("kept"))
			for _, gone := range []ringwire.Peer{peers[0], {}} {
				if err := s.SendTo(e.ctx, gone, m); !errors.Is(err, ringwire.ErrHostUnreachable) || m.Len() != 1 {
					e.Errorf("%s: SendTo a peer that is gone = %v, want ErrHostUnreachable and the message kept", c.spec, err)
				}
			}
		}
	})
}

// TestSendToFull: a full peer makes a ROUTER wait; on an XPUB it misses the
// message, counted.
func TestSendToFull(t *testing.T) {
	confEach(t, func(e *confEnv) {
		opts := &socket.Options{SendHWM: 2, RecvHWM: 2}
		router, dealer := e.New(pattern.Router, opts), e.New(pattern.Dealer, opts)
		e.Join(router, dealer)
		who := router.Peers()[0].Peer
		n := 0
		for ctx, cancel := context.WithTimeout(e.ctx, confBlocked); ; ctx, cancel = context.WithTimeout(e.ctx, confBlocked) {
			err := router.SendTo(ctx, who, ringwire.NewMessage([]byte(confBig)))
			cancel()
			if errors.Is(err, context.DeadlineExceeded) {
				break
			}
			if n++; err != nil || n > 5000 {
				e.Fatalf("SendTo number %d = %v, want nil or at last DeadlineExceeded", n, err)
			}
		}
		for range n {
			e.Want(dealer, confBig)
		}
		e.WantNone(dealer)

		xpub, xsub := e.New(pattern.XPub, opts), e.New(pattern.XSub, opts)
		e.Join(xpub, xsub)
		who = xpub.Peers()[0].Peer
		sent := int64(0)
		for ; xpub.Stats().SendDropped.HWM == 0 && sent < 5000; sent++ {
			if err := xpub.SendTo(e.ctx, who, ringwire.NewMessage([]byte(confBig))); err != nil {
				e.Fatal(err)
			}
		}
		for range sent - 1 {
			e.Want(xsub, confBig)
		}
		e.Accounts(xpub)
	})
}

// TestProbe: it says what is there, whatever that is, and disturbs nobody.
func TestProbe(t *testing.T) {
	for _, scheme := range []string{"tcp", "ipc"} {
		t.Run(scheme, func(t *testing.T) {
			confOn(t, scheme, func(e *confEnv) {
				for _, spec := range confSpecs {
					s := e.New(spec, &socket.Options{Identity: []byte("me"), Metadata: map[string]string{"X-a": "b"}})
					info, err := socket.Probe(e.ctx, e.Bind(s), nil)
					if err != nil {
						e.Errorf("Probe of a %s = %v, want nil", spec, err)
						continue
					}
					if info.SocketType != spec.Name() || info.Version != "3.1" || info.Mechanism != "NULL" || info.Metadata["X-a"] != "b" || info.Remote == "" {
						e.Errorf("Probe of a %s = %+v, want its type, version, mechanism, metadata and address", spec, info)
					}
					if want := map[bool]string{true: "me"}[spec.Identifies()]; string(info.Identity) != want {
						e.Errorf("Probe of a %s: identity %q, want %q", spec, info.Identity, want)
					}
					if n := s.Stats().Arrived; n != 0 {
						e.Errorf("Probe of a %s sent %d messages, want 0", spec, n)
					}
				}
				if _, err := socket.Probe(e.ctx, e.Reserve(), nil); err == nil {
					e.Error("Probe of nobody = nil, want an error")
				}
			})
		})
	}
	e := confNew(t, "inproc")
	if _, err := socket.Probe(e.ctx, "inproc://x", nil); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Probe over inproc = %v, want ErrUnsupported", err)
	}
	_, at := confListen(t) // accepts, never greets
	ctx, cancel := context.WithTimeout(e.ctx, confBlocked)
	defer cancel()
	if _, err := socket.Probe(ctx, at, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Probe of somebody silent = %v, want DeadlineExceeded", err)
	}
}

// TestDisconnectPeer: it ends one connection, and the event says so; who connects,
// connects again.
func TestDisconnectPeer(t *testing.T) {
	confEach(t, func(e *confEnv) {
		s, first, second := e.New(pattern.Dealer, nil), e.New(pattern.Dealer, nil), e.New(pattern.Dealer, nil)
		e.Join(s, first, second)
		gone := s.Peers()[0].Peer
		next := e.Events(s)
		if err := s.DisconnectPeer(gone); err != nil {
			e.Fatal(err)
		}
		if ev := next(socket.Disconnected); ev.Peer != gone || ev.Reason() != "DisconnectPeer" {
			e.Errorf("Disconnected is about peer %v for the reason %q (%v), want %v and DisconnectPeer", ev.Peer, ev.Reason(), ev.Err, gone)
		}
		e.Until("a new peer is there", func() bool {
			list := s.Peers()
			return len(list) == 2 && list[0].Ready && list[1].Ready && list[0].Peer != gone && list[1].Peer != gone
		})
		for _, o := range []*socket.Socket{first, second} {
			e.WaitPeers(o, 1)
			e.Send(o, "still there")
			e.Want(s, "still there")
		}
		for _, nobody := range []ringwire.Peer{gone, {}} {
			if err := s.DisconnectPeer(nobody); !errors.Is(err, ringwire.ErrHostUnreachable) {
				e.Errorf("DisconnectPeer of nobody = %v, want ErrHostUnreachable", err)
			}
		}
	})
}

// TestDuplicateIdentityAlive: while the older peer lives, a newcomer with its
// identity is refused with an event, and the older one is undisturbed.
func TestDuplicateIdentityAlive(t *testing.T) {
	confEach(t, func(e *confEnv) {
		router := e.New(pattern.Router, nil)
		opts := &socket.Options{Identity: []byte("X"), ReconnectMin: -1}
		older, newer := e.New(pattern.Dealer, opts), e.New(pattern.Dealer, opts)
		at := e.Join(router, older)
		refuser := router
		if e.scheme == "inproc" {
			refuser = newer // there the one that connects hears of it
		}
		next := e.Events(refuser)
		e.Connect(newer, at)
		if ev := next(socket.Rejected); !errors.Is(ev.Err, ringwire.ErrRejected) {
			e.Errorf("event with %v, want ErrRejected", ev.Err)
		}
		e.Send(older, "mine")
		e.Want(router, "X", "mine")
		e.Send(router, "X", "yours")
		e.Want(older, "yours")
		e.Until("the newcomer is gone", func() bool { return len(router.Peers()) == 1 && newer.Stats().Peers == 0 })
		e.Close(older)
		e.Until("the name is free", func() bool { return len(router.Peers()) == 0 })
		third := e.New(pattern.Dealer, opts)
		e.Connect(third, at)
		e.Send(third, "now mine")
		e.Want(router, "X", "now mine")
	})
}

// TestDuplicateIdentityDead: a newcomer takes over from a peer that does not
// answer a PING; from one that cannot be asked, of ZMTP 3.0, it does not.
func TestDuplicateIdentityDead(t *testing.T) {
	confOn(t, "tcp", func(e *confEnv) {
		router := e.New(pattern.Router, nil)
		at := e.Bind(router)
		next := e.Events(router)
		dead := confDial(t, at)
		dead.handshake(1, "Socket-Type", "DEALER", "Identity", "X")
		next(socket.Ready)
		newer := e.New(pattern.Dealer, &socket.Options{Identity: []byte("X")})
		e.Connect(newer, at)
		e.Send(newer, "mine now")
		dead.wantPing("\x00\x00")
		if ev := next(socket.Disconnected); string(ev.Identity) != "X" || ev.Err == nil {
			e.Errorf("event %+v, want the end of X and why", ev)
		}
		e.Want(router, "X", "mine now")
		e.Send(router, "X", "welcome")
		e.Want(newer, "welcome")
		dead.wantEnd()

		old := confDial(t, at)
		old.handshake(0, "Socket-Type", "DEALER", "Identity", "Y")
		next(socket.Ready)
		next(socket.Ready)
		late := e.New(pattern.Dealer, &socket.Options{Identity: []byte("Y"), ReconnectMin: -1})
		e.Connect(late, at)
		next(socket.Rejected)
		e.Send(router, "Y", "still yours")
		old.wantMessage("still yours")
	})
}
