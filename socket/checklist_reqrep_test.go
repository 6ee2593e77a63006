package socket_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// libzmq's tests of request-reply.

// TestReqCorrelate is libzmq's test_req_correlate: replies without the number
// of the request, or with another one, are ignored.
func TestReqCorrelate(t *testing.T) {
	confEach(t, func(e *confEnv) {
		router := e.New(pattern.Router, nil)
		req := e.New(pattern.Req, &socket.Options{ReqCorrelate: true, Identity: []byte("r")})
		e.Join(router, req)
		last := ""
		for range 3 {
			e.Send(req, "A", "B")
			got := e.Recv(router)
			if len(got) != 5 || got[0] != "r" || len(got[1]) != 4 || got[2] != "" || got[3] != "A" || got[4] != "B" {
				e.Fatalf("ROUTER: Recv = %q, want identity, 4 bytes, delimiter, A, B", got)
			}
			id := got[1]
			if id == last {
				e.Errorf("request number %x twice, want another", id)
			}
			last = id
			bad := string([]byte{id[0] ^ 1, id[1], id[2], id[3]})
			e.Send(router, "r", bad, "", "wrong number")
			e.Send(router, "r", "", "no number")
			e.Send(router, "r", id, "no delimiter")
			e.Send(router, "r", id)
			e.Send(router, "r", id, "", "right", "")
			e.Want(req, "right", "")
		}
		if d := req.Stats().RecvDropped; d.Malformed != 12 || d.Total() != 12 {
			e.Errorf("dropped %+v, want 12 malformed", d)
		}
		e.Accounts(req)
	})
}

// TestReqRelaxed is libzmq's test_req_relaxed: a request may be given up for
// another one; the late reply to the first is never taken for the second's.
func TestReqRelaxed(t *testing.T) {
	for _, correlate := range []bool{false, true} {
		for _, bound := range []bool{false, true} {
			t.Run(fmt.Sprintf("correlate=%v,bound=%v", correlate, bound), func(t *testing.T) {
				confEach(t, func(e *confEnv) {
					rep := e.New(pattern.Rep, nil)
					req := e.New(pattern.Req, &socket.Options{ReqRelaxed: true, ReqCorrelate: correlate})
					if bound { // the connection that is dropped is the peer's to make again
						e.Join(req, rep)
					} else {
						e.Join(rep, req)
					}
					for i := range 5 {
						lost, kept := fmt.Sprint("lost ", i), fmt.Sprint("kept ", i)
						e.Send(req, lost)
						e.Want(rep, lost)
						e.Send(req, kept)
						e.Send(rep, "re: "+lost)
						e.Want(rep, kept)
						e.Send(rep, "re: "+kept)
						e.Want(req, "re: "+kept)
					}
				})
			})
		}
	}
}

// TestReqRelaxedQueued: a request that is given up before it left is never
// sent.
func TestReqRelaxedQueued(t *testing.T) {
	confEach(t, func(e *confEnv) {
		at := e.Reserve()
		rep, req := e.New(pattern.Rep, nil), e.New(pattern.Req, &socket.Options{ReqRelaxed: true})
		e.Connect(req, at)
		for i := range 5 {
			e.Send(req, fmt.Sprint(i))
		}
		e.BindTo(rep, at)
		e.Want(rep, "4")
		e.Send(rep, "re: 4")
		e.Want(req, "re: 4")
		e.WantNone(rep)
		e.Accounts(req)
	})
}

// TestReqRelaxedPeerGone is the other half of test_req_relaxed: the peer that
// was asked disappears, and the request can be made again to another one.
func TestReqRelaxedPeerGone(t *testing.T) {
	confEach(t, func(e *confEnv) {
		req := e.New(pattern.Req, &socket.Options{ReqRelaxed: true})
		at := e.Bind(req)
		first, second := e.New(pattern.Rep, nil), e.New(pattern.Rep, nil)
		e.Connect(first, at)
		e.Send(req, "ask")
		e.Want(first, "ask")
		e.Close(first)
		e.Until("the peer is gone", func() bool { return len(req.Peers()) == 0 })
		e.Connect(second, at)
		e.Send(req, "ask again")
		e.Want(second, "ask again")
		e.Send(second, "answer")
		e.Want(req, "answer")
	})
}

// TestInvalidReply is libzmq's test_invalid_rep: a reply without delimiter is
// ignored, the valid one behind it is taken.
func TestInvalidReply(t *testing.T) {
	confEach(t, func(e *confEnv) {
		router, req := e.New(pattern.Router, nil), e.New(pattern.Req, &socket.Options{Identity: []byte("r")})
		e.Join(router, req)
		for range 3 {
			e.Send(req, "r")
			e.Want(router, "r", "", "r")
			e.Send(router, "r", "b")      // no delimiter
			e.Send(router, "r", "")       // no body
			e.Send(router, "r", "b", "b") // no delimiter, two frames
			e.Send(router, "r", "", "good")
			e.Want(req, "good")
		}
		if d := req.Stats().RecvDropped; d.Malformed != 9 || d.Total() != 9 {
			e.Errorf("dropped %+v, want 9 malformed", d)
		}
	})
}

