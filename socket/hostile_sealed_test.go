package socket_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/curve"
)

// hostileEarly is what has no place before a handshake's end.
func hostileEarly() map[string][]byte {
	return map[string][]byte{
		"a message": hostileFrame(0, []byte("x")), "an empty message": {0, 0}, "a long message": hostileFrame(0, make([]byte, 60_000)),
		"a frame of many": append(hostileFrame(hostileMore, nil), 0, 0), "no name": hostileFrame(hostileCommand, nil),
		"READY": hostileReady("PUSH"), "READY twice": append(hostileReady("PUSH"), hostileReady("PUSH")...), "empty READY": hostileCmd("READY"),
		"WELCOME": hostileCmd("WELCOME"), "INITIATE": hostileCmd("INITIATE"), "large INITIATE": hostileCmd("INITIATE", make([]byte, 300)...),
		"PING": hostilePing(0, "x"), "PONG": hostileCmd("PONG"), "SUBSCRIBE": hostileTopic(nil, true, true), "MESSAGE": hostileCmd("MESSAGE", make([]byte, 60)...),
		"ERROR": hostileCmd("ERROR", 3, '4', '0', '0'), "unknown": hostileCmd("WHATEVER"),
		"HELLO and more": hostileCmd("HELLO", make([]byte, 4000)...), "HELLO of 65 KiB": hostileCmd("HELLO", make([]byte, 65<<10)...),
		"declared": hostileHeader(hostileCommand, 1<<62),
	}
}

// TestSEC15Server: to a server of PLAIN or CURVE nothing but its handshake, in order, is
// worth a connection: not before HELLO, and not after it.
func TestSEC15Server(t *testing.T) {
	all := hostileMechanisms(t)
	for _, mechanism := range []string{"PLAIN", "CURVE"} {
		opts := *all[mechanism+" server"]
		key := curveKey(t)
		if mechanism == "CURVE" {
			m, err := curve.Server(key)
			if err != nil {
				t.Fatal(err)
			}
			opts.Mechanism = m
		}
		pull := hostileSocket(t, pattern.Pull, &opts)
		defer pull.Close()
		events := hostileWatch(pull)
		at := map[string]string{"tcp": hostileBind(t, pull, "tcp://127.0.0.1:0"), "ipc": hostileBind(t, pull, "ipc://*")}
		for name, input := range hostileEarly() {
			for _, network := range []string{"tcp", "ipc"} {
				for _, after := range []string{"the greeting", "HELLO"} {
					t.Run(fmt.Sprintf("%s/%s/%s/after %s", mechanism, network, name, after), func(t *testing.T) {
						if mechanism == "PLAIN" && after == "HELLO" && name == "INITIATE" {
							t.Skip("that is in order, up to the metadata")
						}
						c := hostileDial(t, network, at[network])
						lead := hostileGreeting(3, 1, mechanism, 0)
						switch {
						case after == "HELLO" && mechanism == "PLAIN":
							lead = append(lead, hostileCmd("HELLO", 1, 'u', 1, 'p')...)
						case after == "HELLO":
							c.hello(hostileKey(t), key.Public(), hostileMeta("PUSH"))
							lead = nil
						}
						c.put(lead, input)
						c.closed()
						ev := events.wait(t, "the refusal", func(e *socket.Event) bool { return hostileEnds(e.Kind) && e.Remote == c.remote && e.Time.After(c.born) })
						if ev.Kind != socket.HandshakeFailed || !errors.Is(ev.Err, ringwire.ErrProtocol) && !errors.Is(ev.Err, ringwire.ErrTooLarge) {
							t.Errorf("got %v with %v, want the handshake failed", ev.Kind, ev.Err)
						}
					})
				}
			}
		}
		if ready := events.find(func(e *socket.Event) bool { return e.Kind == socket.Ready }); len(ready) > 0 || pull.Stats().Arrived > 0 {
			t.Errorf("%s: somebody came in: %v", mechanism, ready)
		}
	}
}

