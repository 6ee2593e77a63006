package main

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// TestNoArguments: a forwarder on the documented ports, and one line that says so.
func TestNoArguments(t *testing.T) {
	for _, at := range []string{defaultFrontend, defaultBackend, defaultAdmin} {
		l, err := net.Listen("tcp", strings.TrimPrefix(at, "tcp://"))
		if err != nil {
			t.Skipf("a documented port is in use on this machine: %v", err)
		}
		l.Close()
	}
	p := startBare(t, nil)
	want := "forwarder: publishers connect to tcp://127.0.0.1:5559, subscribers connect to tcp://127.0.0.1:5560, watch http://127.0.0.1:5561\n"
	if p.greeting != want {
		t.Errorf("it says %q, want %q", p.greeting, want)
	}
	sub := newSocket(t, pattern.Sub, nil, defaultBackend)
	pub := newSocket(t, pattern.Pub, nil, defaultFrontend)
	if err := pub.WaitSubscribers(patience(t), "", 1); err != nil {
		t.Fatal(err)
	}
	send(t, pub, "topic", "body")
	if got := recv(t, sub); got != "[topic body]" {
		t.Errorf("got %s", got)
	}
}

// TestKinds moves messages through each kind, over tcp and ipc, and between the
// two with endpoints that are connected.
func TestKinds(t *testing.T) {
	t.Run("queue", func(t *testing.T) {
		p := start(t, "--kind", "queue", "--log-format", "json")
		if !strings.HasPrefix(p.greeting, "forwarder: clients connect to tcp://127.0.0.1:") || !strings.Contains(p.greeting, "workers connect to") {
			t.Errorf("it says %q", p.greeting)
		}
		req := newSocket(t, pattern.Req, nil, p.frontend)
		rep := newSocket(t, pattern.Rep, nil, p.backend)
		for i := range 10 {
			send(t, req, fmt.Sprint("request ", i))
			if got, want := recv(t, rep), fmt.Sprintf("[request %d]", i); got != want {
				t.Fatalf("the worker got %s, want %s", got, want)
			}
			send(t, rep, fmt.Sprint("reply ", i))
			if got, want := recv(t, req), fmt.Sprintf("[reply %d]", i); got != want {
				t.Fatalf("the client got %s, want %s", got, want)
			}
		}
		p.logs(`"msg":"forwarding","kind":"queue"`)
	})
	t.Run("streamer", func(t *testing.T) {
		// Two in a row; the second one connects to the first.
		first := start(t, "--kind", "streamer")
		second := start(t, "--kind", "streamer", "--frontend", "connect:"+first.backend)
		if want := "it connects to producers at " + first.backend; !strings.Contains(second.greeting, want) {
			t.Errorf("it says %q, want %q", second.greeting, want)
		}
		push := newSocket(t, pattern.Push, nil, first.frontend)
		pull := newSocket(t, pattern.Pull, nil, second.backend)
		for i := range 10 {
			send(t, push, fmt.Sprint(i))
		}
		for i := range 10 {
			if got, want := recv(t, pull), fmt.Sprintf("[%d]", i); got != want {
				t.Fatalf("got %s, want %s", got, want)
			}
		}
	})
}

// TestLimits: what --max-connections and --max-message-size refuse.
func TestLimits(t *testing.T) {
	p := start(t, "--max-connections", "1", "--max-message-size", "1KiB", "--kind", "streamer")
	push := newSocket(t, pattern.Push, named("first"), p.frontend)
	if err := push.WaitPeers(patience(t), 1); err != nil {
		t.Fatal(err)
	}
	newSocket(t, pattern.Push, &socket.Options{ReconnectMin: -1}, p.frontend)
	eventually(t, "the second one is refused", func() bool { s := p.stats(); return s.Frontend.HandshakesFailed >= 1 && s.Frontend.Peers == 1 })
	send(t, push, strings.Repeat("x", 1025))
	eventually(t, "the large message is refused", func() bool { return p.stats().Frontend.Disconnects >= 1 })
	p.logs("too large")
}