// TestRouterMandatoryHWM is libzmq's test_router_mandatory_hwm: batching must
// not hide a full peer.
func TestRouterMandatoryHWM(t *testing.T) {
	confOn(t, "tcp", func(e *confEnv) {
		small := 8 << 10 // else the kernel's buffers hold megabytes
		router := e.New(pattern.Router, &socket.Options{SendHWM: 1, SendBuffer: small, RecvBuffer: small})
		dealer := e.New(pattern.Dealer, &socket.Options{RecvHWM: 1, Identity: []byte("X"), SendBuffer: small, RecvBuffer: small})
		e.Join(router, dealer)
		n := 0
		for router.TrySend([]byte("X"), []byte(confBig)) == nil {
			if n++; n >= 10 {
				t.Fatalf("%d messages of 64 KiB accepted, want fewer than 10", n)
			}
		}
		total := n + e.Fill(router, "X", confBig)
		if total >= 20 {
			t.Errorf("%d messages of 64 KiB accepted in the end, want fewer than 20", total)
		}
		for range total {
			e.Want(dealer, confBig)
		}
	})
}

// TestRouterHandover is libzmq's test_router_handover: with the option a
// newcomer takes over the identity of a live peer.
func TestRouterHandover(t *testing.T) {
	confEach(t, func(e *confEnv) {
		router := e.New(pattern.Router, &socket.Options{RouterHandover: true})
		at := e.Bind(router)
		opts := &socket.Options{Identity: []byte("X"), ReconnectMin: -1}
		one, two := e.New(pattern.Dealer, opts), e.New(pattern.Dealer, opts)
		e.Connect(one, at)
		e.Send(one, "one")
		e.Want(router, "X", "one")
		e.Send(router, "X", "hello one")
		e.Want(one, "hello one")
		e.Connect(two, at)
		e.Send(two, "two")
		e.Want(router, "X", "two")
		e.Send(router, "X", "hello two")
		e.Want(two, "hello two")
		e.Until("the older connection is closed", func() bool { return one.Stats().Peers == 0 })
		e.WantNone(one)
		e.Send(router, "X", "still two")
		e.Want(two, "still two")
	})
}

// TestConnectPeer is libzmq's test_connect_rid: a ROUTER names the peers it
// connects to, sends to them at once, and receives under that name.
func TestConnectPeer(t *testing.T) {
	for _, named := range []bool{false, true} {
		t.Run(fmt.Sprintf("named=%v", named), func(t *testing.T) {
			confEach(t, func(e *confEnv) {
				var opts socket.Options
				if named { // what the peer calls itself does not matter
					opts.Identity = []byte("Y")
				}
				bound, router := e.New(pattern.Router, &opts), e.New(pattern.Router, &socket.Options{Identity: []byte("me")})
				at := e.Bind(bound)
				if err := router.ConnectPeer(at, []byte("X")); err != nil {
					e.Fatal(err)
				}
				e.Send(router, "X", "hello")
				e.Want(bound, "me", "hello")
				e.Send(bound, "me", "back")
				e.Want(router, "X", "back")
				if err := router.TrySend([]byte("Y"), []byte("x")); !errors.Is(err, ringwire.ErrHostUnreachable) {
					e.Errorf("TrySend to the name that the peer has for itself = %v, want ErrHostUnreachable", err)
				}

				if err := router.ConnectPeer(at, []byte("X")); !errors.Is(err, ringwire.ErrRejected) {
					e.Errorf("ConnectPeer with a name in use = %v, want ErrRejected", err)
				}
				for _, bad := range []string{"", "\x00a", string(make([]byte, 256))} {
					if err := router.ConnectPeer(at, []byte(bad)); err == nil {
						e.Errorf("ConnectPeer with the name %.20q = nil, want an error", bad)
					}
				}
				e.Send(router, "X", "still there")
				e.Want(bound, "me", "still there")
			})
		})
	}
	confOn(t, "inproc", func(e *confEnv) {
		if err := e.New(pattern.Dealer, nil).ConnectPeer("inproc://x", []byte("X")); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("ConnectPeer on a DEALER = %v, want ErrUnsupported", err)
		}
	})
}

