package socket_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/transport"
)

// libzmq's tests of endpoints and connections.

// TestInprocConnect is libzmq's test_inproc_connect: both orders, many
// connectors, simultaneously, with identities, connecting only, unbinding,
// closing with a connection that waits.
func TestInprocConnect(t *testing.T) {
	run := func(name string, test func(e *confEnv)) {
		t.Run(name, func(t *testing.T) { confOn(t, "inproc", test) })
	}
	run("bind before connect", func(e *confEnv) {
		a, b := e.New(pattern.Pair, nil), e.New(pattern.Pair, nil)
		e.BindTo(a, "inproc://a")
		e.Connect(b, "inproc://a")
		e.Send(b, "foobar")
		e.Want(a, "foobar")
	})
	run("connect before bind, many connectors", func(e *confEnv) {
		const n = 20
		for i := range n {
			s := e.New(pattern.Push, nil)
			e.Connect(s, "inproc://a")
			e.Send(s, fmt.Sprint(i))
		}
		pull := e.New(pattern.Pull, nil)
		e.BindTo(pull, "inproc://a")
		got := make(map[string]bool)
		for range n {
			got[e.Recv(pull)[0]] = true
		}
		if len(got) != n {
			e.Errorf("%d different messages, want %d", len(got), n)
		}
	})
	run("one connector, many names", func(e *confEnv) {
		push := e.New(pattern.Push, nil)
		for i := range 5 {
			e.Connect(push, fmt.Sprint("inproc://", i))
			e.Send(push, fmt.Sprint(i))
		}
		for i := range 5 {
			pull := e.New(pattern.Pull, nil)
			e.BindTo(pull, fmt.Sprint("inproc://", i))
			e.Want(pull, fmt.Sprint(i))
		}
	})
	run("simultaneously", func(e *confEnv) {
		for i := range 100 {
			a, b := e.New(pattern.Pair, nil), e.New(pattern.Pair, nil)
			at := fmt.Sprint("inproc://", i)
			var wg sync.WaitGroup
			wg.Go(func() { a.Bind(at) })
			wg.Go(func() { b.Connect(at) })
			wg.Wait()
			e.Send(b, "there")
			e.Want(a, "there")
			e.Send(a, "back")
			e.Want(b, "back")
			e.Close(a)
			e.Close(b)
		}
	})
	run("identities", func(e *confEnv) {
		for _, bindFirst := range []bool{true, false} {
			at := e.Reserve()
			router := e.New(pattern.Router, &socket.Options{Identity: []byte("r")})
			dealer := e.New(pattern.Dealer, &socket.Options{Identity: []byte("d")})
			if bindFirst {
				e.BindTo(router, at)
			}
			e.Connect(dealer, at)
			e.Send(dealer, "hello")
			if !bindFirst {
				e.BindTo(router, at)
			}
			e.Want(router, "d", "hello")
			e.Send(router, "d", "world")
			e.Want(dealer, "world")
		}
	})
	run("connect only", func(e *confEnv) {
		s := e.New(pattern.Push, nil)
		e.Connect(s, "inproc://nobody")
		if err := s.Close(); err != nil {
			e.Errorf("Close = %v, want nil: nothing was queued", err)
		}
	})
	run("name in use", func(e *confEnv) {
		a, b := e.New(pattern.Pull, nil), e.New(pattern.Pull, nil)
		e.BindTo(a, "inproc://a")
		if _, err := b.Bind("inproc://a"); !errors.Is(err, syscall.EADDRINUSE) {
			e.Errorf("Bind to a name in use = %v, want EADDRINUSE", err)
		}
		e.Close(a)
		e.BindTo(b, "inproc://a")
	})
	run("unbind", func(e *confEnv) {
		a, b := e.New(pattern.Pull, nil), e.New(pattern.Push, nil)
		e.BindTo(a, "inproc://a")
		if err := a.Unbind("inproc://a"); err != nil {
			e.Fatal(err)
		}
		e.Connect(b, "inproc://a")
		e.Send(b, "for the next")
		c := e.New(pattern.Pull, nil)
		e.BindTo(c, "inproc://a")
		e.Want(c, "for the next")
	})
}

