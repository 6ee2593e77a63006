package security

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/crypto/nacl/box"
	"golang.org/x/crypto/nacl/secretbox"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/zmtp"
)

// counting is a source of bytes that are the same in every run.
type counting struct{ n byte }

func (c *counting) Read(p []byte) (int, error) {
	for i := range p {
		c.n = c.n*73 + 41
		p[i] = c.n
	}
	return len(p), nil
}

func testKey(t testing.TB, seed byte) *KeyPair {
	t.Helper()
	k, err := NewKeyPair(bytes.Repeat([]byte{seed}, KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// curvePair is a client and a server that know each other.
func curvePair(t testing.TB) (client, server Conn) {
	t.Helper()
	c, err := NewCurveClient(testKey(t, 1), testKey(t, 2).Public())
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewCurveServer(testKey(t, 3), testKey(t, 2))
	if err != nil {
		t.Fatal(err)
	}
	c.random, s.random = &counting{1}, &counting{2}
	return c.New(zmtp.Metadata{{Name: "Socket-Type", Value: []byte("PUSH")}}, Limits{}),
		s.New(zmtp.Metadata{{Name: "Socket-Type", Value: []byte("PULL")}}, Limits{})
}

// step passes the one frame in wire to c, through change, and returns c's answer,
// with an allowing verdict if it asks.
func step(c Conn, wire []byte, change func([]byte) []byte) ([]byte, error) {
	h, ok, err := zmtp.ParseHeader(wire)
	if !ok || err != nil || h.Flags&^zmtp.FlagLong != zmtp.FlagCommand || h.Len+int(h.Size) != len(wire) {
		return nil, fmt.Errorf("%q is no single command", wire)
	}
	out, err := c.Handle(nil, change(bytes.Clone(wire[h.Len:])))
	if a, ok := c.(Asker); ok && err == nil {
		if _, asks := a.Pending(); asks {
			return a.Verdict(out, ringwire.Verdict{Allow: true})
		}
	}
	return out, err
}

func same(b []byte) []byte { return b }

// run does the handshake with the n-th command, from 0, changed, and returns the
// first error.
func run(t testing.TB, client, server Conn, n int, change func([]byte) []byte) error {
	t.Helper()
	wire, err := client.Start(nil)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := server.Start(nil); err != nil || len(out) > 0 {
		t.Fatalf("the server's Start: %q, %v, want nothing", out, err)
	}
	for i := range 4 {
		to := server
		if i%2 == 1 {
			to = client
		}
		f := same
		if i == n {
			f = change
		}
		if wire, err = step(to, wire, f); err != nil {
			return err
		}
	}
	if len(wire) > 0 {
		t.Fatalf("got %q after READY, want nothing", wire)
	}
	return nil
}

// TestCurveHandshake: RFC 26, and traffic both ways.
func TestCurveHandshake(t *testing.T) {
	client, server := curvePair(t)
	if err := run(t, client, server, -1, nil); err != nil {
		t.Fatal(err)
	}
	if !client.Done() || !server.Done() || client.Clear() || server.Clear() {
		t.Fatal("not done, or in the clear")
	}
	if kind, _ := client.Peer().Get("Socket-Type"); string(kind) != "PULL" {
		t.Errorf("the client learned %q, want PULL", client.Peer())
	}
	if kind, _ := server.Peer().Get("Socket-Type"); string(kind) != "PUSH" {
		t.Errorf("the server learned %q, want PUSH", server.Peer())
	}
	for _, size := range []int{0, 1, 30, 31, 32, 33, 63, 64, 65, 255, 256, 1000, 100_000} {
		for _, flags := range []byte{0, zmtp.FlagMore, zmtp.FlagCommand} {
			for _, pair := range [][2]Conn{{client, server}, {server, client}} {
				body := bytes.Repeat([]byte{byte(size)}, size)
				sealed, err := pair[0].Seal([]byte("x"), flags, body)
				if err != nil {
					t.Fatal(err)
				}
				h, ok, err := zmtp.ParseHeader(sealed[1:])
				if !ok || err != nil || h.Flags&^zmtp.FlagLong != 0 || int(h.Size) != size+33 {
					t.Fatalf("size %d: outer frame %+v, want a message frame of %d bytes", size, h, size+33)
				}
				if size > 8 && bytes.Contains(sealed, body) {
					t.Fatal("the body is in the clear")
				}
				out, got, err := pair[1].Open([]byte("y"), sealed[1+h.Len:])
				if err != nil || got != flags || !bytes.Equal(out, append([]byte("y"), body...)) {
					t.Fatalf("size %d, flags %#x: got %d bytes, flags %#x, %v", size, flags, len(out), got, err)
				}
			}
		}
	}
}

// TestCurveStreamIsSecretbox: the traffic is NaCl's secretbox under RFC 26's
// nonces, though its subkey is computed once.
func TestCurveStreamIsSecretbox(t *testing.T) {
	var shared [32]byte
	copy(shared[:], "a shared key of thirty-two bytes")
	d := newDirection(&shared, fromClient, 41)
	for _, size := range []int{0, 1, 31, 32, 33, 64, 300} {
		body := bytes.Repeat([]byte("b"), size)
		sealed, err := d.seal(nil, boxMore, body)
		if err != nil {
			t.Fatal(err)
		}
		h, _, _ := zmtp.ParseHeader(sealed)
		nonce := shortNonce(fromClient, sealed[h.Len+8:h.Len+16])
		plain, ok := secretbox.Open(nil, sealed[h.Len+16:], nonce, &shared)
		if !ok || !bytes.Equal(plain, append([]byte{boxMore}, body...)) {
			t.Errorf("size %d: secretbox opens %v, %q", size, ok, plain)
		}
	}
}

// TestSEC21SharedKey: the shared key is NaCl's, and public keys of low order have
// none.
func TestSEC21SharedKey(t *testing.T) {
	a, b := testKey(t, 7), testKey(t, 8)
	var want [32]byte
	public := b.Public()
	secret := [32]byte(a.Secret())
	box.Precompute(&want, &public, &secret)
	if got, err := a.shared(public[:]); err != nil || *got != want {
		t.Errorf("got %x, %v, want %x", got, err, want)
	}
	low := make([]byte, 32)
	for _, first := range []byte{0, 1} {
		low[0] = first
		if _, err := a.shared(low); !errors.Is(err, ringwire.ErrProtocol) {
			t.Errorf("public key %x: got %v, want a protocol error", low, err)
		}
	}
	if _, err := NewCurveClient(a, [32]byte{}); err == nil {
		t.Error("a client of a server with key 0: got nil, want an error")
	}
}

// TestSEC05CurveEveryByte: no byte of any command of the handshake can be changed, cut
// off or added (SEC-05, SEC-15), but HELLO's padding and its version's neighbours.
func TestSEC05CurveEveryByte(t *testing.T) {
	sizes := []int{200, 168, 0, 0}
	for n := range 4 {
		client, server := curvePair(t)
		run(t, client, server, n, func(b []byte) []byte { sizes[n] = len(b); return b })
		for at := range sizes[n] {
			if n == 0 && at >= 8 && at < 80 {
				continue // zeros against amplification, which nobody looks at
			}
			client, server := curvePair(t)
			if err := run(t, client, server, n, func(b []byte) []byte { b[at] ^= 0x40; return b }); err == nil {
				t.Errorf("command %d with byte %d changed is taken", n, at)
			}
		}
		for _, change := range []func([]byte) []byte{
			func(b []byte) []byte { return b[:len(b)-1] },
			func(b []byte) []byte { return append(b, 0) },
		} {
			client, server := curvePair(t)
			if err := run(t, client, server, n, change); !errors.Is(err, ringwire.ErrProtocol) {
				t.Errorf("command %d of another size: got %v, want a protocol error", n, err)
			}
		}
	}
}

// TestSEC05HighestBit: a C' in HELLO whose highest bit was changed, which X25519 ignores,
// leads to the same keys, and to no connection all the same: the vouch is of another C'.
func TestSEC05HighestBit(t *testing.T) {
	client, server := curvePair(t)
	err := run(t, client, server, 0, func(b []byte) []byte { b[111] ^= 0x80; return b })
	if !errors.Is(err, ringwire.ErrProtocol) || !strings.Contains(err.Error(), "another connection") || server.Done() {
		t.Errorf("got %v, done %v, want it refused for the cookie or the vouch", err, server.Done())
	}
}

// TestSEC03Frames: a frame cannot come twice, late, or changed.
func TestSEC03Frames(t *testing.T) {
	for _, name := range []string{"again", "an earlier one", "reflected", "changed"} {
		client, server := curvePair(t)
		if err := run(t, client, server, -1, nil); err != nil {
			t.Fatal(err)
		}
		bodies := make([][]byte, 3)
		for i := range bodies {
			sealed, err := client.Seal(nil, 0, []byte{byte(i)})
			if err != nil {
				t.Fatal(err)
			}
			bodies[i] = sealed[2:]
		}
		if _, _, err := server.Open(nil, bodies[1]); err != nil {
			t.Fatalf("the second frame, after none: %v", err) // gaps are the transport's affair
		}
		to, body := server, bodies[2]
		switch name {
		case "again":
			body = bodies[1]
		case "an earlier one":
			body = bodies[0]
		case "reflected":
			to = client
		case "changed":
			body[len(body)-1] ^= 1
		}
		if _, _, err := to.Open(nil, body); !errors.Is(err, ringwire.ErrProtocol) {
			t.Errorf("%s: got %v, want a protocol error", name, err)
		}
		if _, _, err := to.Open(nil, bodies[2]); err == nil {
			t.Errorf("%s: the connection goes on after it", name)
		}
	}
}

// TestCurveDenied: who is not let in is told so, and the client knows.
func TestCurveDenied(t *testing.T) {
	client, server := curvePair(t)
	wire, _ := client.Start(nil)
	server.Start(nil)
	wire, _ = step(server, wire, same)
	wire, _ = step(client, wire, same)
	h, _, _ := zmtp.ParseHeader(wire)
	if _, err := server.Handle(nil, wire[h.Len:]); err != nil {
		t.Fatal(err)
	}
	c, asks := server.(Asker).Pending()
	public := testKey(t, 1).Public()
	if !asks || !bytes.Equal(c.PublicKey, public[:]) || c.Mechanism != CurveName {
		t.Fatalf("asks %v about %+v, want the client's key", asks, c)
	}
	wire, err := server.(Asker).Verdict(nil, ringwire.Verdict{})
	if !errors.Is(err, ringwire.ErrRejected) {
		t.Errorf("the server says %v, want ErrRejected", err)
	}
	if _, err := step(client, wire, same); !errors.Is(err, ringwire.ErrRejected) || !strings.Contains(err.Error(), "400") {
		t.Errorf("the client says %v, want ErrRejected with 400", err)
	}
}

// TestSEC17Printed: no verb prints a secret.
func TestSEC17Printed(t *testing.T) {
	key := testKey(t, 9)
	client, _ := NewCurveClient(key, testKey(t, 2).Public())
	server, _ := NewCurveServer(key)
	plain, _ := NewPlainClient("user", "hunter2")
	secret := fmt.Sprintf("%x", key.Secret())
	for _, v := range []any{key, client, server, plain, []*KeyPair{key}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q", "%d"} {
			if s := fmt.Sprintf(verb, v); strings.Contains(s, secret) || strings.Contains(s, "hunter2") || strings.Contains(s, "68756e74657232") {
				t.Errorf("%s of %T prints its secret: %s", verb, v, s)
			}
		}
	}
}

// TestVouchOfAnotherKey: a client whose public key is not that of its secret key is told
// apart from one that is not allowed.
func TestVouchOfAnotherKey(t *testing.T) {
	client, server := curvePair(t)
	mixed := *testKey(t, 1)
	mixed.public = testKey(t, 9).public
	client.(*curveClient).config.key = &mixed
	err := run(t, client, server, -1, nil)
	want := EncodeZ85(mixed.public[:]) + ": its public and its secret key may not belong together"
	if !errors.Is(err, ringwire.ErrProtocol) || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want a protocol error that says %s", err, want)
	}
}
