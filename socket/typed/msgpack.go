package typed

import (
	"encoding"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/vmihailenco/msgpack/v5"
)

// Msgpack is the codec of MessagePack, and the default. Tags, custom encodings and
// extension types are those of github.com/vmihailenco/msgpack/v5. A time.Time is the
// timestamp extension, []byte is binary, a struct is a map or an array and can be
// decoded from either.
//
// Before anything is decoded, the structure of the whole payload is checked: it is one
// value, has as many elements as it claims, and is nested at most 100 levels deep. A
// payload of n bytes costs a receiver at most n*(128 + 4*s) bytes and 4 KiB, where s is
// the size of the largest Go type in a slice, map or pointer of T. For T with decoding of
// its own that is up to T. Extensions without a body are refused, and an extension's
// decoder gets at the body by ReadFull only.
type Msgpack struct {
	// Arrays encodes structs as arrays, without the names of their fields: smaller,
	// but fields can then neither be added nor removed.
	Arrays bool
	// Strict refuses maps with names that T has no field for. Without it, only a map
	// none of whose names is a field is refused.
	Strict bool
}

// Name implements Codec.
func (Msgpack) Name() string { return "msgpack" }

// encoder is a msgpack encoder that appends to b.
type encoder struct {
	*msgpack.Encoder
	b []byte
}

func (e *encoder) Write(b []byte) (int, error) { e.b = append(e.b, b...); return len(b), nil }
func (e *encoder) WriteByte(c byte) error      { e.b = append(e.b, c); return nil }

var encoders = sync.Pool{New: func() any { return &encoder{Encoder: msgpack.NewEncoder(nil)} }}

// Append implements Codec.
func (c Msgpack) Append(dst []byte, v any) ([]byte, error) {
	e := encoders.Get().(*encoder)
	e.b = dst
	e.Reset(e)
	e.UseCompactInts(true)
	e.UseArrayEncodedStructs(c.Arrays)
	err := e.Encode(v)
	dst, e.b = e.b, nil
	encoders.Put(e)
	return dst, err
}

// decoder is a msgpack decoder and the payload it reads.
type decoder struct {
	*msgpack.Decoder
	payload
}

var decoders = sync.Pool{New: func() any { return &decoder{Decoder: msgpack.NewDecoder(nil)} }}

// largeScratch is the payload whose decoder is not kept, because its scratch may have
// grown to that size.
const largeScratch = 64 << 10

// Decode implements Codec.
func (c Msgpack) Decode(data []byte, v any) error {
	d := decoders.Get().(*decoder)
	err := d.decode(data, v, c.Strict)
	if len(data) <= largeScratch { // and it has not panicked
		d.payload = payload{bodies: d.bodies[:0]}
		d.Reset(nil)
		decoders.Put(d)
	}
	if err != nil {
		return err
	}
	if c.Strict || !emptyStruct(v, "msgpack") {
		return nil
	}
	return checkNames(data, v)
}

func (d *decoder) decode(data []byte, v any, strict bool) error {
	n, bodies, err := check(data, d.bodies[:0])
	d.payload = payload{data: data, bodies: bodies}
	if err != nil {
		return err
	}
	if n != len(data) {
		return fmt.Errorf("%d bytes follow the value", len(data)-n)
	}
	d.Reset(&d.payload)
	d.DisallowUnknownFields(strict)
	// Lengths have been checked: what is allocated for them at once has arrived.
	d.DisableAllocLimit(true)
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("%s: %w", describe(data), err)
	}
	return nil
}

// payload is a checked payload that is being decoded.
type payload struct {
	data   []byte
	at     int
	bodies []int // where the bodies of extensions begin, ascending
	body   int   // index of the first that is not behind at
}

var errOpaque = errors.New("an extension stands where a map is expected")

func (p *payload) Read(b []byte) (int, error) {
	if p.at == len(p.data) && len(b) > 0 {
		return 0, io.EOF
	}
	n := copy(b, p.data[p.at:])
	p.at += n
	return n, nil
}

// ReadByte is how the decoder reads what is not a body. It takes an extension in the
// place of a map for a prefix, and what it then reads as the number of elements is
// in the extension's body, which check has not looked into.
func (p *payload) ReadByte() (byte, error) {
	if p.at == len(p.data) {
		return 0, io.EOF
	}
	for p.body < len(p.bodies) && p.bodies[p.body] < p.at {
		p.body++
	}
	if p.body < len(p.bodies) && p.bodies[p.body] == p.at {
		return 0, errOpaque
	}
	p.at++
	return p.data[p.at-1], nil
}

func (p *payload) UnreadByte() error {
	p.at--
	return nil
}

