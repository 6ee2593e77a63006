package zmtp

import (
	"bytes"
	"fmt"

	"github.com/ringwire/ringwire"
)

// GreetingSize is the length of a greeting, in both directions and for every
// mechanism.
const GreetingSize = 64

// The version that Ringwire announces.
const (
	VersionMajor = 3
	VersionMinor = 1
)

// Offsets of the greeting's fields.
const (
	signatureEnd    = 9
	majorOffset     = 10
	minorOffset     = 11
	mechanismOffset = 12
	asServerOffset  = 32
)

// Greeting is what both sides send first.
type Greeting struct {
	Major, Minor byte
	Mechanism    string // 1 to 20 characters of A-Z, 0-9, -_.+

	// AsServer is reported as it was announced. That it is false says nothing:
	// libzmq sends 0 for servers too and never looks at it.
	AsServer bool
}

// AtLeast31 reports whether g announces ZMTP 3.1 or later, whose
// subscriptions are commands and which answers PING.
func (g Greeting) AtLeast31() bool {
	return g.Major > 3 || g.Major == 3 && g.Minor >= 1
}

// AppendGreeting appends the 64 bytes of g. The padding is the one of a
// libzmq socket without identity. It panics if the mechanism name cannot be
// announced, because mechanisms are ours.
func AppendGreeting(dst []byte, g Greeting) []byte {
	n := len(g.Mechanism)
	if n == 0 || n > asServerOffset-mechanismOffset || n != mechanismLen(g.Mechanism) {
		panic(fmt.Sprintf("zmtp: the mechanism name %q cannot be announced, want 1 to 20 characters of A-Z, 0-9, -_.+",
			g.Mechanism))
	}
	var greeting [GreetingSize]byte
	greeting[0] = 0xFF
	greeting[signatureEnd-1] = 1
	greeting[signatureEnd] = 0x7F
	greeting[majorOffset] = g.Major
	greeting[minorOffset] = g.Minor
	copy(greeting[mechanismOffset:asServerOffset], g.Mechanism)
	if g.AsServer {
		greeting[asServerOffset] = 1
	}
	return append(dst, greeting[:]...)
}

// ParseGreeting reads a greeting from the front of b. n is GreetingSize, or 0
// with a nil error while bytes are missing.
//
// A peer that cannot be ours is refused at the byte that shows it, so that an
// HTTP request, a TLS hello or an older ZMTP peer that waits for us does not
// hold the connection until a deadline. Padding, as-server and filler are not
// looked at: libzmq puts other values there than the RFC says.
func ParseGreeting(b []byte) (g Greeting, n int, err error) {
	if len(b) > 0 && b[0] != 0xFF {
		return Greeting{}, 0, fmt.Errorf("first byte 0x%02x is not a ZMTP signature, want 0xff: %w",
			b[0], ringwire.ErrProtocol)
	}
	if len(b) > signatureEnd && b[signatureEnd]&1 == 0 {
		return Greeting{}, 0, fmt.Errorf(
			"byte 9 is 0x%02x and ends no ZMTP signature, want bit 0 set: peer speaks ZMTP 1.0, if any: %w",
			b[signatureEnd], ringwire.ErrProtocol)
	}
	if len(b) > majorOffset && b[majorOffset] < 3 {
		version := "2.0" // revision 1, and 2 by the RFC's rule
		if b[majorOffset] == 0 {
			version = "1.0"
		}
		return Greeting{}, 0, fmt.Errorf("peer speaks ZMTP %s, want 3.0 or later: %w",
			version, ringwire.ErrProtocol)
	}
	if len(b) <= mechanismOffset {
		return Greeting{}, 0, nil
	}
	mechanism, err := parseMechanism(b[mechanismOffset:min(len(b), asServerOffset)])
	if err != nil || len(b) < GreetingSize {
		return Greeting{}, 0, err
	}
	return Greeting{
		Major:     b[majorOffset],
		Minor:     b[minorOffset],
		Mechanism: string(mechanism),
		AsServer:  b[asServerOffset] != 0,
	}, GreetingSize, nil
}

// parseMechanism returns the name in field, which is the mechanism field or
// as much of it as has arrived.
func parseMechanism(field []byte) ([]byte, error) {
	n := mechanismLen(field)
	if n == len(field) {
		return field, nil
	}
	if field[n] != 0 {
		return nil, fmt.Errorf("mechanism has byte 0x%02x at %d, want A-Z, 0-9, -_.+ or padding: %w",
			field[n], n, ringwire.ErrProtocol)
	}
	if n == 0 {
		return nil, fmt.Errorf("mechanism is empty, want 1 to 20 characters: %w",
			ringwire.ErrProtocol)
	}
	padding := bytes.TrimLeft(field[n:], "\x00")
	if len(padding) > 0 {
		return nil, fmt.Errorf("mechanism %s has byte 0x%02x behind it, want NUL padding: %w",
			field[:n], padding[0], ringwire.ErrProtocol)
	}
	return field[:n], nil
}

// mechanismLen counts the leading characters of name that a mechanism name
// may have.
func mechanismLen[T string | []byte](name T) int {
	for i := range len(name) {
		c := name[i]
		switch {
		case 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.', c == '+':
		default:
			return i
		}
	}
	return len(name)
}
