package socket_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// TestAppMeta is libzmq's test_app_meta, and the vanilla parts of its
// test_metadata: each side sees what the other announced.
func TestAppMeta(t *testing.T) {
	confEach(t, func(e *confEnv) {
		a := e.New(pattern.Rep, &socket.Options{Metadata: map[string]string{"X-hello": "hello", "X-connection": "primary"}})
		b := e.New(pattern.Dealer, &socket.Options{Metadata: map[string]string{"X-bye": "bye"}, Identity: []byte("b")})
		e.Join(a, b)
		for s, want := range map[*socket.Socket]map[string]string{
			a: {"Socket-Type": "DEALER", "X-bye": "bye"},
			b: {"Socket-Type": "REP", "X-hello": "hello", "X-connection": "primary"},
		} {
			p := s.Peers()[0]
			got := maps.Clone(p.Metadata)
			delete(got, "Identity")
			if !maps.Equal(got, want) {
				e.Errorf("%s: metadata %v, want %v", s.Type(), got, want)
			}
			if p.SocketType != want["Socket-Type"] || !p.Ready || p.Connections != 1 || p.Since.IsZero() {
				e.Errorf("%s: peer %+v, want a ready %s", s.Type(), p, want["Socket-Type"])
			}
			if e.scheme != "inproc" && (p.Version != "3.1" || p.Mechanism != "NULL" || p.Metadata["Socket-Type"] == "") {
				e.Errorf("%s: version %q, mechanism %q, want 3.1 and NULL", s.Type(), p.Version, p.Mechanism)
			}
		}
		if id := a.Peers()[0].Identity; string(id) != "b" {
			e.Errorf("identity %q, want b", id)
		}
		e.Send(b, "", "x")
		m, err := a.Recv(e.ctx)
		if err != nil {
			e.Fatal(err)
		}
		if m.Peer() != a.Peers()[0].Peer {
			e.Errorf("the message is from peer %v, want %v", m.Peer(), a.Peers()[0].Peer)
		}
		m.Release()
	})
	for name, meta := range map[string]map[string]string{
		"no X-":    {"hello": "x"},
		"reserved": {"Identity": "x"},
		"long":     {"X-" + strings.Repeat("a", 254): "x"},
		"large":    {"X-a": strings.Repeat("a", 33<<10)},
	} {
		if s, err := socket.New(pattern.Pair, &socket.Options{Metadata: meta}); err == nil {
			s.Close()
			t.Errorf("New with metadata %s = nil, want an error", name)
		}
	}
}

