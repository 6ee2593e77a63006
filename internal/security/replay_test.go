package security

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/ringwire/ringwire"
)

// TestSEC03Nonces: each frame needs a counter higher than all before it; gaps are
// allowed, and the box must be of that counter.
func TestSEC03Nonces(t *testing.T) {
	const last = 1000
	for _, test := range []struct {
		counter uint64
		ok      bool
	}{
		{0, false}, {1, false}, {last - 1, false}, {last, false},
		{last + 1, true}, {last + 2, true}, {1 << 40, true}, {math.MaxUint64 - 1, true}, {math.MaxUint64, true},
	} {
		var shared [32]byte
		sender, receiver := newDirection(&shared, fromClient, test.counter-1), newDirection(&shared, fromClient, last)
		if test.counter == 0 {
			sender.counter = 0
		}
		sealed, err := sender.seal(nil, 0, []byte("body"))
		if err != nil {
			t.Fatal(err)
		}
		frame := sealed[2:]
		if test.counter == 0 {
			binary.BigEndian.PutUint64(frame[len(messageName):], 0)
		}
		body, _, err := receiver.open(nil, frame)
		if test.ok && (err != nil || string(body) != "body" || receiver.counter != test.counter) {
			t.Errorf("nonce %d after %d: got %q, %v, then %d, want it opened", test.counter, last, body, err, receiver.counter)
		}
		if !test.ok && (!errors.Is(err, ringwire.ErrProtocol) || receiver.counter != last) {
			t.Errorf("nonce %d after %d: got %v, then %d, want a protocol error and no change", test.counter, last, err, receiver.counter)
		}
		if binary.BigEndian.PutUint64(frame[len(messageName):], test.counter+1); test.counter < math.MaxUint64-1 {
			if _, _, err := receiver.open(nil, frame); !errors.Is(err, ringwire.ErrProtocol) {
				t.Errorf("a box of nonce %d under %d: got %v, want a protocol error", test.counter, test.counter+1, err)
			}
		}
	}
}

// TestSEC03NoncesEnd: the last counter is used once, and then nothing is sealed.
func TestSEC03NoncesEnd(t *testing.T) {
	var shared [32]byte
	d := newDirection(&shared, fromClient, math.MaxUint64-1)
	if _, err := d.seal(nil, 0, nil); err != nil {
		t.Fatal(err)
	}
	if out, err := d.seal([]byte("x"), 0, []byte("body")); !errors.Is(err, errNonces) || string(out) != "x" {
		t.Errorf("after the last nonce: got %q, %v, want nothing and an error", out, err)
	}
}

