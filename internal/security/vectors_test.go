package security

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/nacl/box"
	"golang.org/x/crypto/nacl/secretbox"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/zmtp"
)

// The example of the paper "Cryptography in NaCl", which other implementations are
// tested with, too.
const (
	naclAlice  = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"
	naclBob    = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"
	naclPublic = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"
	naclShared = "1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389"
	naclNonce  = "69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37"
	naclPlain  = "be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728d45e6c6129" +
		"6cdc3c01233561f41db66cce314adb310e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde" +
		"048977eb48f59ffd4924ca1c60902e52f0a089bc76897040e082f937763848645e0705"
	naclBox = "f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186a" +
		"c0dfc17c98dce87b4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738b48eeee314a7cc8ab932164548e526ae" +
		"90224368517acfeabd6bb3732bc0e9da99832b61ca01b6de56244a9e88d5f9b37973f622a43d14a6599b1f654cb45a74" +
		"e355a5"
)

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestSEC21NaCl: keys, shared keys and boxes are NaCl's.
func TestSEC21NaCl(t *testing.T) {
	alice, err := NewKeyPair(unhex(t, naclAlice))
	if err != nil {
		t.Fatal(err)
	}
	bob, err := NewKeyPair(unhex(t, naclBob))
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%x", bob.public); got != naclPublic {
		t.Errorf("Bob's public key: got %s, want %s", got, naclPublic)
	}
	for _, sides := range [][2]*KeyPair{{alice, bob}, {bob, alice}} {
		key, err := sides[0].shared(sides[1].public[:])
		if err != nil || fmt.Sprintf("%x", *key) != naclShared {
			t.Fatalf("the shared key: got %x, %v, want %s", *key, err, naclShared)
		}
		nonce := [24]byte(unhex(t, naclNonce))
		if got := fmt.Sprintf("%x", seal(nil, unhex(t, naclPlain), &nonce, key)); got != naclBox {
			t.Errorf("the box: got %s, want %s", got, naclBox)
		}
		if got, err := unbox(unhex(t, naclBox), &nonce, key, "it"); err != nil || fmt.Sprintf("%x", got) != naclPlain {
			t.Errorf("the box opens to %x, %v", got, err)
		}
	}
	for _, n := range []int{0, 31, 33} {
		if _, err := NewKeyPair(make([]byte, n)); err == nil {
			t.Errorf("a secret key of %d bytes: got nil, want an error", n)
		}
	}
}

// TestSEC21Stream: a direction is secretbox under RFC 26's nonce, for every size up to
// some of the cipher's blocks and around larger numbers of them, both ways.
func TestSEC21Stream(t *testing.T) {
	sizes := []int{1000, 1023, 1024, 4096 - 33, 70_000}
	for n := range 700 {
		sizes = append(sizes, n)
	}
	shared := [32]byte(unhex(t, naclShared))
	sender, receiver := newDirection(&shared, fromServer, 6), newDirection(&shared, fromServer, 6)
	for _, size := range sizes {
		body := make([]byte, size)
		(&counting{byte(size)}).Read(body)
		wire, err := sender.seal(nil, boxMore, body)
		if err != nil {
			t.Fatal(err)
		}
		h, _, _ := zmtp.ParseHeader(wire)
		frame := wire[h.Len:]
		want := secretbox.Seal([]byte(messageName), append([]byte{boxMore}, body...), shortNonce(fromServer, frame[8:16]), &shared)
		want = slices.Insert(want, len(messageName), frame[8:16]...)
		if !bytes.Equal(frame, want) {
			t.Fatalf("size %d: got %x, want %x", size, frame, want)
		}
		dst := make([]byte, 3, 3+size%50) // with room, and without
		if got, flags, err := receiver.open(dst, frame); err != nil || flags != zmtp.FlagMore || !bytes.Equal(got[3:], body) {
			t.Fatalf("size %d opens to %x, flags %x, %v", size, got, flags, err)
		}
	}
}

// TestSEC21LowOrder: no key can be agreed on with a point of low order, as each of the
// keys that a peer sends, nor is any such point a server's key.
func TestSEC21LowOrder(t *testing.T) {
	low := []string{
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	}
	for _, text := range low {
		point := unhex(t, text)
		if _, err := testKey(t, 1).shared(point); !errors.Is(err, ringwire.ErrProtocol) {
			t.Errorf("a shared key with %s: got %v, want a protocol error", text, err)
		}
		if _, err := NewCurveClient(testKey(t, 1), [KeySize]byte(point)); err == nil {
			t.Errorf("a client of the server %s: got nil, want an error", text)
		}
		_, server := seeded(t, 1)
		server.Start(nil)
		hello := append([]byte("\x05HELLO\x01\x00"), make([]byte, 72)...)
		hello = binary.BigEndian.AppendUint64(append(hello, point...), 1)
		// What a key of zeros would open, which is what a point of low order leads to
		// if nobody looks.
		hello = seal(hello, make([]byte, 64), shortNonce(helloNonce, hello[len(hello)-8:]), new([32]byte))
		if out, err := server.Handle(nil, hello); !errors.Is(err, ringwire.ErrProtocol) || len(out) > 0 || !strings.Contains(err.Error(), "low order") {
			t.Errorf("HELLO with C' = %s: got %x, %v, want it refused for its order", text, out, err)
		}
	}
}

