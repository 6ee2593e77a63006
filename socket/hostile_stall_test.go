package socket_test

import (
	"context"
	"crypto/tls"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/curve"
)

// stallers are peers that stop at some point of a handshake.
const stallers = 60

// stalls has peers stop where stop leaves them, and a good one come after them, which is
// served at once; then all that stopped are thrown out by the deadline, each with its
// event, and nothing is left of them.
func stalls(t *testing.T, endpoint string, server, client socket.Options, stop func(t *testing.T, address string, i int) net.Conn) {
	before := hostileUse()
	server.HandshakeTimeout = time.Hour
	patient := hostileSocket(t, pattern.Pull, &server)
	heap := hostileHeap()
	address := hostileBind(t, patient, endpoint)
	scheme, _, _ := strings.Cut(endpoint, "://")
	var silent []net.Conn
	for i := range stallers {
		silent = append(silent, stop(t, address, i))
	}
	hostileUntil(t, "the stalled connections", func() bool { return patient.Stats().Accepts >= stallers })
	good := hostileSocket(t, pattern.Push, &client)
	ctx, cancel := context.WithTimeout(t.Context(), hostileGuard)
	defer cancel()
	if err := good.Connect(scheme + "://" + address); err != nil {
		t.Fatal(err)
	}
	if err := good.Send(ctx, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := patient.Recv(ctx); err != nil {
		t.Fatalf("%v; %+v", err, patient.Stats())
	}
	if st := patient.Stats(); st.HandshakesFailed != 0 || st.Peers != 1 {
		t.Errorf("%d handshakes failed and %d peers are there while nobody ran out of time, want 0 and 1", st.HandshakesFailed, st.Peers)
	}
	if each := (hostileHeap() - heap) / stallers; each > 96<<10 {
		t.Errorf("a stalled handshake costs %d bytes, want at most 96 KiB", each)
	}
	for _, s := range []*socket.Socket{good, patient} {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, c := range silent {
		c.Close()
	}

	server.HandshakeTimeout = 300 * time.Millisecond
	hasty := hostileSocket(t, pattern.Pull, &server)
	events := hostileWatch(hasty)
	address = hostileBind(t, hasty, endpoint)
	silent = nil
	const few = 8
	for i := range few {
		silent = append(silent, stop(t, address, i))
	}
	hostileUntil(t, "the deadlines", func() bool { return hasty.Stats().HandshakesFailed == few })
	if st := hasty.Stats(); st.HandshakeTimeouts != few {
		t.Errorf("%d of %d handshakes ran out of time, want all: %v", st.HandshakeTimeouts, few, events.find(func(*socket.Event) bool { return true }))
	}
	for _, c := range silent {
		c.Close()
	}
	if err := hasty.Close(); err != nil {
		t.Error(err)
	}
	before.returns(t, 0)
}

// TestSEC06SlowCURVE: as many stop in CURVE's handshake as like, at any of its steps.
func TestSEC06SlowCURVE(t *testing.T) {
	key := curveKey(t)
	mechanism, err := curve.Server(key)
	if err != nil {
		t.Fatal(err)
	}
	own := hostileKey(t)
	client := curveClientOf(t, curveKey(t), key.Public())
	stalls(t, "tcp://127.0.0.1:0", socket.Options{Mechanism: mechanism, Authenticator: curve.AllowAny}, *client,
		func(t *testing.T, address string, i int) net.Conn {
			c := hostileDial(t, "tcp", address)
			switch i % 6 {
			case 0: // nothing
			case 1:
				c.put(hostileGreeting(3, 1, "CURVE", 0))
			case 2:
				c.put(hostileGreeting(3, 1, "CURVE", 0), hostileHeader(hostileCommand, 60<<10), []byte("\x05HELLO"))
			case 3:
				c.hello(own, key.Public(), hostileMeta("PUSH"))
			case 4:
				wire := c.hello(own, key.Public(), hostileMeta("PUSH")).initiate()
				c.put(wire[:len(wire)-1])
			case 5:
				wire := c.hello(own, key.Public(), hostileMeta("PUSH")).initiate()
				c.put(wire[:1])
			}
			return c
		})
}

// TestSEC06SlowTLS: the handshake of TLS has the same deadline.
func TestSEC06SlowTLS(t *testing.T) {
	var server, client socket.Options
	certificate, pool := tlsCertificate(t, "server.example")
	clientCert, clientPool := tlsCertificate(t, "client.example")
	overTLS(t, &server, &tls.Config{Certificates: []tls.Certificate{certificate}, ClientCAs: clientPool, ClientAuth: tls.RequireAndVerifyClientCert})
	config := &tls.Config{Certificates: []tls.Certificate{clientCert}, RootCAs: pool, MinVersion: tls.VersionTLS13}
	overTLS(t, &client, config)
	byHand := config.Clone()
	byHand.ServerName = "127.0.0.1"
	stalls(t, "tls+tcp://127.0.0.1:0", server, client, func(t *testing.T, address string, i int) net.Conn {
		c := hostileDial(t, "tcp", address)
		switch i % 5 {
		case 0: // nothing
		case 1:
			c.put([]byte("\x16\x03\x01\x02\x00\x01\x00")) // the beginning of a ClientHello
		case 2:
			c.put(append([]byte("\x16\x03\x01\x40\x00\x01\x00\x3f\xfc\x03\x03"), make([]byte, 5000)...)) // a large one, not all of it
		case 3, 4:
			secure := tls.Client(c.Conn, byHand)
			if err := secure.Handshake(); err != nil {
				t.Fatal(err)
			}
			if i%5 == 4 {
				if _, err := secure.Write(hostileHello); err != nil {
					t.Fatal(err)
				}
			}
		}
		return c
	})
}