// TestInprocRequestBeforeBind: a request that waits for the bind may be
// answered before the requester knows that it is connected; the answer counts.
func TestInprocRequestBeforeBind(t *testing.T) {
	e := confNew(t, "inproc")
	rep := e.New(pattern.Rep, nil)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer e.Close(rep)
	wg.Go(func() {
		for {
			m, err := rep.Recv(e.ctx)
			if err != nil || rep.SendMessage(e.ctx, m) != nil {
				return
			}
		}
	})
	for i := range 2000 {
		at := fmt.Sprint("inproc://", i)
		req := e.New(pattern.Req, nil)
		e.Connect(req, at)
		e.Send(req, at)
		e.BindTo(rep, at)
		e.Want(req, at)
		e.Close(req)
		if err := rep.Unbind(at); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDisconnect is libzmq's test_disconnect_inproc: a disconnect takes
// the subscriptions away and stops delivery; connecting again brings both
// back.
func TestDisconnect(t *testing.T) {
	confEach(t, func(e *confEnv) {
		pub, sub := e.New(pattern.XPub, nil), e.New(pattern.Sub, nil)
		e.Subscribe(sub, "foo")
		at := e.Bind(pub)
		for i := range 3 {
			e.Connect(sub, at)
			e.Want(pub, "\x01foo")
			e.Send(pub, "foo", fmt.Sprint(i))
			e.Want(sub, "foo", fmt.Sprint(i))
			if err := sub.Disconnect(at); err != nil {
				e.Fatal(err)
			}
			e.Want(pub, "\x00foo")
			e.Send(pub, "foo", "to nobody")
			e.Until("both sides have noticed", func() bool { return len(sub.Peers())+len(pub.Peers()) == 0 })
			e.WantNone(sub)
		}
		if err := sub.Disconnect(at); err == nil {
			e.Error("a second Disconnect = nil, want an error")
		}
	})
}

// TestLastEndpoint is libzmq's test_last_endpoint: Bind returns the endpoint
// as it really is, for each of several.
func TestLastEndpoint(t *testing.T) {
	confOn(t, "tcp", func(e *confEnv) {
		s := e.New(pattern.Router, nil)
		a, b := e.Bind(s), e.Bind(s)
		if a == b || confPort(t, a) == "0" || confPort(t, b) == "0" {
			e.Errorf("Bind = %s and %s, want two different real ports", a, b)
		}
		other := e.New(pattern.Pull, nil)
		if _, err := other.Bind(a); !errors.Is(err, syscall.EADDRINUSE) {
			e.Errorf("Bind to a port in use = %v, want EADDRINUSE", err)
		}
	})
}

// TestUnbindWildcard is libzmq's test_unbind_wildcard and test_term_endpoint:
// a wildcard bind is undone by what Bind was given or by what it returned; an
// unknown endpoint is an error.
func TestUnbindWildcard(t *testing.T) {
	confOn(t, "tcp", func(e *confEnv) {
		wildcards := []string{"tcp://127.0.0.1:0", "tcp://*:0", "tcp://127.0.0.1:*", "tcp://*:*"}
		if confHasIPv6() {
			wildcards = append(wildcards, "tcp://[::1]:0", "tcp://[::1]:*")
		}
		for _, given := range wildcards {
			s := e.New(pattern.Pull, nil)
			bound := e.BindTo(s, given)
			if bound == given {
				e.Errorf("Bind(%s) = %s, want the real port", given, bound)
			}
			if err := s.Unbind(bound); err != nil {
				e.Errorf("Unbind(%s) after Bind(%s) = %v, want nil", bound, given, err)
			}
			if err := s.Unbind(bound); err == nil {
				e.Errorf("a second Unbind(%s) = nil, want an error", bound)
			}
			e.BindTo(s, given)
			if err := s.Unbind(given); err != nil {
				e.Errorf("Unbind(%s) = %v, want nil", given, err)
			}
			again := e.New(pattern.Pull, nil)
			e.BindTo(again, bound) // the port is free again
		}
	})
}

// TestTermEndpoint is the rest of libzmq's test_term_endpoint: after Unbind
// and after Disconnect there is nobody to send to.
func TestTermEndpoint(t *testing.T) {
	confEach(t, func(e *confEnv) {
		push, pull := e.New(pattern.Push, nil), e.New(pattern.Pull, &socket.Options{ReconnectMin: -1})
		at := e.Join(push, pull)
		e.Send(push, "a")
		e.Want(pull, "a")
		if err := push.Unbind(at); err != nil {
			e.Fatal(err)
		}
		e.Until("the connection is closed", func() bool { return len(push.Peers()) == 0 })
		e.WantFull(push, "b")

		push, pull = e.New(pattern.Push, nil), e.New(pattern.Pull, nil)
		at = e.Join(pull, push)
		e.Send(push, "a")
		if err := push.Disconnect(at); err != nil {
			e.Fatal(err)
		}
		e.Want(pull, "a") // accepted before: delivered
		e.WantFull(push, "b")
		e.WantNone(pull)
	})
}

// TestBindAfterConnect is libzmq's test_bind_after_connect_tcp.
func TestBindAfterConnect(t *testing.T) {
	confEach(t, func(e *confEnv) {
		at := e.Reserve()
		a, b := e.New(pattern.Dealer, nil), e.New(pattern.Dealer, nil)
		e.Connect(a, at)
		for i := range 6 {
			e.Send(a, fmt.Sprint(i))
		}
		e.BindTo(b, at)
		for i := range 6 {
			e.Want(b, fmt.Sprint(i))
			e.Send(b, fmt.Sprint(i))
			e.Want(a, fmt.Sprint(i))
		}
	})
}

// TestEndpointSyntax is libzmq's test_connect_resolve and test_bind_src_address:
// what Connect takes, and what it refuses at once.
func TestEndpointSyntax(t *testing.T) {
	s := confNew(t, "tcp").New(pattern.Pub, nil)
	for _, good := range []string{
		"tcp://localhost:1234", "tcp://[::1]:1234", "tcp://127.0.0.1:1234", "tcp://no-such-host.invalid:1234",
		"tcp://127.0.0.1:0;localhost:1234", "tcp://127.0.0.1:5555;127.0.0.1:1234", "tcp://lo:0;127.0.0.1:1234",
		"tcp://[::1]:0;[::1]:1234", "ipc:///tmp/rw-nobody", "inproc://nobody",
	} {
		if err := s.Connect(good); err != nil {
			t.Errorf("Connect(%q) = %v, want nil", good, err)
		}
	}
	for _, bad := range []string{
		"", "tcp", "tcp:", "tcp://", "://x", "tcp://localhost", "tcp://localhost:", "tcp://localhost:invalid",
		"tcp://in val id:1234", "tcp://*:1234", "tcp://127.0.0.1:*", "tcp://127.0.0.1:0", "tcp://127.0.0.1:65537",
		"tcp://127.0.0.1:6000/foo", "tcp://;127.0.0.1:1234", "ipc://", "ipc://@", "ipc://*", "inproc://",
		"ipc://" + strings.Repeat("x", 200), "inproc://" + strings.Repeat("x", 300),
	} {
		err := s.Connect(bad)
		var wrong *transport.EndpointError
		var op *ringwire.OpError
		if !errors.As(err, &wrong) || !errors.As(err, &op) {
			t.Errorf("Connect(%.40q) = %v, want an *EndpointError in an *OpError", bad, err)
		}
	}
	for _, unknown := range []string{"invalid://localhost:1234", "udp://127.0.0.1:1234", "pgm://eth0;1.2.3.4:5"} {
		if err := s.Connect(unknown); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("Connect(%q) = %v, want ErrUnsupported", unknown, err)
		}
	}
	if n := len(s.Peers()); n != 10 {
		t.Errorf("%d peers, want the 10 endpoints that were accepted", n)
	}
}

// TestReconnectNever is libzmq's test_reconnect_ivl: with ReconnectMin -1 a
// lost connection stays lost until Connect is called again.
func TestReconnectNever(t *testing.T) {
	confEach(t, func(e *confEnv) {
		for _, never := range []bool{false, true} {
			var opts socket.Options
			if never {
				opts.ReconnectMin = -1
			}
			at := e.Reserve()
			a, b := e.New(pattern.Pair, nil), e.New(pattern.Pair, &opts)
			e.BindTo(a, at)
			e.Connect(b, at)
			e.WaitPeers(b, 1)
			if err := a.Unbind(at); err != nil {
				e.Fatal(err)
			}
			e.Until("both have lost the connection", func() bool { return a.Stats().Peers+b.Stats().Peers == 0 })
			e.BindTo(a, at)
			if never {
				ctx, cancel := context.WithTimeout(e.ctx, 5*confBlocked)
				if err := b.WaitPeers(ctx, 1); !errors.Is(err, context.DeadlineExceeded) {
					e.Errorf("WaitPeers without reconnecting = %v, want DeadlineExceeded", err)
				}
				cancel()
				if err := b.Disconnect(at); err != nil {
					e.Fatal(err)
				}
				e.Connect(b, at)
			}
			e.Send(b, "back")
			e.Want(a, "back")
			e.Close(a)
			e.Close(b)
		}
	})
}

// TestSecondConnect: a second Connect to the same endpoint is ignored by
// DEALER, SUB, PUB and REQ, and another connection elsewhere.
func TestSecondConnect(t *testing.T) {
	confEach(t, func(e *confEnv) {
		for _, c := range []struct {
			spec, bound *pattern.Spec
			want        int
		}{
			{pattern.Dealer, pattern.Router, 1}, {pattern.Sub, pattern.Pub, 1}, {pattern.Pub, pattern.Sub, 1},
			{pattern.Req, pattern.Rep, 1}, {pattern.Push, pattern.Pull, 2}, {pattern.Pull, pattern.Push, 2},
			{pattern.Rep, pattern.Dealer, 2}, {pattern.Router, pattern.Router, 2}, {pattern.XPub, pattern.Sub, 2},
			{pattern.XSub, pattern.Pub, 2},
		} {
			s, b := e.New(c.spec, nil), e.New(c.bound, nil)
			at := e.Bind(b)
			e.Connect(s, at, at)
			if n := len(s.Peers()); n != c.want {
				e.Errorf("%s: %d peers after two calls of Connect, want %d", c.spec, n, c.want)
			}
			e.WaitPeers(b, c.want)
			if err := s.Disconnect(at); err != nil { // ends both
				e.Fatal(err)
			}
			e.Until("all connections are closed", func() bool { return len(s.Peers())+len(b.Peers()) == 0 })
			e.Connect(s, at) // not ignored: the first is gone
			e.WaitPeers(b, 1)
		}
	})
}

// TestShutdownStress is libzmq's test_shutdown_stress: sockets are closed by
// many goroutines while they connect.
func TestShutdownStress(t *testing.T) {
	confEach(t, func(e *confEnv) {
		for range 3 {
			pub := e.New(pattern.Pub, nil)
			at := e.Bind(pub)
			var wg sync.WaitGroup
			for range 50 {
				sub := e.New(pattern.Sub, nil)
				e.Subscribe(sub, "")
				wg.Go(func() {
					if err := sub.Connect(at); err != nil {
						e.Errorf("Connect = %v, want nil", err)
					}
					if err := sub.Close(); err != nil {
						e.Errorf("Close = %v, want nil", err)
					}
				})
			}
			wg.Go(func() { pub.Close() })
			wg.Wait()
		}
	})
}

// TestCloseEndsWaits is what libzmq's test_ctx_destroy has of sockets: Close
// ends every call that waits, and every later call says so.
func TestCloseEndsWaits(t *testing.T) {
	confEach(t, func(e *confEnv) {
		s := e.New(pattern.Dealer, nil)
		e.Bind(s)
		const n = 5
		results := make(chan error, 3*n)
		for range n {
			go func() { _, err := s.Recv(e.ctx); results <- err }()
			go func() { results <- s.Send(e.ctx, nil) }()
			go func() { results <- s.WaitPeers(e.ctx, 1) }()
		}
		if err := s.Close(); err != nil {
			e.Errorf("Close = %v, want nil", err)
		}
		for range 3 * n {
			select {
			case err := <-results:
				if !errors.Is(err, ringwire.ErrClosed) {
					e.Errorf("a call that Close ended = %v, want ErrClosed", err)
				}
			case <-time.After(confGuard):
				e.Fatal("a call still waits after Close")
			}
		}
		_, errRecv := s.Recv(e.ctx)
		_, errBind := s.Bind(e.Reserve())
		for name, err := range map[string]error{
			"Send": s.Send(e.ctx, nil), "TrySend": s.TrySend(nil), "Recv": errRecv, "Bind": errBind,
			"Connect": s.Connect("inproc://x"), "Unbind": s.Unbind("inproc://x"), "Disconnect": s.Disconnect("inproc://x"),
			"WaitPeers": s.WaitPeers(e.ctx, 1),
		} {
			if !errors.Is(err, ringwire.ErrClosed) {
				e.Errorf("%s on a closed socket = %v, want ErrClosed", name, err)
			}
		}
		if err := s.Close(); err != nil {
			e.Errorf("a second Close = %v, want nil", err)
		}
	})
}
