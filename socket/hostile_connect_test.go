package socket_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// hostileServer accepts on a port and does the same to everybody.
type hostileServer struct {
	listener net.Listener
	wg       sync.WaitGroup
}

func hostileServe(t *testing.T, do func(conn net.Conn)) *hostileServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &hostileServer{listener: l}
	s.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.wg.Go(func() {
				defer conn.Close()
				conn.SetDeadline(time.Now().Add(hostileGuard))
				do(conn)
			})
		}
	})
	t.Cleanup(s.close)
	return s
}

func (s *hostileServer) close() {
	s.listener.Close()
	s.wg.Wait()
}

// hostileScript is what a server writes before it waits for us to hang up.
func hostileScript(pieces ...[]byte) func(net.Conn) {
	all := bytes.Join(pieces, nil)
	return func(conn net.Conn) {
		conn.Write(all)
		io.Copy(io.Discard, conn)
	}
}

// hostileClients are the connecting types and what they talk to.
var hostileClients = []struct{ victim, peer *pattern.Spec }{
	{pattern.Pull, pattern.Push}, {pattern.Sub, pattern.Pub}, {pattern.Push, pattern.Pull}, {pattern.Dealer, pattern.Router}, {pattern.Req, pattern.Rep},
}

// A hostile server is tried again for ever, ever more slowly, without harm to
// the socket's other connections; a good one in its place is found.
func TestHostileServer(t *testing.T) {
	type attack struct {
		name string
		do   func(peer string) func(net.Conn)
		kind socket.EventKind
		why  error
		late bool // after a handshake that is in order
	}
	script := func(pieces ...[]byte) func(string) func(net.Conn) {
		return func(string) func(net.Conn) { return hostileScript(pieces...) }
	}
	traffic := func(pieces ...[]byte) func(string) func(net.Conn) {
		return func(peer string) func(net.Conn) {
			return hostileScript(append([][]byte{hostileHello, hostileReady(peer)}, pieces...)...)
		}
	}
	gone := func(string) func(net.Conn) {
		return func(conn net.Conn) { io.ReadFull(conn, make([]byte, 64)) }
	}
	cut := func(peer string) func(net.Conn) {
		return func(conn net.Conn) {
			conn.Write(bytes.Join([][]byte{hostileHello, hostileReady(peer), hostileFrame(hostileMore, []byte("half"))}, nil))
			conn.(*net.TCPConn).CloseWrite()
			io.Copy(io.Discard, conn)
		}
	}
	const rejected, failed, lost = socket.Rejected, socket.HandshakeFailed, socket.Disconnected
	for _, x := range []attack{
		{"garbage", script([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")), failed, ringwire.ErrProtocol, false},
		{"old version", script(hostileGreeting(1, 0, "", 0)), failed, ringwire.ErrProtocol, false},
		{"silent", script(), failed, os.ErrDeadlineExceeded, false},
		{"silent after the greeting", script(hostileHello), failed, os.ErrDeadlineExceeded, false},
		{"other mechanism", script(hostileGreeting(3, 1, "CURVE", 0)), rejected, ringwire.ErrRejected, false},
		{"wrong type", script(hostileHello, hostileReady("PAIR")), rejected, ringwire.ErrRejected, false},
		{"refuses", script(hostileHello, hostileCmd("ERROR", 4, 'f', 'u', 'l', 'l')), rejected, ringwire.ErrRejected, false},
		{"huge READY", script(hostileHello, hostileHeader(hostileCommand, 1<<40)), failed, ringwire.ErrTooLarge, false},
		{"message first", script(hostileHello, hostileFrame(0, []byte("x"))), failed, ringwire.ErrProtocol, false},
		{"hangs up", gone, failed, nil, false},
		{"READY twice", traffic(hostileReady("PUSH")), lost, ringwire.ErrProtocol, true},
		{"bad PING", traffic(hostileCmd("PING", 1)), lost, ringwire.ErrProtocol, true},
		{"ERROR", traffic(hostileCmd("ERROR", 0)), lost, ringwire.ErrRejected, true},
		{"oversize", traffic(hostileHeader(0, 1<<40)), lost, ringwire.ErrTooLarge, true},
		{"half a message", cut, lost, io.EOF, true},
	} {
		t.Run(x.name, func(t *testing.T) {
			for _, c := range hostileClients {
				if x.late && c.victim.Sends() {
					continue // a server that seems good is given messages
				}
				t.Run(c.victim.Name(), func(t *testing.T) {
					hostileBackOff(t, c.victim, c.peer, x.do(c.peer.Name()), x.kind, x.why)
				})
			}
		})
	}
}

func hostileBackOff(t *testing.T, spec, peer *pattern.Spec, do func(net.Conn), kind socket.EventKind, why error) {
	const attempts, first, most = 14, time.Millisecond, 8 * time.Millisecond
	before := hostileUse()
	var patience time.Duration // a handshake in order must not run out of it
	if why == os.ErrDeadlineExceeded {
		patience = 10 * time.Millisecond
	}
	server := hostileServe(t, do)
	address := "tcp://" + server.listener.Addr().String()
	s := hostileSocket(t, spec, &socket.Options{ReconnectMin: first, ReconnectMax: most, HandshakeTimeout: patience, Immediate: true})
	defer s.Close()
	events := hostileWatch(s)
	good := hostileSocket(t, peer, nil)
	defer good.Close()
	at := hostileBind(t, good, "tcp://127.0.0.1:0")
	for _, x := range []*socket.Socket{s, good} {
		if x.Type().Subscribes() {
			if err := x.Subscribe("good"); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, endpoint := range []string{address, "tcp://" + at} {
		if err := s.Connect(endpoint); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), hostileGuard)
	defer cancel()
	if err := good.WaitPeers(ctx, 1); err != nil {
		t.Fatal(err)
	}
	n := 0
	exchange := func() {
		t.Helper()
		if spec == pattern.Sub {
			if err := good.WaitSubscribers(ctx, "good", 1); err != nil {
				t.Fatal(err)
			}
		}
		a, b := s, good
		if spec.Sends() {
			a, b = good, s
		}
		if err := hostileExchange(ctx, a, b, n); err != nil {
			t.Fatalf("message %d: %v", n, err)
		}
		n++
	}
	about := func(k socket.EventKind) []socket.Event {
		return events.find(func(e *socket.Event) bool { return e.Kind == k && e.Endpoint == address })
	}
	for end := time.Now().Add(hostileGuard); len(about(socket.ConnectRetried)) < attempts; exchange() {
		if time.Now().After(end) {
			t.Fatalf("attempts in %v: got %d, want %d", hostileGuard, len(about(socket.ConnectRetried)), attempts)
		}
	}
	ends := events.find(func(e *socket.Event) bool { return hostileEnds(e.Kind) && e.Endpoint == address })
	for _, ev := range ends {
		if ev.Kind != kind || ev.Err == nil || why != nil && !errors.Is(ev.Err, why) {
			t.Fatalf("event: got %v with %v, want %v with %v", ev.Kind, ev.Err, kind, why)
		}
	}
	if len(ends) < attempts {
		t.Errorf("events about %d attempts: got %d, want one each", attempts, len(ends))
	}
	bound, slower := first, false
	for i, ev := range about(socket.ConnectRetried) {
		if ev.Retry <= 0 || ev.Retry > bound {
			t.Errorf("pause %d: got %v, want up to %v", i, ev.Retry, bound)
		}
		slower = slower || ev.Retry > first
		bound = min(2*bound, most)
	}
	if !slower { // by chance: once in 10^11
		t.Errorf("%d pauses: got none over %v, want them to grow to %v", attempts, first, most)
	}
	if kind != socket.Disconnected && (errors.Is(why, ringwire.ErrRejected) || errors.Is(why, ringwire.ErrProtocol)) {
		hostileRefusal(t, s, 2, why)
	}

	server.close()
	next := hostileSocket(t, peer, nil)
	defer next.Close()
	if _, err := next.Bind(address); err != nil {
		t.Fatal(err)
	}
	if err := s.WaitPeers(ctx, 2); err != nil {
		t.Fatalf("a good server takes the address: %v", err)
	}
	if err := good.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Disconnect("tcp://" + at); err != nil {
		t.Error(err)
	}
	good = next
	hostileUntil(t, "the first server to be forgotten", func() bool { return len(s.Peers()) == 1 })
	exchange()
	for _, x := range []*socket.Socket{s, next} {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	}
	before.returns(t, 0)
}

// hostileRefusal checks what WaitPeers says about a peer that is missing.
func hostileRefusal(t *testing.T, s *socket.Socket, n int, why error) {
	t.Helper()
	over, cancel := context.WithCancel(t.Context())
	cancel()
	err := s.WaitPeers(over, n)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("WaitPeers for %d with a cancelled context: got %v", n, err)
	}
	if refused := errors.Is(err, ringwire.ErrRejected) || errors.Is(err, ringwire.ErrProtocol); refused != (why != nil) || why != nil && !errors.Is(err, why) {
		t.Errorf("WaitPeers for %d: got %v, want the refusal %v in it", n, err, why)
	}
}

// A refusal is forgotten once the endpoint is connected: it is not why a
// further peer is missing.
func TestHostileServerForgiven(t *testing.T) {
	server := hostileServe(t, hostileScript(hostileHello, hostileReady("PAIR")))
	address := "tcp://" + server.listener.Addr().String()
	s := hostileSocket(t, pattern.Pull, &socket.Options{ReconnectMin: time.Millisecond, ReconnectMax: time.Millisecond})
	defer s.Close()
	events := hostileWatch(s)
	if err := s.Connect(address); err != nil {
		t.Fatal(err)
	}
	events.wait(t, "a refusal", func(e *socket.Event) bool {
		return e.Kind == socket.ConnectRetried && errors.Is(e.Err, ringwire.ErrRejected)
	})
	hostileRefusal(t, s, 1, ringwire.ErrRejected)
	server.close()
	good := hostileSocket(t, pattern.Push, nil)
	defer good.Close()
	if _, err := good.Bind(address); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), hostileGuard)
	defer cancel()
	if err := s.WaitPeers(ctx, 1); err != nil {
		t.Fatal(err)
	}
	hostileRefusal(t, s, 2, nil)
}