// TestSecurityNullVanilla is the vanilla socket of libzmq's test_security_null
// and its relatives: a peer that does not speak our protocol is given up, and
// a good one behind it is served.
func TestSecurityNullVanilla(t *testing.T) {
	confOn(t, "tcp", func(e *confEnv) {
		s := e.New(pattern.Dealer, nil)
		next := e.Events(s)
		at := e.Bind(s)
		silent := confDial(t, at)
		garbage := confDial(t, at)
		garbage.write([]byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" + strings.Repeat("x", 100)))
		next(socket.HandshakeFailed)
		garbage.wantEnd()
		other := confDial(t, at) // another mechanism
		greeting := make([]byte, 64)
		greeting[0], greeting[9], greeting[10], greeting[11] = 0xFF, 0x7F, 3, 1
		copy(greeting[12:], "PLAIN")
		other.write(greeting)
		if ev := next(socket.HandshakeFailed, socket.Rejected); ev.Err == nil || !strings.Contains(ev.Err.Error(), "PLAIN") {
			e.Errorf("event %v %v, want one that names the mechanism", ev.Kind, ev.Err)
		}
		good := confDial(t, at)
		good.handshake(1, "Socket-Type", "DEALER", "Identity", "")
		good.message("hello")
		e.Want(s, "hello")
		if st := s.Stats(); st.HandshakesFailed != 2 || st.Peers != 1 {
			e.Errorf("%d handshakes failed, %d peers, want 2 and 1", st.HandshakesFailed, st.Peers)
		}
		silent.close()
	})
}

// TestHandshakeTimeout: a peer that never greets is given up, on the accepting
// and on the connecting side, which tries again.
func TestHandshakeTimeout(t *testing.T) {
	confOn(t, "tcp", func(e *confEnv) {
		opts := &socket.Options{HandshakeTimeout: 20 * time.Millisecond}
		s := e.New(pattern.Dealer, opts)
		next := e.Events(s)
		raw := confDial(t, e.Bind(s))
		next(socket.HandshakeFailed)
		raw.wantEnd()

		l, at := confListen(t)
		c := e.New(pattern.Dealer, opts)
		next = e.Events(c)
		e.Connect(c, at)
		confAccept(t, l)
		next(socket.HandshakeFailed)
		next(socket.ConnectRetried)
		again := confAccept(t, l)
		again.handshake(1, "Socket-Type", "DEALER", "Identity", "")
		if st := c.Stats(); st.HandshakeTimeouts < 1 || st.HandshakeTimeouts != st.HandshakesFailed {
			e.Errorf("%d handshakes failed, %d by timeout, want all", st.HandshakesFailed, st.HandshakeTimeouts)
		}
	})
}

// TestOptionsRefused: an option that is out of range, or makes no sense for
// the socket type, is an error that names it.
func TestOptionsRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		spec *pattern.Spec
		opts socket.Options
	}{
		{"SendHWM", pattern.Push, socket.Options{SendHWM: -2}},
		{"RecvHWM", pattern.Pull, socket.Options{RecvHWM: -2}},
		{"SendHWMBytes", pattern.Push, socket.Options{SendHWMBytes: -2}},
		{"RecvHWMBytes", pattern.Pull, socket.Options{RecvHWMBytes: -2}},
		{"Linger", pattern.Push, socket.Options{Linger: -2}},
		{"Linger", pattern.Push, socket.Options{Linger: -1, NoLinger: true}},
		{"ReconnectMin", pattern.Push, socket.Options{ReconnectMin: -2}},
		{"ReconnectMax", pattern.Push, socket.Options{ReconnectMin: time.Second, ReconnectMax: time.Millisecond}},
		{"ConnectTimeout", pattern.Push, socket.Options{ConnectTimeout: -2}},
		{"HandshakeTimeout", pattern.Push, socket.Options{HandshakeTimeout: -2}},
		{"MaxMessageSize", pattern.Pull, socket.Options{MaxMessageSize: -2}},
		{"MaxFrames", pattern.Pull, socket.Options{MaxFrames: -2}},
		{"MaxConnections", pattern.Pull, socket.Options{MaxConnections: -2}},
		{"OnFull", pattern.Push, socket.Options{OnFull: socket.FullDropNewest}},
		{"OnFull", pattern.Pub, socket.Options{OnFull: 99}},
		{"OnFull", pattern.Pub, socket.Options{OnFull: socket.FullDropOldest, XPubNoDrop: true}},
		{"Conflate", pattern.Pair, socket.Options{Conflate: true}},
		{"Identity", pattern.Dealer, socket.Options{Identity: []byte{}}},
		{"Identity", pattern.Dealer, socket.Options{Identity: []byte("\x00a")}},
		{"Identity", pattern.Dealer, socket.Options{Identity: make([]byte, 256)}},
		{"Spin", pattern.Pull, socket.Options{Spin: -2}},
		{"Backlog", pattern.Pull, socket.Options{Backlog: -1}},
		{"SendBuffer", pattern.Pull, socket.Options{SendBuffer: -1}},
		{"RecvBuffer", pattern.Pull, socket.Options{RecvBuffer: -1}},
		{"KeepAlive", pattern.Pull, socket.Options{KeepAlive: -2}},
		{"TOS", pattern.Pull, socket.Options{TOS: 256}},
	} {
		s, err := socket.New(c.spec, &c.opts)
		if err == nil {
			s.Close()
			t.Errorf("New(%s) with a bad %s = nil, want an error", c.spec, c.name)
		} else if !strings.Contains(err.Error(), c.name) {
			t.Errorf("New(%s) = %v, want an error that names %s", c.spec, err, c.name)
		}
	}
	if _, err := socket.New(nil, nil); err == nil {
		t.Error("New(nil) = nil, want an error")
	}
	if _, err := socket.New(pattern.Pub, &socket.Options{Mechanism: confMechanism{}}); err == nil || !strings.Contains(err.Error(), "socket_test.confMechanism") {
		t.Errorf("New with a foreign Mechanism = %v, want an error that names its type", err)
	}
}

type confMechanism struct{}

func (confMechanism) Name() string { return "TEST" }
