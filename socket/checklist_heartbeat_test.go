package socket_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// libzmq's test_heartbeats, with peers made by hand.

// confBeat is a short heartbeat; nothing depends on how late a timer is.
const confBeat = 20 * time.Millisecond

// TestHeartbeatTimeout: a peer that does not answer a PING is given up; the
// PING carries the TTL that was asked for.
func TestHeartbeatTimeout(t *testing.T) {
	confOn(t, "tcp", func(e *confEnv) {
		s := e.New(pattern.Router, &socket.Options{HeartbeatInterval: confBeat, HeartbeatTimeout: confBeat, HeartbeatTTL: 1200 * time.Millisecond})
		next := e.Events(s)
		raw := confDial(t, e.Bind(s))
		raw.handshake(1, "Socket-Type", "DEALER", "Identity", "")
		raw.wantPing("\x00\x0c")
		if ev := next(socket.Disconnected); !errors.Is(ev.Err, os.ErrDeadlineExceeded) {
			e.Errorf("disconnected with %v, want a deadline", ev.Err)
		}
		raw.wantEnd()
	})
}

// TestHeartbeatAnswered: any byte is a sign of life, a PONG as well as a
// message, and the connection stays.
func TestHeartbeatAnswered(t *testing.T) {
	confOn(t, "tcp", func(e *confEnv) {
		// A timeout that only a peer that is really silent misses.
		s := e.New(pattern.Router, &socket.Options{HeartbeatInterval: confBeat, HeartbeatTimeout: confGuard / 4})
		raw := confDial(t, e.Bind(s))
		raw.handshake(1, "Socket-Type", "DEALER", "Identity", "x")
		for i := range 5 {
			raw.wantPing("\x00\x00")
			if i%2 == 0 {
				raw.command("PONG", "")
			} else {
				raw.message("alive")
				e.Want(s, "x", "alive")
			}
		}
		if n := s.Stats().Disconnects; n != 0 {
			e.Errorf("%d disconnects, want 0", n)
		}
	})
}

// TestHeartbeatOldPeer: a peer of ZMTP 3.0 is never sent a PING, and its
// silence is no fault.
func TestHeartbeatOldPeer(t *testing.T) {
	confOn(t, "tcp", func(e *confEnv) {
		s := e.New(pattern.Router, &socket.Options{HeartbeatInterval: confBeat, HeartbeatTimeout: confGuard / 4})
		raw := confDial(t, e.Bind(s))
		raw.handshake(0, "Socket-Type", "DEALER", "Identity", "old")
		other := confDial(t, e.Bind(s))
		other.handshake(1, "Socket-Type", "DEALER", "Identity", "new")
		for range 3 { // three beats have gone by
			other.wantPing("\x00\x00")
			other.command("PONG", "")
		}
		e.Send(s, "old", "first thing it hears")
		raw.wantMessage("first thing it hears")
	})
}

// TestHeartbeatTTL: a peer whose PING names a time to live and that is then
// silent is given up after it, whatever our own options say.
func TestHeartbeatTTL(t *testing.T) {
	for _, spec := range []*pattern.Spec{pattern.Router, pattern.Pull, pattern.Pub, pattern.Rep, pattern.Pair} {
		t.Run(spec.Name(), func(t *testing.T) {
			confOn(t, "tcp", func(e *confEnv) {
				s := e.New(spec, nil)
				next := e.Events(s)
				raw := confDial(t, e.Bind(s))
				raw.handshake(1, "Socket-Type", spec.Peers()[0], "Identity", "")
				raw.command("PING", "\x00\x01")
				raw.wantCommand("PONG", "")
				if ev := next(socket.Disconnected); !errors.Is(ev.Err, os.ErrDeadlineExceeded) {
					e.Errorf("disconnected with %v, want a deadline", ev.Err)
				}
				raw.wantEnd()
			})
		})
	}
}

// TestHeartbeatContext: a PING's context comes back in the PONG, up to 16
// bytes; one that is longer, or a PING that is too short, breaks the protocol,
// where libzmq cuts the one and reads past the other. No PING is delivered.
func TestHeartbeatContext(t *testing.T) {
	confOn(t, "tcp", func(e *confEnv) {
		s := e.New(pattern.Router, nil)
		next := e.Events(s)
		at := e.Bind(s)
		raw := confDial(t, at)
		raw.handshake(1, "Socket-Type", "DEALER", "Identity", "x")
		for n := range 17 {
			context := strings.Repeat("c", n)
			raw.command("PING", "\x00\x00"+context)
			raw.wantCommand("PONG", context)
		}
		raw.message("message")
		e.Want(s, "x", "message")
		e.WantNone(s)
		for _, bad := range []string{"", "\x00", "\x00\x00" + strings.Repeat("c", 17)} {
			raw := confDial(t, at)
			raw.handshake(1, "Socket-Type", "DEALER", "Identity", "")
			raw.command("PING", bad)
			raw.wantEnd()
			next(socket.Disconnected)
		}
	})
}

// TestHeartbeatBetweenSockets is test_heartbeats' notimeout: two of our own
// sockets that beat and have nothing to say stay connected, whether or not
// somebody is in Recv; and with a large message longer than a beat.
func TestHeartbeatBetweenSockets(t *testing.T) {
	for _, scheme := range []string{"tcp", "ipc"} {
		t.Run(scheme, func(t *testing.T) {
			confOn(t, scheme, func(e *confEnv) {
				opts := &socket.Options{HeartbeatInterval: time.Millisecond, HeartbeatTimeout: confGuard / 4, HeartbeatTTL: 5 * time.Second}
				a, b := e.New(pattern.Pair, opts), e.New(pattern.Pair, opts)
				e.Join(a, b)
				for range 5 {
					e.Send(a, confBig, confBig)
					e.Want(b, confBig, confBig)
					e.Send(b, "x")
					e.Want(a, "x")
				}
				if n := a.Stats().Disconnects + b.Stats().Disconnects; n != 0 {
					e.Errorf("%d disconnects, want 0", n)
				}
			})
		})
	}
}

// TestHeartbeatOptions: limits of the options.
func TestHeartbeatOptions(t *testing.T) {
	for _, c := range []struct {
		opts socket.Options
		good bool
	}{
		{socket.Options{HeartbeatTTL: 65500 * time.Millisecond}, true},
		{socket.Options{HeartbeatTTL: 65501 * time.Millisecond}, false}, // libzmq would overflow
		{socket.Options{HeartbeatTTL: -1}, false},
		{socket.Options{HeartbeatInterval: -1}, true},
		{socket.Options{HeartbeatInterval: -2}, false},
		{socket.Options{HeartbeatTimeout: -2}, false},
	} {
		s, err := socket.New(pattern.Pair, &c.opts)
		if (err == nil) != c.good {
			t.Errorf("New with %v, %v, %v = %v, want success: %v", c.opts.HeartbeatInterval, c.opts.HeartbeatTimeout, c.opts.HeartbeatTTL, err, c.good)
		}
		if s != nil {
			s.Close()
		}
	}
}
