package attack

import (
	"bytes"
	"encoding/hex"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/nacl/box"
)

func TestWire(t *testing.T) {
	for _, x := range []struct {
		name string
		got  []byte
		want string
	}{
		{"greeting", greeting(3, 1, "NULL", 0)[:17], "ff00000000000000017f03014e554c4c00"},
		{"frame", frame(flagMore, []byte("ab")), "01026162"},
		{"long frame", frame(0, make([]byte, 256))[:10], "02000000000000010000"},
		{"header", header(flagCommand, 1<<63), "068000000000000000"},
		{"command", command("PING", 0, 1), "04070450494e470001"},
		{"property", property("A", "bc"), "0141000000026263"},
		{"subscription", topic([]byte("t"), true, false), "00020174"},
		{"CANCEL", topic([]byte("t"), false, true), "04080643414e43454c74"},
		{"PLAIN", plainHello("u", "pw"), "040b0548454c4c4f0175027077"},
	} {
		if got := hex.EncodeToString(x.got); got != x.want {
			t.Errorf("%s: got %s, want %s", x.name, got, x.want)
		}
	}
}

// What a client of CURVE seals, its server can open, and the other way round.
func TestCurveTraffic(t *testing.T) {
	a, b := newKeyPair(), newKeyPair()
	traffic := curveTraffic{a.shared(b.public[:]), 3}
	wire := traffic.seal(flagCommand, []byte("x"))
	want := append([]byte{0, 34}, "\x07MESSAGE\x00\x00\x00\x00\x00\x00\x00\x03"...)
	plain, ok := box.OpenAfterPrecomputation(nil, wire[18:], nonce(nonceClient, counter(3)), b.shared(a.public[:]))
	if !bytes.HasPrefix(wire, want) || !ok || string(plain) != "\x02x" {
		t.Errorf("got %x, opened %q %t, want %x and a command", wire, plain, ok, want)
	}
	reply := append([]byte("\x07MESSAGE"), counter(9)...)
	reply = box.SealAfterPrecomputation(reply, []byte("\x01y"), nonce(nonceServer, counter(9)), b.shared(a.public[:]))
	if flags, plain, err := traffic.open(reply); err != nil || flags != flagMore || string(plain) != "y" {
		t.Errorf("got flags %d, %q, %v", flags, plain, err)
	}
	reply[20] ^= 1
	if _, _, err := traffic.open(reply); err == nil {
		t.Error("an altered frame: got nil, want an error")
	}
}

// An attacker notices a victim that does not do what it has to.
func TestRaiderIsSurprised(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() { // a victim that hangs up on everybody
		defer close(served)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.(*net.TCPConn).CloseWrite()
			c.SetReadDeadline(time.Now().Add(guard))
			c.Read(make([]byte, 1))
			c.Close()
		}
	}()
	a := &Attack{Rate: 1000, Inputs: func(*Target) []Input {
		return []Input{{Name: "refused", Send: []byte("x"), Event: badHandshake}, {Name: "kept", After: WhenReady, Want: Kept}, {Name: "either", After: WhenReady, Want: Either}, {Name: "left", Send: []byte("x"), Want: Left}}
	}}
	r := openRaider(&Job{Endpoint: "tcp://" + l.Addr().String(), Rate: 1000, Target: Target{Victim: "PULL", Mechanism: "NULL", Network: "tcp"}}, a)
	answer := r.do(request{Do: "attack", Millis: 20})
	l.Close()
	<-served
	got := answer.Raid
	if n := got.Connections; n < 4 || got.Inputs != 4 || got.Kept != 0 || got.Refused < n/4 || got.Events[badHandshake] < n/4 || got.Left < n/4 {
		t.Errorf("got %+v, want each input", got)
	}
	if len(got.Surprises) == 0 || slices.ContainsFunc(got.Surprises, func(s string) bool { return !strings.HasPrefix(s, "kept: ") }) {
		t.Errorf("got surprises %q, want one about what should have been kept", got.Surprises)
	}
	if got.OpenNow != 0 || got.Now != 0 {
		t.Errorf("got %d connections and %d bytes still open, want none", got.OpenNow, got.Now)
	}
}