// check walks over the value at the start of b, without recursion and memory of its
// own, and returns its length. Where bodies of extensions begin is appended to bodies.
func check(b []byte, bodies []int) (n int, _ []int, err error) {
	var left [maxDepth + 1]int // values still to come, by level
	depth := 0
	left[0] = 1
	for at := 0; ; {
		for left[depth] == 0 {
			if depth == 0 {
				return at, bodies, nil
			}
			depth--
		}
		left[depth]--
		s, err := scan(b[at:])
		if err != nil {
			return 0, bodies, err
		}
		if s.extension {
			bodies = append(bodies, at+s.head)
		}
		at += s.head + s.body
		if s.elements > 0 {
			if s.elements > len(b)-at {
				return 0, bodies, errShort
			}
			if depth == maxDepth {
				return 0, bodies, errDeep
			}
			depth++
			left[depth] = s.elements
		}
	}
}

// item is one value without its elements.
type item struct {
	kind      string
	head      int // bytes in front of the body, or of the elements
	body      int
	elements  int // values inside; two for each pair of a map
	extension bool
}

// scan reads the head of the value at the start of b.
func scan(b []byte) (item, error) {
	if len(b) == 0 {
		return item{}, errShort
	}
	var s item
	var width, fixed int // bytes of a length that follows; a length that is in the code
	switch c := b[0]; {
	case c <= 0x7f, c >= 0xe0:
		s.kind = "an integer"
	case c == 0xc0:
		s.kind = "nil"
	case c == 0xc2, c == 0xc3:
		s.kind = "a boolean"
	case c <= 0x8f:
		s.kind, fixed = "a map", int(c&0x0f)
	case c <= 0x9f:
		s.kind, fixed = "an array", int(c&0x0f)
	case c <= 0xbf:
		s.kind, fixed = "a string", int(c&0x1f)
	case c >= 0xc4 && c <= 0xc6:
		s.kind, width = "binary", 1<<(c-0xc4)
	case c >= 0xc7 && c <= 0xc9:
		s.kind, width, s.extension = "an extension", 1<<(c-0xc7), true
	case c == 0xca, c == 0xcb:
		s.kind, fixed = "a float", 4<<(c-0xca)
	case c >= 0xcc && c <= 0xcf:
		s.kind, fixed = "an integer", 1<<(c-0xcc)
	case c >= 0xd0 && c <= 0xd3:
		s.kind, fixed = "an integer", 1<<(c-0xd0)
	case c >= 0xd4 && c <= 0xd8:
		s.kind, fixed, s.extension = "an extension", 1<<(c-0xd4), true
	case c >= 0xd9 && c <= 0xdb:
		s.kind, width = "a string", 1<<(c-0xd9)
	case c == 0xdc, c == 0xdd:
		s.kind, width = "an array", 2<<(c-0xdc)
	case c == 0xde, c == 0xdf:
		s.kind, width = "a map", 2<<(c-0xde)
	default:
		return s, fmt.Errorf("it has the byte %#x, which MessagePack does not use", c)
	}
	if len(b) < 1+width {
		return s, errShort
	}
	var wide [8]byte
	copy(wide[8-width:], b[1:1+width])
	size := binary.BigEndian.Uint64(wide[:]) + uint64(fixed)
	if s.head = 1 + width; s.extension {
		s.head++ // its type
	}
	switch s.kind {
	case "a map":
		size *= 2
		fallthrough
	case "an array":
		if size > uint64(len(b)-s.head) {
			return s, errShort
		}
		s.elements = int(size)
		return s, nil
	}
	if len(b) < s.head || size > uint64(len(b)-s.head) {
		return s, errShort
	}
	if s.extension && size == 0 {
		return s, errors.New("it has an extension without a body")
	}
	s.body = int(size)
	return s, nil
}

// describe says what a checked payload is.
func describe(b []byte) string {
	switch s, _ := scan(b); s.kind {
	case "a map":
		return fmt.Sprintf("a map of %d", s.elements/2)
	case "an array":
		return fmt.Sprintf("an array of %d", s.elements)
	default:
		return s.kind
	}
}

// checkNames refuses a checked payload that is a map of which no name is a field of what
// v points to.
func checkNames(b []byte, v any) error {
	m, _ := scan(b)
	if m.kind != "a map" || m.elements == 0 {
		return nil
	}
	known := fields(v, "msgpack")
	var names []string
	at := m.head
	for i := range m.elements {
		if s, _ := scan(b[at:]); i%2 == 0 && s.kind == "a string" {
			name := b[at+s.head : at+s.head+s.body]
			if known[string(name)] {
				return nil
			}
			if len(names) < maxShown {
				names = append(names, string(name))
			}
		}
		n, _, _ := check(b[at:], nil)
		at += n
	}
	return strangers(names, v)
}

// customMsgpack reports whether the type decodes itself.
func customMsgpack(v any) bool {
	switch v.(type) {
	case msgpack.CustomDecoder, msgpack.Unmarshaler, encoding.BinaryUnmarshaler:
		return true
	}
	return false
}
