package socket_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// waitsFor returns what WaitPeers and WaitSubscribers say when nothing is waited for
// any more.
func waitsFor(t *testing.T, s *socket.Socket, n int) []error {
	t.Helper()
	over, cancel := context.WithCancel(t.Context())
	cancel()
	list := []error{s.WaitPeers(over, n), s.WaitSubscribers(over, "", n)}
	for _, err := range list {
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("waiting for %d with a cancelled context: got %v", n, err)
		}
	}
	return list
}

// TestWaitSaysWhomABoundSocketRefused: the side that is bound says why a client is
// missing, though another came in.
func TestWaitSaysWhomABoundSocketRefused(t *testing.T) {
	server, client := curveOptions(t)
	pub := hostileSocket(t, pattern.Pub, server)
	defer pub.Close()
	events := hostileWatch(pub)
	at := "tcp://" + hostileBind(t, pub, "tcp://127.0.0.1:0")
	for _, err := range waitsFor(t, pub, 1) {
		if errors.Is(err, ringwire.ErrRejected) || strings.Contains(err.Error(), "refusal") {
			t.Errorf("before anybody came: got %v, want no refusal", err)
		}
	}
	stranger := hostileSocket(t, pattern.Sub, &socket.Options{ReconnectMin: -1})
	defer stranger.Close()
	if err := stranger.Connect(at); err != nil {
		t.Fatal(err)
	}
	refused := events.wait(t, "the refusal", func(e *socket.Event) bool { return e.Kind == socket.Rejected })
	friend := hostileSocket(t, pattern.Sub, client)
	defer friend.Close()
	if err := friend.Connect(at); err != nil {
		t.Fatal(err)
	}
	if err := pub.WaitPeers(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	for _, err := range waitsFor(t, pub, 2) {
		if !errors.Is(err, ringwire.ErrRejected) || !strings.Contains(err.Error(), refused.Remote) || !strings.Contains(err.Error(), "the peer's mechanism is NULL, ours is CURVE") {
			t.Errorf("got %v, want that %s was refused for its mechanism", err, refused.Remote)
		}
	}
}

// TestWaitSaysWhyNobodyIsThere: a connecting socket says that nobody listens, and once
// it was connected says so no more.
func TestWaitSaysWhyNobodyIsThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := "tcp://" + l.Addr().String()
	l.Close()
	pub := hostileSocket(t, pattern.Pub, nil)
	defer pub.Close()
	events := hostileWatch(pub)
	if err := pub.Connect(at); err != nil {
		t.Fatal(err)
	}
	attempt := events.wait(t, "an attempt", func(e *socket.Event) bool { return e.Kind == socket.ConnectRetried })
	for _, err := range waitsFor(t, pub, 1) {
		if _, dial := errors.AsType[*net.OpError](err); !dial || attempt.Err == nil || !strings.Contains(err.Error(), at) {
			t.Errorf("got %v, want the connection to %s refused", err, at)
		}
	}
	sub := hostileSocket(t, pattern.Sub, nil)
	defer sub.Close()
	if _, err := sub.Bind(at); err != nil {
		t.Fatal(err)
	}
	if err := pub.WaitPeers(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	for _, err := range waitsFor(t, pub, 2) {
		if _, dial := errors.AsType[*net.OpError](err); dial {
			t.Errorf("once connected: got %v, want no refusal in it", err)
		}
	}
}
