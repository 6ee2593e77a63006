package security_test

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/security"
	"github.com/ringwire/ringwire/internal/zmtp"
)

// The seam is driven here as a session does, with NULL and with toy, which has
// the shape of PLAIN and CURVE: roles, four commands, a verdict that comes
// later, sealed traffic.

// end is one side of a connection in memory: what it sent waits in wire.
type end struct {
	conn security.Conn
	wire []byte
	err  error
	ask  func(ringwire.Credentials) ringwire.Verdict
}

// shake runs both sides until nothing moves. The wire of a side that failed
// is still delivered.
func shake(t *testing.T, a, b *end) {
	t.Helper()
	a.wire, a.err = a.conn.Start(nil)
	b.wire, b.err = b.conn.Start(nil)
	for moved := true; moved; {
		moved = a.step(t, b) || b.step(t, a)
	}
}

// step gives e one command frame of its peer's, or a verdict.
func (e *end) step(t *testing.T, peer *end) bool {
	t.Helper()
	if e.err != nil {
		return false
	}
	if asking, ok := e.conn.(security.Asker); ok {
		if credentials, pending := asking.Pending(); pending {
			e.wire, e.err = asking.Verdict(e.wire, e.ask(credentials))
			return true
		}
	}
	if len(peer.wire) == 0 || e.conn.Done() {
		return false
	}
	h, ok, err := zmtp.ParseHeader(peer.wire)
	if !ok || err != nil || h.Flags&zmtp.FlagCommand == 0 {
		t.Fatalf("%q is no command frame", peer.wire)
	}
	end := h.Len + int(h.Size)
	e.wire, e.err = e.conn.Handle(e.wire, peer.wire[h.Len:end])
	peer.wire = peer.wire[end:]
	return true
}

// body cuts one whole frame to its body.
func body(t *testing.T, frame []byte) []byte {
	t.Helper()
	h, ok, err := zmtp.ParseHeader(frame)
	if !ok || err != nil || h.Size != uint64(len(frame)-h.Len) {
		t.Fatalf("%q is no frame: %+v, %v, %v", frame, h, ok, err)
	}
	return frame[h.Len:]
}

// checkOpen fails unless both sides are done and know each other.
func checkOpen(t *testing.T, a, b *end, clear bool) {
	t.Helper()
	for _, side := range []struct {
		*end
		want zmtp.Metadata
	}{{a, metadata("ROUTER")}, {b, metadata("DEALER")}} {
		if side.err != nil || !side.conn.Done() || side.conn.Clear() != clear || !reflect.DeepEqual(side.conn.Peer(), side.want) {
			t.Errorf("got Done %v, Clear %v, Peer %q, %v, want peer %q",
				side.conn.Done(), side.conn.Clear(), side.conn.Peer(), side.err, side.want)
		}
	}
	if len(a.wire) > 0 || len(b.wire) > 0 {
		t.Errorf("got %q and %q left on the wire", a.wire, b.wire)
	}
}

func TestNullPair(t *testing.T) {
	a := &end{conn: security.Null{}.New(metadata("DEALER"), security.Limits{})}
	b := &end{conn: security.Null{}.New(metadata("ROUTER"), security.Limits{})}
	shake(t, a, b)
	checkOpen(t, a, b, true)
}

func TestSeamSealed(t *testing.T) {
	var asked ringwire.Credentials
	a := &end{conn: toyMechanism{user: "alice"}.New(metadata("DEALER"), security.Limits{})}
	b := &end{conn: toyMechanism{server: true}.New(metadata("ROUTER"), security.Limits{})}
	b.ask = func(c ringwire.Credentials) ringwire.Verdict { asked = c; return ringwire.Verdict{Allow: true} }
	shake(t, a, b)
	checkOpen(t, a, b, false)
	if asked.Username != "alice" {
		t.Errorf("got credentials of %q, want alice", asked.Username)
	}

	for _, frame := range [][]byte{
		[]byte("\x00\x05hello"),
		append(zmtp.AppendHeader(nil, zmtp.FlagMore, 1000), make([]byte, 1000)...),
		zmtp.AppendPing(nil, 0, []byte("ctx")),
		[]byte("\x00\x00"),
	} {
		h, _, _ := zmtp.ParseHeader(frame)
		sealed, err := a.conn.Seal([]byte("before"), h.Flags, frame[h.Len:])
		if err != nil {
			t.Fatal(err)
		}
		out, flags, err := b.conn.Open([]byte("before"), body(t, sealed[len("before"):]))
		if err != nil {
			t.Fatal(err)
		}
		plain := out[len("before"):]
		if got := append(zmtp.AppendHeader(nil, flags, len(plain)), plain...); !bytes.Equal(got, frame) {
			t.Errorf("got frame %q, want %q", got, frame)
		}
	}
}

