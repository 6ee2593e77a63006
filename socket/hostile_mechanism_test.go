package socket_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/plain"
)

// hostileMechanisms are options for both sides of every mechanism.
func hostileMechanisms(t testing.TB) map[string]*socket.Options {
	t.Helper()
	server, client := curveOptions(t)
	m, err := plain.Client("user", "the password")
	if err != nil {
		t.Fatal(err)
	}
	anybody := func(context.Context, ringwire.Credentials) (ringwire.Verdict, error) {
		return ringwire.Verdict{Allow: true, Principal: "anybody"}, nil
	}
	return map[string]*socket.Options{
		"NULL":         {},
		"PLAIN server": {Mechanism: plain.Server(), Authenticator: anybody}, "PLAIN client": {Mechanism: m},
		"CURVE server": server, "CURVE client": client,
	}
}

// hostileNamesOfMechanisms are what a peer may greet with, and whether that is a name.
var hostileNamesOfMechanisms = map[string]bool{
	"NULL": true, "PLAIN": true, "CURVE": true, "GSSAPI": true, "X": true, "NULLX": true, "CURVE2": true, strings.Repeat("A", 20): true,
	"": false, "null": false, "Plain": false, "curve": false, "NULL\x00X": false, "CURVE\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00C": false,
	" NULL": false, "NULL ": false, "\xff\xff\xff\xff": false,
}

// TestSEC01Mechanism: a peer that greets with another mechanism than ours is refused,
// bound or connecting, whatever it says next: nothing of that is looked at, and it is
// told nothing but our greeting, no user name and no password. What is no name of a
// mechanism is a violation.
func TestSEC01Mechanism(t *testing.T) {
	for ours, opts := range hostileMechanisms(t) {
		own, _, _ := strings.Cut(ours, " ")
		for theirs, name := range hostileNamesOfMechanisms {
			if theirs == own {
				continue
			}
			kind, why := socket.HandshakeFailed, ringwire.ErrProtocol
			if name {
				kind, why = socket.Rejected, ringwire.ErrRejected
			}
			input := append(hostileGreeting(3, 1, theirs, 0), hostileReady("PUSH")...)
			input = append(input, hostileFrame(0, []byte("let me in"))...)
			check := func(t *testing.T, s *socket.Socket, events *hostileEvents, heard []byte) {
				t.Helper()
				ev := events.wait(t, "the refusal", func(e *socket.Event) bool { return hostileEnds(e.Kind) })
				if ev.Kind != kind || !errors.Is(ev.Err, why) {
					t.Errorf("got %v with %v, want %v with %v", ev.Kind, ev.Err, kind, why)
				}
				if kind == socket.Rejected && (!strings.Contains(ev.Err.Error(), own) || !strings.Contains(ev.Err.Error(), theirs)) {
					t.Errorf("the event says %v, want both mechanisms named", ev.Err)
				}
				if len(heard) > 64 {
					t.Errorf("the peer was told %q after the greeting, want nothing", heard[64:])
				}
				if ready := events.find(func(e *socket.Event) bool { return e.Kind == socket.Ready }); len(ready) > 0 || s.Stats().Peers > 0 {
					t.Errorf("the peer became one: %v, %+v", ready, s.Peers())
				}
				if m, err := s.TryRecv(); !errors.Is(err, ringwire.ErrAgain) {
					t.Errorf("got message %v, %v", m, err)
				}
			}
			for _, network := range []string{"tcp", "ipc"} {
				t.Run(fmt.Sprintf("%s/%q/bound/%s", ours, theirs, network), func(t *testing.T) {
					pull := hostileSocket(t, pattern.Pull, opts)
					defer pull.Close()
					events := hostileWatch(pull)
					endpoint := map[string]string{"tcp": "tcp://127.0.0.1:0", "ipc": "ipc://*"}[network]
					c := hostileDial(t, network, hostileBind(t, pull, endpoint))
					c.put(input)
					heard, err := io.ReadAll(c)
					if err != nil && !hostileReset(err) {
						t.Fatal(err)
					}
					check(t, pull, events, heard)
				})
			}
			t.Run(fmt.Sprintf("%s/%q/connecting", ours, theirs), func(t *testing.T) {
				heard := make(chan []byte, 1)
				server := hostileServe(t, func(conn net.Conn) {
					conn.Write(input)
					b, _ := io.ReadAll(conn)
					select {
					case heard <- b:
					default:
					}
				})
				once := *opts
				once.ReconnectMin = -1
				pull := hostileSocket(t, pattern.Pull, &once)
				defer pull.Close()
				events := hostileWatch(pull)
				if err := pull.Connect("tcp://" + server.listener.Addr().String()); err != nil {
					t.Fatal(err)
				}
				check(t, pull, events, <-heard)
			})
		}
	}
}

// hostileReset reports whether the other side hung up on what it had not read.
func hostileReset(err error) bool {
	_, ok := errors.AsType[*net.OpError](err)
	return ok && strings.Contains(err.Error(), "reset")
}

// TestSEC01Pairs: of all pairs of our own mechanisms and roles only those that belong
// together become connections, whichever side binds.
func TestSEC01Pairs(t *testing.T) {
	good := map[string]string{
		"NULL": "NULL", "PLAIN server": "PLAIN client", "PLAIN client": "PLAIN server", "CURVE server": "CURVE client", "CURVE client": "CURVE server",
	}
	all := hostileMechanisms(t)
	for bound := range all {
		for connecting := range all {
			t.Run(bound+", "+connecting, func(t *testing.T) {
				t.Parallel()
				pull, push := *all[bound], *all[connecting]
				pull.HandshakeTimeout, push.HandshakeTimeout = hostileGuard, hostileGuard
				if bound == connecting && strings.HasSuffix(bound, "server") { // both wait for the other
					pull.HandshakeTimeout, push.HandshakeTimeout = 50*time.Millisecond, 50*time.Millisecond
				}
				push.ReconnectMin = -1
				a, b := hostileSocket(t, pattern.Pull, &pull), hostileSocket(t, pattern.Push, &push)
				defer a.Close()
				defer b.Close()
				events := hostileWatch(a)
				if err := b.Connect("tcp://" + hostileBind(t, a, "tcp://127.0.0.1:0")); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), hostileGuard)
				defer cancel()
				if good[bound] == connecting {
					if err := b.Send(ctx, []byte("x")); err != nil {
						t.Fatal(err)
					}
					if _, err := a.Recv(ctx); err != nil {
						t.Fatal(err)
					}
					return
				}
				if ev := events.wait(t, "the refusal", func(e *socket.Event) bool { return hostileEnds(e.Kind) || e.Kind == socket.Ready }); ev.Kind == socket.Ready {
					t.Errorf("they connect: %+v", ev)
				}
				if a.Stats().Peers+b.Stats().Peers > 0 {
					t.Errorf("there are peers: %+v, %+v", a.Peers(), b.Peers())
				}
			})
		}
	}
}