// TestSEC03OtherConnection: no command of one connection is taken by another of the
// same two keys, whichever side it is played to: cookies, vouches and all boxes are
// of their connection.
func TestSEC03OtherConnection(t *testing.T) {
	c, s := seeded(t, 1)
	recorded := transcript(t, c, s)
	message, err := c.Seal(nil, 0, []byte("pay ten"))
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"HELLO", "WELCOME", "INITIATE", "READY"}
	for n := range names {
		client, server := seeded(t, 77)
		err := run(t, client, server, n, func([]byte) []byte { return bytes.Clone(recorded[n]) })
		if n == 0 {
			// A HELLO alone proves nothing, and the server answers; but the answer is
			// for the owner of the recorded key.
			if err == nil || client.Done() || server.Done() {
				t.Errorf("a recorded HELLO leads to a connection: %v", err)
			}
			continue
		}
		if !errors.Is(err, ringwire.ErrProtocol) {
			t.Errorf("a recorded %s: got %v, want a protocol error", names[n], err)
		}
	}
	// A server that is fed the whole recording gets no further than its cookie.
	_, server := seeded(t, 77)
	server.Start(nil)
	if _, err := give(server, recorded[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := give(server, recorded[2]); !errors.Is(err, ringwire.ErrProtocol) || server.Done() {
		t.Errorf("a replayed handshake: got %v, done %v, want a protocol error", err, server.Done())
	}
	client, server := seeded(t, 77)
	transcript(t, client, server)
	if _, _, err := server.Open(nil, message[2:]); !errors.Is(err, ringwire.ErrProtocol) {
		t.Errorf("a MESSAGE of another connection: got %v, want a protocol error", err)
	}
}

// TestSEC03Cookie: an INITIATE that is right in all but its cookie, which is of
// another connection of the same client with the same transient key, is refused.
func TestSEC03Cookie(t *testing.T) {
	first, firstServer := seeded(t, 1)
	wire, err := first.Start(nil)
	if err != nil {
		t.Fatal(err)
	}
	hello := commandBody(t, wire)
	firstServer.Start(nil)
	welcome, err := give(firstServer, hello)
	if err != nil {
		t.Fatal(err)
	}
	initiate, err := give(first, commandBody(t, welcome))
	if err != nil {
		t.Fatal(err)
	}
	// The other server connection has the same transient key, so that everything in
	// INITIATE opens for it, but made a cookie of its own.
	_, other := seeded(t, 1)
	other.(*curveServer).Start(nil)
	if _, err := give(other, hello); err != nil {
		t.Fatal(err)
	}
	own := *other.(*curveServer).cookie
	other.(*curveServer).cookie = &[32]byte{1, 2, 3}
	if _, err := give(other, commandBody(t, initiate)); !errors.Is(err, ringwire.ErrProtocol) {
		t.Errorf("another connection's cookie: got %v, want a protocol error", err)
	}
	// One that opens, and says another C' or s' than the connection's.
	for _, part := range []string{"C'", "s'"} {
		_, server := seeded(t, 1)
		s := server.(*curveServer)
		s.Start(nil)
		if _, err := give(s, hello); err != nil {
			t.Fatal(err)
		}
		if *s.cookie != own {
			t.Fatal("the server does not follow its seed")
		}
		c, secret := s.client, s.transient.Secret()
		if part == "C'" {
			c[0] ^= 1
		} else {
			secret[0] ^= 8 // bits 0 to 2 are not of the key
		}
		body := commandBody(t, initiate)
		cookie := body[1+len("INITIATE"):][:cookieSize]
		forged := seal(slices.Clone(cookie[:16]), slices.Concat(c[:], secret), longNonce(cookieNonce, cookie[:16]), s.cookie)
		if _, err := give(s, slices.Concat([]byte("\x08INITIATE"), forged, body[1+len("INITIATE")+cookieSize:])); !errors.Is(err, ringwire.ErrProtocol) {
			t.Errorf("a cookie of another %s: got %v, want a protocol error", part, err)
		}
	}
}

// TestSEC03Vouch: a vouch must be of this C' and mean this server: else who runs one
// server could pass its clients' vouches on to another.
func TestSEC03Vouch(t *testing.T) {
	for _, part := range []string{"none", "C'", "S"} {
		client, server := seeded(t, 1)
		err := run(t, client, server, 2, func(body []byte) []byte {
			c, s := client.(*curveClient), server.(*curveServer)
			data := body[1+len("INITIATE"):]
			plain, err := unbox(data[initiateHead:], shortNonce(initiateNonce, data[cookieSize:initiateHead]), c.traffic, "INITIATE")
			if err != nil {
				t.Fatal(err)
			}
			nonce := plain[KeySize:][:16]
			key, err := c.config.key.shared(c.response[:])
			if err != nil {
				t.Fatal(err)
			}
			transient, long := c.transient.Public(), s.config.keys[0].Public()
			switch part {
			case "C'":
				transient[5] ^= 1
			case "S":
				long[5] ^= 1
			}
			vouch := seal(nil, slices.Concat(transient[:], long[:]), longNonce(vouchNonce, nonce), key)
			inside := slices.Concat(plain[:KeySize+16], vouch, plain[KeySize+16+vouchSize:])
			out := seal(slices.Clone(data[:initiateHead]), inside, shortNonce(initiateNonce, data[cookieSize:initiateHead]), c.traffic)
			return append([]byte("\x08INITIATE"), out...)
		})
		if want := part == "none"; (err == nil) != want || !want && !errors.Is(err, ringwire.ErrProtocol) {
			t.Errorf("a vouch with another %s: got %v, want it taken: %v", part, err, want)
		}
	}
}

// TestSEC03InitiateNonce: the counter of INITIATE is higher than HELLO's.
func TestSEC03InitiateNonce(t *testing.T) {
	for _, counter := range []uint64{0, 1} {
		client, server := seeded(t, 1)
		err := run(t, client, server, 2, func(body []byte) []byte {
			c := client.(*curveClient)
			data := body[1+len("INITIATE"):]
			plain, err := unbox(data[initiateHead:], shortNonce(initiateNonce, data[cookieSize:initiateHead]), c.traffic, "INITIATE")
			if err != nil {
				t.Fatal(err)
			}
			out := binary.BigEndian.AppendUint64(slices.Clone(data[:cookieSize]), counter)
			out = seal(out, plain, shortNonce(initiateNonce, out[cookieSize:]), c.traffic)
			return append([]byte("\x08INITIATE"), out...)
		})
		if !errors.Is(err, ringwire.ErrProtocol) {
			t.Errorf("INITIATE with nonce %d after 1: got %v, want a protocol error", counter, err)
		}
	}
}

// TestSEC03Reflection: what a side sent is no answer to itself.
func TestSEC03Reflection(t *testing.T) {
	c, s := seeded(t, 1)
	recorded := transcript(t, c, s)
	for n, body := range recorded {
		client, server := seeded(t, 1) // the same keys and nonces: as close as it gets
		wire, err := client.Start(nil)
		if err != nil {
			t.Fatal(err)
		}
		server.Start(nil)
		from := client
		if n%2 == 1 {
			from = server
		}
		for i := range n {
			to := server
			if i%2 == 1 {
				to = client
			}
			if wire, err = give(to, commandBody(t, wire)); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(commandBody(t, wire), body) {
			t.Fatalf("command %d is not the recorded one", n)
		}
		if _, err := give(from, body); !errors.Is(err, ringwire.ErrProtocol) {
			t.Errorf("command %d reflected: got %v, want a protocol error", n, err)
		}
	}
	for i, side := range []Conn{c, s} {
		sealed, err := side.Seal(nil, 0, []byte("body"))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := side.Open(nil, sealed[2:]); !errors.Is(err, ringwire.ErrProtocol) {
			t.Errorf("side %d opens its own MESSAGE: %v", i, err)
		}
	}
	if got := fmt.Sprint(c.Done(), s.Done()); got != "false false" {
		t.Errorf("after a reflected MESSAGE: done %s, want neither", got)
	}
}