// TestSEC15Sealed: on a connection of CURVE nothing counts that is not in a box, and
// what is in one is judged as everywhere: commands of the handshake, flags that do not
// exist, a PING of the wrong size end the connection; what is unknown does not.
func TestSEC15Sealed(t *testing.T) {
	key := curveKey(t)
	mechanism, err := curve.Server(key)
	if err != nil {
		t.Fatal(err)
	}
	pull := hostileSocket(t, pattern.Pull, &socket.Options{Mechanism: mechanism, Authenticator: curve.AllowAny, MaxMessageSize: 1 << 20})
	defer pull.Close()
	events := hostileWatch(pull)
	at := hostileBind(t, pull, "tcp://127.0.0.1:0")
	command := func(name string, data ...byte) []byte {
		return append(append([]byte{byte(len(name))}, name...), data...)
	}
	for name, attack := range map[string]func(*hostileSealed) []byte{
		"a message in the clear": func(*hostileSealed) []byte { return hostileFrame(0, []byte("x")) },
		"a PING in the clear":    func(*hostileSealed) []byte { return hostilePing(0, "x") },
		"ERROR in the clear":     func(*hostileSealed) []byte { return hostileCmd("ERROR", 0) },
		"READY in the clear":     func(*hostileSealed) []byte { return hostileReady("PUSH") },
		"HELLO again":            func(*hostileSealed) []byte { return hostileCmd("HELLO", make([]byte, 194)...) },
		"an empty frame":         func(*hostileSealed) []byte { return []byte{0, 0} },
		"MESSAGE without a box": func(*hostileSealed) []byte {
			return hostileFrame(0, append([]byte("\x07MESSAGE\x00\x00\x00\x00\x00\x00\x00\x63"), make([]byte, 17)...))
		},
		"a box too short": func(*hostileSealed) []byte {
			return hostileFrame(0, append([]byte("\x07MESSAGE"), make([]byte, 24)...))
		},
		"a changed box": func(s *hostileSealed) []byte { b := s.seal(0, []byte("x")); b[len(b)-1] ^= 1; return b },
		"another name":  func(s *hostileSealed) []byte { b := s.seal(0, []byte("x")); b[3] ^= 1; return b },
		"twice": func(s *hostileSealed) []byte {
			b := s.seal(hostileCommand, command("PING", 0, 0))
			return append(bytes.Clone(b), b...)
		},
		"READY in a box":      func(s *hostileSealed) []byte { return s.seal(hostileCommand, command("READY")) },
		"a bad PING in a box": func(s *hostileSealed) []byte { return s.seal(hostileCommand, command("PING")) },
		"no name in a box":    func(s *hostileSealed) []byte { return s.seal(hostileCommand, nil) },
		"huge":                func(*hostileSealed) []byte { return hostileHeader(0, 1<<62) },
		"more than allowed":   func(*hostileSealed) []byte { return hostileHeader(0, 2<<20) },
		"1100 frames": func(s *hostileSealed) (all []byte) {
			for range 1100 {
				all = append(all, s.seal(hostileMore, nil)...)
			}
			return all
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := hostileDial(t, "tcp", at)
			s := c.hello(hostileKey(t), key.Public(), hostileMeta("PUSH"))
			s.finish()
			s.put(attack(s))
			if _, err := io.Copy(io.Discard, s); err != nil && !hostileReset(err) {
				t.Fatalf("the victim keeps the connection: %v", err)
			}
			ev := events.wait(t, "the end", func(e *socket.Event) bool { return hostileEnds(e.Kind) && e.Remote == c.remote && e.Time.After(c.born) })
			if ev.Kind != socket.Disconnected || !errors.Is(ev.Err, ringwire.ErrProtocol) && !errors.Is(ev.Err, ringwire.ErrTooLarge) {
				t.Errorf("got %v with %v, want a violation", ev.Kind, ev.Err)
			}
		})
	}
	if st := pull.Stats(); st.Arrived > st.RecvDropped.Oversize {
		t.Errorf("messages arrived: %+v, want none", st.Counters)
	}
	c := hostileDial(t, "tcp", at)
	s := c.hello(hostileKey(t), key.Public(), hostileMeta("PUSH"))
	s.finish()
	s.put(s.seal(hostileCommand, command("WHATEVER", make([]byte, 70_000)...)), s.seal(hostileCommand, command("PING", 0, 0, 'x')))
	_, body, err := s.readFrame()
	if err != nil {
		t.Fatal(err)
	}
	plain, flags, err := s.conn.Open(nil, body)
	if err != nil || flags != hostileCommand || string(plain) != "\x04PONGx" {
		t.Errorf("after an unknown command: got %q, flags %x, %v, want a PONG", plain, flags, err)
	}
}
