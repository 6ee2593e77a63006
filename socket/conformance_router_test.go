package socket_test

import (
	"errors"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// RFC 28, the request-reply pattern: DEALER and ROUTER.

func TestConformanceDealer(t *testing.T) {
	dealer := pattern.Dealer
	confTable(t, []confClause{
		{"DEALER MAY be connected to any number of REP or ROUTER peers", func(e *confEnv) {
			d, rep, router := e.New(dealer, nil), e.New(pattern.Rep, nil), e.New(pattern.Router, nil)
			e.Connect(d, e.Bind(rep), e.Bind(router))
			e.WaitPeers(d, 2)
			for range 3 {
				e.Send(d, "", "to rep")
				e.Send(d, "", "to router")
				e.Want(rep, "to rep")
				e.Send(rep, "from rep")
				e.Want(d, "", "from rep")
				m := e.Recv(router)
				if len(m) != 3 || m[2] != "to router" {
					e.Fatalf("ROUTER: Recv = %q, want identity, delimiter and %q", m, "to router")
				}
				e.Send(router, m...)
				e.Want(d, "", "to router")
			}
		}},
		{"DEALER SHALL not filter or modify messages", confUnmodified(dealer, dealer)},
		{"DEALER SHALL maintain a double queue allowing outgoing and incoming messages to be queued independently", confIndependent(dealer, dealer)},
		{"DEALER SHALL create a double queue when initiating a connection and maintain it", confQueueBefore(dealer, dealer)},
		{"DEALER SHALL maintain the double queue whether or not the connection is established", confQueueBetween(dealer, dealer)},
		{"DEALER SHALL destroy the double queue of a peer that disconnects", confQueueDies(dealer, dealer)},
		{"DEALER SHOULD constrain outgoing queue sizes to a limit", confLimit(dealer)},
		{"DEALER SHOULD constrain incoming queue sizes to a limit", confRecvLimit(dealer, dealer)},
		{"DEALER SHALL consider a peer available only when its queue is not full", confSkipsFull(dealer, dealer)},
		{"DEALER SHALL route outgoing messages to available peers using a round-robin strategy", confRoundRobin(dealer, dealer)},
		{"DEALER SHALL block on sending when it has no available peers", confNoPeer(dealer, dealer)},
		{"DEALER SHALL not accept further messages when it has no available peers", confLimit(dealer)},
		{"DEALER SHALL NOT discard messages that it cannot queue", confKeeps(dealer, dealer)},
		{"DEALER SHALL receive incoming messages using a fair-queuing strategy", confFairQueue(dealer, dealer)},
		{"DEALER SHALL deliver these to its calling application", confKeeps(dealer, dealer)},
	})
}

func TestConformanceRouter(t *testing.T) {
	dealer, router := pattern.Dealer, pattern.Router
	confTable(t, []confClause{
		{"ROUTER MAY be connected to any number of REQ, DEALER or ROUTER peers", func(e *confEnv) {
			r := e.New(router, &socket.Options{Identity: []byte("me")})
			at := e.Bind(r)
			for _, spec := range []*pattern.Spec{pattern.Req, dealer, router} {
				s := e.New(spec, &socket.Options{Identity: []byte(spec.Name())})
				e.Connect(s, at)
				e.WaitPeers(s, 1)
			}
			e.WaitPeers(r, 3)
			for _, spec := range []*pattern.Spec{dealer, router} {
				e.Send(r, spec.Name(), "hello")
			}
			st := r.Peers()
			if len(st) != 3 {
				e.Errorf("%d peers, want 3", len(st))
			}
			for _, p := range st {
				if string(p.Address) != p.SocketType {
					e.Errorf("peer %s has address %q, want its name", p.SocketType, p.Address)
				}
			}
		}},
		{"ROUTER SHALL maintain a double queue allowing outgoing and incoming messages to be queued independently", func(e *confEnv) {
			opts := &socket.Options{SendHWM: 2, RecvHWM: 2, Identity: []byte("d")}
			r, d := e.New(router, opts), e.New(dealer, opts)
			e.Join(r, d)
			n := e.Fill(r, "d", confBig)
			for range 10 {
				e.Send(d, "against the stream")
				e.Want(r, "d", "against the stream")
			}
			for range n {
				e.Want(d, confBig)
			}
		}},
		{"ROUTER SHALL create a double queue when initiating a connection and maintain it", func(e *confEnv) {
			at := e.Reserve()
			r, d := e.New(router, nil), e.New(dealer, nil)
			if err := r.ConnectPeer(at, []byte("d")); err != nil {
				e.Fatal(err)
			}
			e.Send(r, "d", "before there is a connection")
			e.BindTo(d, at)
			e.Want(d, "before there is a connection")
		}},
		{"ROUTER SHALL destroy the double queue of a peer that disconnects", confRouterQueueDies},
		{"ROUTER SHALL identify each double queue using a unique identity", func(e *confEnv) {
			r := e.New(router, nil)
			at := e.Bind(r)
			seen := make(map[string]*socket.Socket)
			for range 5 {
				d := e.New(dealer, nil)
				e.Connect(d, at)
				e.Send(d, "hello")
				m := e.Recv(r)
				if len(m) != 2 || len(m[0]) != 5 || m[0][0] != 0 || seen[m[0]] != nil {
					e.Fatalf("Recv = %q, want a new identity of 5 bytes that starts with a zero byte, and %q", m, "hello")
				}
				seen[m[0]] = d
			}
			for id, d := range seen {
				e.Send(r, id, "it is "+id)
				e.Want(d, "it is "+id)
			}
		}},
		{"ROUTER SHOULD allow the peer to specify its identity", func(e *confEnv) {
			r := e.New(router, nil)
			long := confBig[:255]
			at := e.Bind(r)
			for _, id := range []string{"a", long} {
				d := e.New(dealer, &socket.Options{Identity: []byte(id)})
				e.Connect(d, at)
				e.Send(d, "hello")
				e.Want(r, id, "hello")
				e.Send(r, id, "welcome", "")
				e.Want(d, "welcome", "")
			}
		}},
		{"ROUTER SHOULD constrain outgoing queue sizes to a limit", func(e *confEnv) {
			r := e.New(router, &socket.Options{SendHWM: 3})
			if err := r.ConnectPeer(e.Reserve(), []byte("d")); err != nil {
				e.Fatal(err)
			}
			if n := e.Fill(r, "d", "x"); n != 3 {
				e.Errorf("%d messages queued, want 3", n)
			}
		}},
		{"ROUTER SHALL receive incoming messages using a fair-queuing strategy", confFairQueue(dealer, router)},
		{"ROUTER SHALL prefix each incoming message with the identity of the originating queue", func(e *confEnv) {
			r, d := e.New(router, nil), e.New(dealer, &socket.Options{Identity: []byte("d")})
			e.Join(r, d)
			e.Send(d, confFrames...)
			e.Want(r, append([]string{"d"}, confFrames...)...)
		}},
		{"ROUTER SHALL remove the first frame from each outgoing message and use it as the identity", func(e *confEnv) {
			r, d := e.New(router, nil), e.New(dealer, &socket.Options{Identity: []byte("d")})
			e.Join(r, d)
			e.Send(r, append([]string{"d"}, confFrames...)...)
			e.Want(d, confFrames...)
			e.Send(r, "d", "d", "d")
			e.Want(d, "d", "d")
			if err := r.Send(e.ctx, []byte("d")); err == nil {
				e.Error("Send of an identity alone = nil, want an error")
			}
		}},
		{"ROUTER SHALL return an error, depending on configuration, if the queue does not exist", func(e *confEnv) {
			r, d := e.New(router, nil), e.New(dealer, &socket.Options{Identity: []byte("d")})
			e.Join(r, d)
			for _, id := range []string{"nobody", "", "\x00\x00\x00\x00\x00"} {
				if err := r.Send(e.ctx, []byte(id), []byte("x")); !errors.Is(err, ringwire.ErrHostUnreachable) {
					e.Errorf("Send to %q = %v, want ErrHostUnreachable", id, err)
				}
			}
			e.Send(r, "d", "still in step")
			e.Want(d, "still in step")
		}},
		{"ROUTER SHALL silently drop the message, depending on configuration, if the queue does not exist or is full", func(e *confEnv) {
			r := e.New(router, &socket.Options{DropUnroutable: true, SendHWM: 2})
			d := e.New(dealer, &socket.Options{Identity: []byte("d"), RecvHWM: 2})
			e.Join(r, d)
			e.Send(r, "nobody", "x")
			if n := r.Stats().SendDropped.NoRoute; n != 1 {
				e.Errorf("%d messages dropped without a route, want 1", n)
			}
			sent := 0
			for r.Stats().SendDropped.HWM == 0 && sent < 5000 {
				e.Send(r, "d", confBig)
				sent++
			}
			st := r.Stats()
			if st.SendDropped.HWM != 1 || st.Accepted != int64(sent)+1 {
				e.Errorf("accepted %d, dropped at HWM %d, want %d and 1", st.Accepted, st.SendDropped.HWM, sent+1)
			}
			for range sent - 1 {
				e.Want(d, confBig)
			}
			e.Accounts(r)
		}},
		{"ROUTER waits for a peer at its limit, others go on (in place of SHALL NOT block)", func(e *confEnv) {
			r := e.New(router, &socket.Options{SendHWM: 2})
			full := e.New(dealer, &socket.Options{Identity: []byte("full"), RecvHWM: 2})
			free := e.New(dealer, &socket.Options{Identity: []byte("free")})
			e.Join(r, full, free)
			n := e.Fill(r, "full", confBig)
			e.Send(r, "free", "x")
			e.Want(free, "x")
			done := make(chan error, 1)
			go func() { done <- r.Send(e.ctx, []byte("full"), []byte("last")) }()
			for range n {
				e.Want(full, confBig)
			}
			e.Want(full, "last")
			if err := <-done; err != nil {
				e.Errorf("the Send that waited = %v, want nil", err)
			}
		}},
	})
}

func confRouterQueueDies(e *confEnv) {
	r := e.New(pattern.Router, &socket.Options{SendHWM: 10})
	opts := &socket.Options{Identity: []byte("d"), RecvHWM: 2}
	first := e.New(pattern.Dealer, opts)
	at := e.Join(r, first)
	e.Fill(r, "d", confBig)
	e.Close(first)
	e.Until("the peer is gone", func() bool { return len(r.Peers()) == 0 })
	if err := r.TrySend([]byte("d"), []byte("x")); !errors.Is(err, ringwire.ErrHostUnreachable) {
		e.Errorf("TrySend to a peer that went = %v, want ErrHostUnreachable", err)
	}
	if q := r.Stats().SendQueued; q != 0 {
		e.Errorf("%d messages queued for nobody, want 0", q)
	}
	e.Accounts(r)
	second := e.New(pattern.Dealer, opts)
	e.Connect(second, at)
	e.WaitPeers(r, 1)
	e.Send(r, "d", "new")
	e.Want(second, "new")
}
