package socket_test

import (
	"bytes"
	"crypto/rand"
	"io"
	"testing"

	"github.com/ringwire/ringwire/internal/security"
	"github.com/ringwire/ringwire/internal/zmtp"
	"github.com/ringwire/ringwire/socket/curve"
)

// hostileSealed is an attacker who has keys: the client's side of CURVE, by hand.
type hostileSealed struct {
	*hostileConn
	conn security.Conn
}

// hostileKey is a key pair for one.
func hostileKey(t testing.TB) *security.KeyPair {
	t.Helper()
	secret := make([]byte, security.KeySize)
	rand.Read(secret)
	key, err := security.NewKeyPair(secret)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// hostileMeta is metadata of pairs of names and values.
func hostileMeta(socketType string, pairs ...string) zmtp.Metadata {
	m := zmtp.Metadata{{Name: zmtp.PropertySocketType, Value: []byte(socketType)}}
	for i := 0; i < len(pairs); i += 2 {
		m = append(m, zmtp.Property{Name: pairs[i], Value: []byte(pairs[i+1])})
	}
	return m
}

// hello sends greeting and HELLO, and returns a client that waits for WELCOME.
func (c *hostileConn) hello(key *security.KeyPair, server curve.PublicKey, meta zmtp.Metadata) *hostileSealed {
	c.t.Helper()
	client, err := security.NewCurveClient(key, server)
	if err != nil {
		c.t.Fatal(err)
	}
	s := &hostileSealed{c, client.New(meta, security.Limits{})}
	wire, err := s.conn.Start(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	c.put(hostileGreeting(3, 1, "CURVE", 0), wire)
	return s
}

// initiate reads WELCOME and returns INITIATE, which is not sent.
func (s *hostileSealed) initiate() []byte {
	s.t.Helper()
	if _, err := io.ReadFull(s, make([]byte, 64)); err != nil {
		s.t.Fatalf("read greeting: %v", err)
	}
	_, welcome, err := s.readFrame()
	if err != nil {
		s.t.Fatalf("read WELCOME: %v", err)
	}
	wire, err := s.conn.Handle(nil, welcome)
	if err != nil {
		s.t.Fatal(err)
	}
	return wire
}

// finish sends INITIATE and reads READY.
func (s *hostileSealed) finish() {
	s.t.Helper()
	s.put(s.initiate())
	_, ready, err := s.readFrame()
	if err != nil {
		s.t.Fatalf("read READY: %v", err)
	}
	if _, err := s.conn.Handle(nil, ready); err != nil || !s.conn.Done() {
		s.t.Fatalf("%q: %v", bytes.TrimSpace(ready), err)
	}
}

// seal is a frame in its box.
func (s *hostileSealed) seal(flags byte, body []byte) []byte {
	s.t.Helper()
	wire, err := s.conn.Seal(nil, flags, body)
	if err != nil {
		s.t.Fatal(err)
	}
	return wire
}