// TestConnectPeerWhileReceiving is the last case of test_connect_rid: peers
// are named while a Recv waits, and messages go both ways.
func TestConnectPeerWhileReceiving(t *testing.T) {
	confEach(t, func(e *confEnv) {
		router := e.New(pattern.Router, nil)
		first := e.New(pattern.Dealer, nil)
		if err := router.ConnectPeer(e.Bind(first), []byte("first")); err != nil {
			e.Fatal(err)
		}
		e.WaitPeers(router, 1)
		got := make(chan []string)
		go func() {
			defer close(got)
			for range 2 {
				m, err := router.Recv(e.ctx)
				if err != nil {
					e.Errorf("Recv = %v, want a message", err)
					return
				}
				got <- confText(m)
			}
		}()
		second := e.New(pattern.Dealer, nil)
		if err := router.ConnectPeer(e.Bind(second), []byte("second")); err != nil {
			e.Fatal(err)
		}
		for name, d := range map[string]*socket.Socket{"first": first, "second": second} {
			e.Send(router, name, "hello")
			e.Want(d, "hello")
			e.Send(d, "re")
			if m := <-got; !slices.Equal(m, []string{name, "re"}) {
				e.Errorf("Recv = %q, want %q and re", m, name)
			}
		}
		<-got
	})
}

// TestProbeRouter is libzmq's test_probe_router: an empty message announces
// who connects.
func TestProbeRouter(t *testing.T) {
	for _, spec := range []*pattern.Spec{pattern.Router, pattern.Dealer, pattern.Req} {
		t.Run(spec.Name(), func(t *testing.T) {
			confEach(t, func(e *confEnv) {
				server := e.New(pattern.Router, nil)
				client := e.New(spec, &socket.Options{Identity: []byte("X"), ProbeRouter: true})
				e.Connect(client, e.Bind(server))
				e.Want(server, "X", "")
				switch spec {
				case pattern.Req:
					e.Send(client, "ask")
					e.Want(server, "X", "", "ask")
					e.Send(server, "X", "", "hello")
				default:
					e.Send(server, "X", "hello")
				}
				if got := e.Recv(client); got[len(got)-1] != "hello" {
					e.Errorf("%s: Recv = %q, want hello", spec, got)
				}
			})
		})
	}
}

// TestIssue566 is libzmq's test_issue_566: a ROUTER sends to a peer with an
// explicit identity as soon as it is ready, every time.
func TestIssue566(t *testing.T) {
	confEach(t, func(e *confEnv) {
		router := e.New(pattern.Router, nil)
		at := e.Bind(router)
		for i := range 30 {
			id := fmt.Sprintf("id-%d", i)
			dealer := e.New(pattern.Dealer, &socket.Options{Identity: []byte(id)})
			e.Connect(dealer, at)
			e.WaitPeers(router, 1)
			e.Send(router, id, "hello")
			e.Want(dealer, "hello")
			e.Close(dealer)
			e.Until("the peer is gone", func() bool { return len(router.Peers()) == 0 })
		}
	})
}

// TestReqRepDevice is libzmq's test_reqrep_device: a ROUTER and a DEALER
// between REQ and REP, forwarded by hand, with messages of several frames.
func TestReqRepDevice(t *testing.T) {
	confEach(t, func(e *confEnv) {
		front, back := e.New(pattern.Router, nil), e.New(pattern.Dealer, nil)
		req, rep := e.New(pattern.Req, nil), e.New(pattern.Rep, nil)
		e.Join(front, req)
		e.Join(back, rep)
		pass := func(from, to *socket.Socket) {
			m, err := from.Recv(e.ctx)
			if err == nil {
				err = to.SendMessage(e.ctx, m)
			}
			if err != nil {
				e.Fatalf("%s to %s: %v", from.Type(), to.Type(), err)
			}
		}
		for range 3 {
			e.Send(req, confFrames...)
			pass(front, back)
			e.Want(rep, confFrames...)
			e.Send(rep, "re", "", "x")
			pass(back, front)
			e.Want(req, "re", "", "x")
		}
	})
}

// TestReqRepTCP is the rest of libzmq's test_reqrep_tcp: several endpoints in
// one REQ, IPv4 and IPv6, a source address.
func TestReqRepTCP(t *testing.T) {
	confOn(t, "tcp", func(e *confEnv) {
		req := e.New(pattern.Req, nil)
		var reps []*socket.Socket
		for range 3 {
			rep := e.New(pattern.Rep, nil)
			port := confPort(t, e.Bind(rep))
			e.Connect(req, "tcp://127.0.0.1:0;localhost:"+port)
			reps = append(reps, rep)
		}
		e.WaitPeers(req, len(reps))
		for i := range 6 {
			e.Send(req, fmt.Sprint(i))
			e.Want(reps[i%3], fmt.Sprint(i))
			e.Send(reps[i%3], "ok")
			e.Want(req, "ok")
		}

		rep := e.New(pattern.Rep, nil)
		bound, err := rep.Bind("tcp://*:0") // both families
		if err != nil {
			e.Fatal(err)
		}
		hosts := []string{"127.0.0.1"}
		if confHasIPv6() {
			hosts = append(hosts, "[::1]")
		} else {
			t.Log("no IPv6 on this machine: tested IPv4 only")
		}
		for _, host := range hosts {
			req := e.New(pattern.Req, nil)
			e.Connect(req, "tcp://"+host+":"+confPort(t, bound))
			e.Send(req, host)
			e.Want(rep, host)
			e.Send(rep, "ok")
			e.Want(req, "ok")
		}
	})
}