// A refusal leaves the last frame for the peer, who learns the reason.
func TestSeamDenied(t *testing.T) {
	a := &end{conn: toyMechanism{user: "mallory"}.New(metadata("DEALER"), security.Limits{})}
	b := &end{conn: toyMechanism{server: true}.New(metadata("ROUTER"), security.Limits{})}
	b.ask = func(ringwire.Credentials) ringwire.Verdict { return ringwire.Verdict{} }
	shake(t, a, b)
	if !errors.Is(b.err, errDenied) || !errors.Is(a.err, ringwire.ErrRejected) || a.conn.Done() || b.conn.Done() {
		t.Errorf("got %v and %v, want a refusal on both sides", a.err, b.err)
	}
}

var errDenied = errors.New("denied")

type toyMechanism struct {
	server bool
	user   string
}

func (toyMechanism) Name() string { return "TOY" }

func (m toyMechanism) New(own zmtp.Metadata, _ security.Limits) security.Conn {
	c := &toy{toyMechanism: m, own: own, expect: zmtp.CommandHello}
	if !m.server {
		c.expect = zmtp.CommandWelcome
	}
	return c
}

type toy struct {
	toyMechanism
	own, peer zmtp.Metadata
	expect    string // the next command, empty when done
	pending   bool
}

func (c *toy) Start(dst []byte) ([]byte, error) {
	if c.server {
		return dst, nil
	}
	return zmtp.AppendCommand(dst, zmtp.CommandHello, []byte(c.user)), nil
}

func (c *toy) Handle(dst []byte, command []byte) ([]byte, error) {
	name, data, err := zmtp.ParseCommand(command)
	if err != nil {
		return dst, err
	}
	if string(name) == zmtp.CommandError {
		return dst, fmt.Errorf("ERROR: %w", ringwire.ErrRejected)
	}
	if string(name) != c.expect || c.pending {
		return dst, fmt.Errorf("command %q, want %q: %w", name, c.expect, ringwire.ErrProtocol)
	}
	own, err := zmtp.AppendMetadata(nil, c.own)
	if err != nil {
		return dst, err
	}
	switch c.expect {
	case zmtp.CommandHello:
		c.user, c.pending = string(data), true
		return dst, nil
	case zmtp.CommandWelcome:
		c.expect = zmtp.CommandReady
		return zmtp.AppendCommand(dst, zmtp.CommandInitiate, own), nil
	case zmtp.CommandInitiate:
		dst = zmtp.AppendCommand(dst, zmtp.CommandReady, own)
	}
	c.expect = ""
	c.peer, err = zmtp.ParseMetadata(data, 1<<10)
	return dst, err
}

func (c *toy) Pending() (ringwire.Credentials, bool) {
	return ringwire.Credentials{Mechanism: "TOY", Username: c.user}, c.pending
}

func (c *toy) Verdict(dst []byte, v ringwire.Verdict) ([]byte, error) {
	c.pending = false
	if !v.Allow {
		dst, _ = zmtp.AppendError(dst, "400")
		return dst, errDenied
	}
	c.expect = zmtp.CommandInitiate
	return zmtp.AppendCommand(dst, zmtp.CommandWelcome, nil), nil
}

func (c *toy) Done() bool          { return c.expect == "" }
func (c *toy) Peer() zmtp.Metadata { return c.peer }
func (c *toy) Clear() bool         { return false }

func (c *toy) Seal(dst []byte, flags byte, body []byte) ([]byte, error) {
	dst = zmtp.AppendHeader(dst, 0, 1+len(body))
	for _, b := range append([]byte{flags}, body...) {
		dst = append(dst, b^0xA5)
	}
	return dst, nil
}

func (c *toy) Open(dst, body []byte) (out []byte, flags byte, err error) {
	if len(body) == 0 {
		return dst, 0, fmt.Errorf("sealed frame of 0 bytes, want at least 1: %w", ringwire.ErrProtocol)
	}
	for _, b := range body[1:] {
		dst = append(dst, b^0xA5)
	}
	return dst, (body[0] ^ 0xA5) & (zmtp.FlagMore | zmtp.FlagCommand), nil
}
