package zmtp

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/ringwire/ringwire"
)

// The names of the properties that the protocol itself uses. libzmq compares
// names case-sensitively, so send exactly these.
const (
	PropertySocketType = "Socket-Type"
	PropertyIdentity   = "Identity"
)

const (
	// MaxProperties bounds the metadata of one peer in number, because 6
	// bytes on the wire become a Property of 40 and two allocations. libzmq
	// sends two properties and what the application adds.
	MaxProperties = 256

	// MaxIdentity is the longest Identity in bytes.
	MaxIdentity = 255

	maxValue    = 1<<31 - 1
	valueLength = 4 // bytes
)

// Property is one name and value of a peer's metadata.
type Property struct {
	Name  string
	Value []byte
}

// Metadata is what a side tells about itself in the handshake, in the order
// of the wire.
type Metadata []Property

// Get returns the value of the first property with that name, compared
// without regard to the case of ASCII letters. ok is false if there is none,
// which is not the same as an empty value.
func (m Metadata) Get(name string) (value []byte, ok bool) {
	for _, p := range m {
		if equalName(p.Name, name) {
			return p.Value, true
		}
	}
	return nil, false
}

// AppendProperty appends one property. A name or value that does not fit its
// length field is an error that wraps ringwire.ErrTooLarge, and dst is
// returned as it was: nothing is ever cut.
func AppendProperty(dst []byte, name string, value []byte) ([]byte, error) {
	if err := checkProperty(name, uint64(len(value))); err != nil {
		return dst, err
	}
	dst = append(dst, byte(len(name)))
	dst = append(dst, name...)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(value)))
	return append(dst, value...), nil
}

func checkProperty(name string, size uint64) error {
	limit := uint64(maxValue)
	if equalName(name, PropertyIdentity) {
		limit = MaxIdentity
	}
	switch {
	case name == "":
		return fmt.Errorf("property name of 0 bytes, want 1 to %d", maxName)
	case len(name) > maxName:
		return fmt.Errorf("property name of %d bytes, want 1 to %d: %w",
			len(name), maxName, ringwire.ErrTooLarge)
	case size > limit:
		return fmt.Errorf("property %q of %d bytes, want at most %d: %w",
			name, size, limit, ringwire.ErrTooLarge)
	}
	return nil
}

// AppendMetadata appends all properties of m. Metadata that ParseMetadata
// would refuse from a peer is an error, and dst is returned as it was.
func AppendMetadata(dst []byte, m Metadata) ([]byte, error) {
	if len(m) > MaxProperties {
		return dst, fmt.Errorf("metadata with %d properties, want at most %d: %w",
			len(m), MaxProperties, ringwire.ErrTooLarge)
	}
	start := len(dst)
	for i, p := range m {
		if _, twice := m[:i].Get(p.Name); twice && isSingle(p.Name) {
			return dst[:start], fmt.Errorf("property %q twice, want it once", p.Name)
		}
		var err error
		if dst, err = AppendProperty(dst, p.Name, p.Value); err != nil {
			return dst[:start], err
		}
	}
	return dst, nil
}

// ParseMetadata reads b, which is metadata and nothing else, of at most
// maxBytes. Names and values are copied, so b may be reused.
//
// More than maxBytes or MaxProperties wraps ringwire.ErrTooLarge. A second
// Socket-Type or Identity, an Identity of more than MaxIdentity bytes and
// every broken length wrap ringwire.ErrProtocol. Other names may repeat, and
// any byte may be in a name: quote it where it is printed. Absent properties
// are no error, as in libzmq. Neither is an Identity that starts with a zero
// byte: libzmq lets applications set and send it, so a socket that makes up
// identities must look whether they are taken.
func ParseMetadata(b []byte, maxBytes int) (Metadata, error) {
	if len(b) > maxBytes {
		return nil, fmt.Errorf("metadata of %d bytes, want at most %d: %w",
			len(b), maxBytes, ringwire.ErrTooLarge)
	}
	count, err := countProperties(b)
	if err != nil {
		return nil, err
	}
	m := make(Metadata, 0, count)
	for range count {
		var name, value []byte
		name, value, b, _ = cutProperty(b) // countProperties has seen it whole
		m = append(m, Property{Name: string(name), Value: bytes.Clone(value)})
	}
	return m, nil
}

// countProperties checks all of b and allocates nothing but the error.
func countProperties(b []byte) (int, error) {
	var count, types, identities int
	for len(b) > 0 {
		name, value, rest, err := cutProperty(b)
		if err != nil {
			return 0, err
		}
		if count++; count > MaxProperties {
			return 0, fmt.Errorf("metadata with more than %d properties: %w",
				MaxProperties, ringwire.ErrTooLarge)
		}
		switch {
		case equalName(name, PropertySocketType):
			types++
		case equalName(name, PropertyIdentity):
			identities++
			if len(value) > MaxIdentity {
				return 0, fmt.Errorf("property %q of %d bytes, want at most %d: %w",
					name, len(value), MaxIdentity, ringwire.ErrProtocol)
			}
		}
		if types > 1 || identities > 1 {
			return 0, fmt.Errorf("property %q twice, want it once: %w", name, ringwire.ErrProtocol)
		}
		b = rest
	}
	return count, nil
}

// cutProperty splits the first property off b, which is not empty.
func cutProperty(b []byte) (name, value, rest []byte, err error) {
	n := int(b[0])
	b = b[1:]
	if n == 0 {
		return nil, nil, nil, fmt.Errorf("property name of 0 bytes, want 1 to %d: %w",
			maxName, ringwire.ErrProtocol)
	}
	if n > len(b) {
		return nil, nil, nil, fmt.Errorf("property name of %d bytes, want at most the %d that follow: %w",
			n, len(b), ringwire.ErrProtocol)
	}
	name, b = b[:n], b[n:]
	if len(b) < valueLength {
		return nil, nil, nil, fmt.Errorf("property %q ends after %d bytes of its value's length, want %d: %w",
			name, len(b), valueLength, ringwire.ErrProtocol)
	}
	size := uint64(binary.BigEndian.Uint32(b))
	b = b[valueLength:]
	if size > uint64(len(b)) {
		return nil, nil, nil, fmt.Errorf("property %q declares %d bytes, want at most the %d that follow: %w",
			name, size, len(b), ringwire.ErrProtocol)
	}
	return name, b[:size], b[size:], nil
}

// isSingle reports whether a peer may send the property only once.
func isSingle(name string) bool {
	return equalName(name, PropertySocketType) || equalName(name, PropertyIdentity)
}

// equalName compares property names without regard to the case of ASCII
// letters. strings.EqualFold would also fold Unicode, by which
// "\u017focket-Type" is a Socket-Type.
func equalName[T string | []byte](a T, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(b) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
