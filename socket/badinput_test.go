package socket_test

import (
	"context"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/transport"
)

var hostileSpecs = []*pattern.Spec{pattern.Pair, pattern.Pub, pattern.Sub, pattern.XPub, pattern.XSub, pattern.Req, pattern.Rep,
	pattern.Dealer, pattern.Router, pattern.Push, pattern.Pull}

// hostileSound is a socket with a peer: refused calls must leave both whole.
type hostileSound struct {
	t    *testing.T
	s    *socket.Socket
	peer *socket.Socket
	n    int
}

func hostileWhole(t *testing.T, spec, peer *pattern.Spec) *hostileSound {
	t.Helper()
	h := &hostileSound{t: t, s: hostileSocket(t, spec, nil), peer: hostileSocket(t, peer, &socket.Options{Identity: []byte("good")})}
	t.Cleanup(func() {
		for _, s := range []*socket.Socket{h.s, h.peer} {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	at := hostileBind(t, h.s, "tcp://127.0.0.1:0")
	if err := h.peer.Connect("tcp://" + at); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), hostileGuard)
	defer cancel()
	for _, s := range []*socket.Socket{h.s, h.peer} {
		if s.Type().Subscribes() {
			if err := s.Subscribe("good"); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.WaitPeers(ctx, 1); err != nil {
			t.Fatal(err)
		}
	}
	h.works()
	return h
}

// works exchanges a message.
func (h *hostileSound) works() {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), hostileGuard)
	defer cancel()
	for _, s := range []*socket.Socket{h.s, h.peer} {
		if s.Type() == pattern.Pub || s.Type() == pattern.XPub {
			if err := s.WaitSubscribers(ctx, "good", 1); err != nil {
				h.t.Fatal(err)
			}
		}
	}
	a, b := h.s, h.peer
	if !a.Type().Receives() || a.Type() == pattern.Req || a.Type() == pattern.Dealer {
		a, b = b, a
	}
	if err := hostileExchange(ctx, a, b, h.n); err != nil {
		h.t.Fatalf("message %d: %v", h.n, err)
	}
	h.n++
}

// refused checks that a call fails with an OpError that is why and names the
// value, and that it changed nothing.
func (h *hostileSound) refused(what string, call func() error, why error, names ...string) {
	h.t.Helper()
	use, peers, stats := hostileUse(), len(h.s.Peers()), h.s.Stats()
	err := call()
	hostileRefused(h.t, what, err, why, names...)
	now := h.s.Stats()
	if got := len(h.s.Peers()); got != peers || now.Peers != stats.Peers {
		h.t.Errorf("%s: got %d peers after it, want %d", what, got, peers)
	}
	if now.Accepted != stats.Accepted || now.SendQueued != stats.SendQueued || now.Unmatched != stats.Unmatched {
		h.t.Errorf("%s: got %+v after it, want %+v", what, now, stats)
	}
	use.returns(h.t, 0)
	h.works()
}

// hostileRefused checks an error alone.
func hostileRefused(t *testing.T, what string, err, why error, names ...string) {
	t.Helper()
	op, ok := err.(*ringwire.OpError)
	if !ok || op.Op == "" || op.Err == nil {
		t.Errorf("%s: got error %T %v, want a *ringwire.OpError", what, err, err)
		return
	}
	if why != nil && !errors.Is(err, why) {
		t.Errorf("%s: got error %v, want %v", what, err, why)
	}
	for _, name := range names {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got error %q, want %q in it", what, err, name)
		}
	}
	if n := len(err.Error()); n > 4<<10 {
		t.Errorf("%s: got an error text of %d bytes, want one that can be read", what, n)
	}
}

