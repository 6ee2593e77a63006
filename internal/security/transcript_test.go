package security

import (
	"bytes"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/zmtp"
)

// transcript is the bodies of a handshake's commands in order, HELLO, WELCOME,
// INITIATE and READY, of sides that are done after it.
func transcript(t testing.TB, client, server Conn) [][]byte {
	t.Helper()
	wire, err := client.Start(nil)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := server.Start(nil); err != nil || len(out) > 0 {
		t.Fatalf("the server's Start: got %q, %v, want nothing", out, err)
	}
	var bodies [][]byte
	for to, other := server, client; len(wire) > 0; to, other = other, to {
		body := commandBody(t, wire)
		bodies = append(bodies, bytes.Clone(body))
		if wire, err = give(to, body); err != nil {
			t.Fatal(err)
		}
	}
	if len(bodies) != 4 || !client.Done() || !server.Done() {
		t.Fatalf("got %d commands, done %v and %v, want 4 and done", len(bodies), client.Done(), server.Done())
	}
	return bodies
}

// commandBody is the body of the one command frame in wire.
func commandBody(t testing.TB, wire []byte) []byte {
	t.Helper()
	h, ok, err := zmtp.ParseHeader(wire)
	if !ok || err != nil || h.Flags&^zmtp.FlagLong != zmtp.FlagCommand || h.Len+int(h.Size) != len(wire) {
		t.Fatalf("%q is no single command", wire)
	}
	return wire[h.Len:]
}

// give passes a command to c, and says yes if it asks.
func give(c Conn, body []byte) ([]byte, error) {
	out, err := c.Handle(nil, body)
	if a, ok := c.(Asker); ok && err == nil {
		if _, asks := a.Pending(); asks {
			return a.Verdict(out, ringwire.Verdict{Allow: true})
		}
	}
	return out, err
}

// seeded is a CURVE connection's side whose random bytes follow from seed.
func seeded(t testing.TB, seed byte) (client, server Conn) {
	t.Helper()
	c, err := NewCurveClient(testKey(t, 1), testKey(t, 2).Public())
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewCurveServer(testKey(t, 2))
	if err != nil {
		t.Fatal(err)
	}
	c.random, s.random = &counting{seed}, &counting{seed + 1}
	meta := func(kind string) zmtp.Metadata { return zmtp.Metadata{{Name: "Socket-Type", Value: []byte(kind)}} }
	return c.New(meta("PUSH"), Limits{}), s.New(meta("PULL"), Limits{})
}

// plainSides is the two sides of PLAIN.
func plainSides(t testing.TB) (client, server Conn) { return plainPair(t, "user", "secret") }