// TestSEC21KeysDiffer: no two keys, cookies or transcripts are alike, and none is zero.
func TestSEC21KeysDiffer(t *testing.T) {
	seen := make(map[string]bool)
	for range 20 {
		c, err := NewCurveClient(testKey(t, 1), testKey(t, 2).Public())
		if err != nil {
			t.Fatal(err)
		}
		s, err := NewCurveServer(testKey(t, 2))
		if err != nil {
			t.Fatal(err)
		}
		client, server := c.New(nil, Limits{}), s.New(nil, Limits{})
		bodies := transcript(t, client, server)
		cd, sd := client.(*curveClient), server.(*curveServer)
		if cd.out.key != sd.in.key || cd.in.key != sd.out.key {
			t.Fatal("the two sides have other keys")
		}
		for _, b := range append(bodies, cd.out.key[:], cd.in.key[:]) {
			if seen[string(b)] || bytes.Equal(b, make([]byte, len(b))) {
				t.Fatalf("%x is there twice, or zero", b)
			}
			seen[string(b)] = true
		}
	}
}

var update = flag.Bool("update", false, "write testdata/rfc26.txt anew")

// TestSEC21Transcript: the handshake, and a message each way, of fixed keys and random
// bytes are what they were. They are also taken apart here, at the offsets of RFC 26
// and with NaCl's boxes alone.
func TestSEC21Transcript(t *testing.T) {
	client, server := seeded(t, 1)
	lines := transcript(t, client, server)
	for _, dir := range [][2]Conn{{client, server}, {server, client}} {
		wire, err := dir[0].Seal(nil, zmtp.FlagMore, []byte("a message of RFC 26"))
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, wire[2:])
	}
	var text strings.Builder
	for i, name := range []string{"HELLO", "WELCOME", "INITIATE", "READY", "MESSAGE C", "MESSAGE S"} {
		fmt.Fprintf(&text, "%s: %x\n", name, lines[i])
	}
	const golden = "testdata/rfc26.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(text.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if text.String() != string(want) {
		t.Errorf("got\n%s\nwant\n%s", text.String(), want)
	}

	draw := func(r *counting, n int) []byte {
		b := make([]byte, n)
		r.Read(b)
		return b
	}
	forClient, forServer := &counting{1}, &counting{2}
	c, s := [32]byte(draw(forClient, 32)), [32]byte(draw(forServer, 32)) // c' and s'
	cookieKey := [32]byte(draw(forServer, 32))
	longServer := [32]byte(testKey(t, 2).Secret())
	publicServer := testKey(t, 2).Public()
	open := func(what string, sealed []byte, nonce string, rest []byte, public []byte, secret *[32]byte) []byte {
		t.Helper()
		plain, ok := box.Open(nil, sealed, longNonce(nonce, rest), (*[32]byte)(public), secret)
		if !ok {
			t.Fatalf("the box of %s does not open", what)
		}
		return plain
	}
	hello, welcome, initiate, ready := lines[0], lines[1], lines[2], lines[3]
	if len(hello) != 200 || string(hello[:8]) != "\x05HELLO\x01\x00" || !bytes.Equal(hello[8:80], make([]byte, 72)) {
		t.Fatalf("HELLO is %x", hello)
	}
	transient := hello[80:112]
	if plain := open("HELLO", hello[120:], "CurveZMQHELLO---", hello[112:120], transient, &longServer); !bytes.Equal(plain, make([]byte, 64)) {
		t.Errorf("HELLO has %x in its box, want zeros", plain)
	}
	if len(welcome) != 168 || string(welcome[:8]) != "\x07WELCOME" {
		t.Fatalf("WELCOME is %x", welcome)
	}
	inside := open("WELCOME", welcome[24:], "WELCOME-", welcome[8:24], publicServer[:], &c)
	response, cookie := inside[:32], inside[32:]
	if plain, ok := secretbox.Open(nil, cookie[16:], longNonce("COOKIE--", cookie[:16]), &cookieKey); !ok || !bytes.Equal(plain, slices.Concat(transient, s[:])) {
		t.Errorf("the cookie opens %v, %x, want C' and s'", ok, plain)
	}
	if string(initiate[:9]) != "\x08INITIATE" || !bytes.Equal(initiate[9:105], cookie) {
		t.Fatalf("INITIATE is %x, want the cookie in it", initiate)
	}
	inside = open("INITIATE", initiate[113:], "CurveZMQINITIATE", initiate[105:113], transient, &s)
	long, vouch, meta := inside[:32], inside[32:128], inside[128:]
	if key := testKey(t, 1).Public(); !bytes.Equal(long, key[:]) {
		t.Errorf("INITIATE has the key %x, want the client's", long)
	}
	if plain := open("the vouch", vouch[16:], "VOUCH---", vouch[:16], long, &s); !bytes.Equal(plain, slices.Concat(transient, publicServer[:])) {
		t.Errorf("the vouch is %x, want C' and S", plain)
	}
	if want := "\x0bSocket-Type\x00\x00\x00\x04PUSH"; string(meta) != want {
		t.Errorf("INITIATE has metadata %q, want %q", meta, want)
	}
	if plain := open("READY", ready[14:], "CurveZMQREADY---", ready[6:14], response, &c); string(plain) != "\x0bSocket-Type\x00\x00\x00\x04PULL" {
		t.Errorf("READY has metadata %q", plain)
	}
	for i, m := range []struct {
		prefix string
		public []byte
		secret *[32]byte
	}{{"CurveZMQMESSAGEC", transient, &s}, {"CurveZMQMESSAGES", response, &c}} {
		if plain := open("MESSAGE", lines[4+i][16:], m.prefix, lines[4+i][8:16], m.public, m.secret); string(plain) != "\x01a message of RFC 26" {
			t.Errorf("MESSAGE has %q", plain)
		}
	}
}