func TestBadEndpoints(t *testing.T) {
	const both, bind, connect = 0, 1, 2
	h := hostileWhole(t, pattern.Pull, pattern.Push)
	for _, x := range []struct {
		endpoint string
		how      int
		part     string
		why      error
	}{
		{"", both, "scheme", nil}, {"tcp", both, "scheme", nil}, {"127.0.0.1:5555", both, "scheme", nil}, {"tcp:/127.0.0.1:1", both, "scheme", nil},
		{"://x", both, "scheme", nil}, {"TCP://127.0.0.1:1", both, "scheme", nil}, {"t\x00p://x", both, "scheme", nil},
		{"udp://127.0.0.1:1", both, "scheme", errors.ErrUnsupported}, {"pgm://x", both, "scheme", errors.ErrUnsupported},
		{"tcp://", both, "address", nil}, {"ipc://", both, "address", nil}, {"inproc://", both, "address", nil},
		{"tcp://:5555", both, "host", nil}, {"tcp://:", both, "", nil}, {"tcp://127.0.0.1", both, "port", nil}, {"tcp://127.0.0.1:", both, "port", nil},
		{"tcp://127.0.0.1:65536", both, "port", nil}, {"tcp://127.0.0.1:70000", both, "port", nil}, {"tcp://127.0.0.1:abc", both, "port", nil},
		{"tcp://127.0.0.1:-1", both, "port", nil}, {"tcp://127.0.0.1:99999999999999999999", both, "port", nil}, {"tcp://127.0.0.1: 1", both, "port", nil},
		{"tcp://127.0.0.1:1:2", both, "", nil}, {"tcp://[::1:1", both, "", nil}, {"tcp://127.0.0.1\x00:1", both, "host", nil},
		{"tcp://*:5555", connect, "host", nil}, {"tcp://127.0.0.1:0", connect, "port", nil}, {"tcp://127.0.0.1:*", connect, "port", nil},
		{"ipc://*", connect, "path", nil}, {"ipc://@", both, "abstract name", nil}, {"ipc:///tmp/" + strings.Repeat("x", 200), both, "path", nil},
		{"ipc:///tmp/a\x00b", both, "path", nil}, {"inproc://" + strings.Repeat("x", 257), both, "name", nil},
	} {
		if x.how != connect {
			h.refused("Bind", func() error { _, err := h.s.Bind(x.endpoint); return err }, x.why, x.endpoint, x.part)
		}
		if x.how != bind {
			h.refused("Connect", func() error { return h.s.Connect(x.endpoint) }, x.why, x.endpoint, x.part)
		}
		_, err := h.s.Bind(x.endpoint)
		if x.how == connect {
			err = h.s.Connect(x.endpoint)
		}
		var syntax *transport.EndpointError
		if !errors.As(err, &syntax) || x.part != "" && syntax.Part != x.part {
			t.Errorf("%.40q: got error %v, want an EndpointError about the %s", x.endpoint, err, x.part)
		}
		_, err = socket.Probe(t.Context(), x.endpoint, nil)
		if x.how != bind {
			hostileRefused(t, "Probe", err, x.why, x.endpoint, x.part)
		}
	}
}

func TestBadBinds(t *testing.T) {
	h := hostileWhole(t, pattern.Pull, pattern.Push)
	dir, err := os.MkdirTemp("", "rw")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	name := "inproc://badinput-" + t.Name()
	for _, endpoint := range []string{"tcp://127.0.0.1:0", "ipc://" + filepath.Join(dir, "s"), name} {
		bound, err := h.s.Bind(endpoint)
		if err != nil {
			t.Fatal(err)
		}
		h.refused("a second Bind", func() error { _, err := h.s.Bind(bound); return err }, syscall.EADDRINUSE, bound)
		other := hostileSocket(t, pattern.Pull, nil)
		_, err = other.Bind(bound)
		hostileRefused(t, "Bind of another socket", err, syscall.EADDRINUSE, bound)
		if err := other.Close(); err != nil {
			t.Error(err)
		}
		push := hostileSocket(t, pattern.Push, nil) // the first one still works
		if err := push.Connect(bound); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), hostileGuard)
		if err := hostileExchange(ctx, h.s, push, 0); err != nil {
			t.Fatalf("%s after a refused Bind: %v", bound, err)
		}
		cancel()
		if err := push.Close(); err != nil {
			t.Error(err)
		}
		hostileUntil(t, "the second peer to be gone", func() bool { return len(h.s.Peers()) == 1 })
	}
	bind := func(endpoint string) func() error {
		return func() error { _, err := h.s.Bind(endpoint); return err }
	}
	h.refused("Bind to a file", bind("ipc://"+file), syscall.EADDRINUSE, file)
	h.refused("Bind to a directory", bind("ipc://"+dir), syscall.EADDRINUSE, dir)
	h.refused("Bind in no directory", bind("ipc://"+dir+"/none/s"), os.ErrNotExist, dir)
	h.refused("Bind to a foreign address", bind("tcp://192.0.2.1:5555"), syscall.EADDRNOTAVAIL, "192.0.2.1:5555")
	if text, err := os.ReadFile(file); err != nil || string(text) != "precious" {
		t.Errorf("the file in the way: got %q, %v", text, err)
	}
	for _, endpoint := range []string{"tcp://127.0.0.1:1", "ipc:///tmp/none", "inproc://none", "nonsense", ""} {
		h.refused("Unbind", func() error { return h.s.Unbind(endpoint) }, nil, endpoint, "no such endpoint")
		h.refused("Disconnect", func() error { return h.s.Disconnect(endpoint) }, nil, endpoint, "no such endpoint")
	}
}

// A Connect that is ignored, or refused, keeps nothing.
func TestBadConnectKeepsNothing(t *testing.T) {
	const times = 20_000
	for _, x := range []struct {
		spec     *pattern.Spec
		endpoint string
	}{{pattern.Sub, "tcp://127.0.0.1:1"}, {pattern.Sub, "inproc://badinput-nobody"}} {
		s := hostileSocket(t, x.spec, &socket.Options{ReconnectMin: -1})
		defer s.Close()
		for range 2 {
			if err := s.Connect(x.endpoint); err != nil {
				t.Fatal(err)
			}
		}
		before, use := hostileHeap(), hostileUse()
		for range times {
			if err := s.Connect(x.endpoint); err != nil {
				t.Fatal(err)
			}
		}
		if grown := hostileHeap() - before; grown > times*10 {
			t.Errorf("heap after %d more of the same Connect(%q): got %d bytes more, want next to none", times, x.endpoint, grown)
		}
		if got := len(s.Peers()); got != 1 {
			t.Errorf("peers: got %d, want 1", got)
		}
		use.returns(t, 0)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestBadContexts(t *testing.T) {
	var none context.Context
	m := func() *ringwire.Message { return ringwire.NewMessage([]byte("good")) }
	type call = func(*socket.Socket) error
	sends := map[string]call{
		"Send":        func(s *socket.Socket) error { return s.Send(none, []byte("good")) },
		"SendMessage": func(s *socket.Socket) error { return s.SendMessage(none, m()) },
		"SendBatch":   func(s *socket.Socket) error { _, err := s.SendBatch(none, []*ringwire.Message{m()}); return err },
		"Flush":       func(s *socket.Socket) error { return s.Flush(none) },
	}
	receives := map[string]call{
		"Recv":      func(s *socket.Socket) error { _, err := s.Recv(none); return err },
		"RecvInto":  func(s *socket.Socket) error { return s.RecvInto(none, new(ringwire.Message)) },
		"RecvBatch": func(s *socket.Socket) error { _, err := s.RecvBatch(none, make([]*ringwire.Message, 1)); return err },
		"Messages": func(s *socket.Socket) (last error) {
			for _, err := range s.Messages(none) {
				last = err
			}
			return last
		},
	}
	all := map[string]call{
		"WaitPeers": func(s *socket.Socket) error { return s.WaitPeers(none, 1) },
		"Confirm":   func(s *socket.Socket) error { return s.Confirm(none) },
		"Shutdown":  func(s *socket.Socket) error { return s.Shutdown(none) },
	}
	check := func(h *hostileSound, calls map[string]call) {
		for name, call := range calls {
			h.refused(h.s.Type().Name()+"."+name+"(nil context)", func() error { return call(h.s) }, nil, "context is nil")
		}
	}
	for _, x := range [][2]*pattern.Spec{{pattern.Push, pattern.Pull}, {pattern.Pull, pattern.Push}, {pattern.Dealer, pattern.Router}, {pattern.XPub, pattern.Sub}, {pattern.Req, pattern.Rep}} {
		h := hostileWhole(t, x[0], x[1])
		check(h, all)
		if x[0].Sends() {
			check(h, sends)
		}
		if x[0].Receives() {
			check(h, receives)
		}
		switch x[0] {
		case pattern.Req:
			check(h, map[string]call{"Do": func(s *socket.Socket) error { _, err := s.Do(none, []byte("good")); return err }})
		case pattern.XPub:
			check(h, map[string]call{
				"SendTo":          func(s *socket.Socket) error { return s.SendTo(none, s.Peers()[0].Peer, m()) },
				"WaitSubscribers": func(s *socket.Socket) error { return s.WaitSubscribers(none, "good", 1) },
			})
		}
	}
	_, err := socket.Probe(none, "tcp://127.0.0.1:1", nil)
	hostileRefused(t, "Probe(nil context)", err, nil, "context is nil", "tcp://127.0.0.1:1")
}

// Events has no error to return: a nil context may panic as it does in the
// standard library, or be one that never ends, but the socket must live on.
func TestBadContextOfEvents(t *testing.T) {
	s := hostileSocket(t, pattern.Pull, nil)
	var events iter.Seq[socket.Event]
	func() {
		defer func() { t.Logf("Events(nil) ended with %v", recover()) }()
		var none context.Context
		events = s.Events(none)
	}()
	done := make(chan error, 1)
	go func() {
		if _, err := s.Bind("tcp://127.0.0.1:0"); err != nil {
			done <- err
			return
		}
		err := s.Close()
		if events != nil {
			func() {
				defer func() { t.Logf("the sequence ended with %v", recover()) }()
				for range events { // ends with the socket
				}
			}()
		}
		done <- err
	}()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(hostileGuard):
		t.Fatal("Bind, Close or the sequence hang after Events(nil)")
	}
}
