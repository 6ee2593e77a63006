package zmtp_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/zmtp"
)

const anySize = 1 << 30

// property is the wire form of a property, written without the code under
// test. size is the declared one.
func property(name string, size uint32, value string) string {
	return string([]byte{byte(len(name))}) + name + string(binary.BigEndian.AppendUint32(nil, size)) + value
}

// socketType is the property that everybody sends.
func socketType(name string) zmtp.Property {
	return zmtp.Property{Name: zmtp.PropertySocketType, Value: []byte(name)}
}

func identity(value string) zmtp.Property {
	return zmtp.Property{Name: zmtp.PropertyIdentity, Value: []byte(value)}
}

func TestReadyGolden(t *testing.T) {
	for _, row := range []struct {
		own  zmtp.Metadata
		want string
	}{
		{
			zmtp.Metadata{socketType("DEALER"), identity("")},
			"\x04\x29\x05READY\x0BSocket-Type\x00\x00\x00\x06DEALER\x08Identity\x00\x00\x00\x00",
		},
		{zmtp.Metadata{socketType("SUB")}, "\x04\x19\x05READY\x0BSocket-Type\x00\x00\x00\x03SUB"},
		{zmtp.Metadata{socketType("XPUB")}, "\x04\x1A\x05READY\x0BSocket-Type\x00\x00\x00\x04XPUB"},
		{nil, "\x04\x06\x05READY"},
	} {
		data, err := zmtp.AppendMetadata(nil, row.own)
		if err != nil {
			t.Fatal(err)
		}
		got := zmtp.AppendCommand(nil, zmtp.CommandReady, data)
		if string(got) != row.want {
			t.Errorf("got %q, want %q", got, row.want)
		}
		_, data, err = zmtp.ParseCommand(commandBody(t, []byte(row.want)))
		if err != nil {
			t.Fatal(err)
		}
		peer, err := zmtp.ParseMetadata(data, anySize)
		if len(peer) != len(row.own) || len(peer) > 0 && !reflect.DeepEqual(peer, row.own) || err != nil {
			t.Errorf("got %q, %v, want %q", peer, err, row.own)
		}
	}
}

func TestMetadataTruncated(t *testing.T) {
	whole := property("Socket-Type", 3, "SUB") + property("X-Name", 5, "value")
	for k := range len(whole) + 1 {
		m, err := zmtp.ParseMetadata([]byte(whole[:k]), anySize)
		switch k {
		case 0, 19, len(whole):
			checkError(t, err, nil)
		default:
			checkError(t, err, ringwire.ErrProtocol)
			if m != nil {
				t.Errorf("%d bytes: got %q with an error", k, m)
			}
		}
	}
}

// SEC-05: what must be refused, and what must not.
func TestMetadataRefused(t *testing.T) {
	xs := strings.Repeat("x", 255)
	dealer := property("Socket-Type", 6, "DEALER")
	for _, row := range []struct {
		name, input string
		want        error
		text        string
	}{
		{"name length 0", property("", 0, ""), ringwire.ErrProtocol, "property name of 0 bytes, want 1 to 255"},
		{"name length 0 behind another", dealer + "\x00", ringwire.ErrProtocol, "property name of 0 bytes"},
		{"name length 255", "\xFF" + xs + "\x00\x00\x00\x01v", nil, ""},
		{"name one past the end", "\x06short", ringwire.ErrProtocol, "property name of 6 bytes, want at most the 5 that follow"},
		{"name far past the end", "\xFF", ringwire.ErrProtocol, "property name of 255 bytes, want at most the 0 that follow"},
		{"no value length", "\x04name", ringwire.ErrProtocol, `property "name" ends after 0 bytes of its value's length, want 4`},
		{"half a value length", "\x04name\x00\x00\x00", ringwire.ErrProtocol, "ends after 3 bytes"},
		{"value length 2^31-1", property("name", 1<<31-1, "v"), ringwire.ErrProtocol, `"name" declares 2147483647 bytes, want at most the 1`},
		{"value length 2^31", property("name", 1<<31, "v"), ringwire.ErrProtocol, "declares 2147483648 bytes"},
		{"value length 2^32-1", property("name", 1<<32-1, "v"), ringwire.ErrProtocol, "declares 4294967295 bytes"},
		{"value one past the end", property("name", 6, "value"), ringwire.ErrProtocol, "declares 6 bytes, want at most the 5"},
		{"value at the end", property("name", 5, "value"), nil, ""},
		{"value empty", property("name", 0, ""), nil, ""},
		{"name not printable", "\x02\x1B[\x00\x00\x00\x01", ringwire.ErrProtocol, `property "\x1b[" declares`},
		{"256 properties", strings.Repeat(property("x", 1, "v"), 256), nil, ""},
		{"257 properties", strings.Repeat(property("x", 1, "v"), 257), ringwire.ErrTooLarge, "more than 256 properties"},
		{"10^5 properties of one byte", strings.Repeat(property("x", 1, "v"), 1e5), ringwire.ErrTooLarge, "more than 256 properties"},
		{"duplicate name", property("X-A", 1, "1") + property("X-A", 1, "2"), nil, ""},
		{"two Socket-Types", dealer + dealer, ringwire.ErrProtocol, `"Socket-Type" twice`},
		{"two Socket-Types, other case", dealer + property("sOCKET-tYPE", 3, "SUB"), ringwire.ErrProtocol, `"sOCKET-tYPE" twice`},
		{"two Identities", property("Identity", 1, "a") + dealer + property("IDENTITY", 1, "a"), ringwire.ErrProtocol, `"IDENTITY" twice`},
		{"missing Socket-Type", property("Identity", 1, "a"), nil, ""},
		{"identity 255", property("Identity", 255, xs), nil, ""},
		{"identity 256", property("Identity", 256, xs+"x"), ringwire.ErrProtocol, `"Identity" of 256 bytes, want at most 255`},
		{"identity starts with zero", property("Identity", 5, "\x00\x01\x02\x03\x04"), nil, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			m, err := zmtp.ParseMetadata([]byte(row.input), anySize)
			if row.want != nil {
				checkError(t, err, row.want, row.text)
				if m != nil {
					t.Errorf("got %d properties with an error", len(m))
				}
				return
			}
			again, againErr := zmtp.AppendMetadata(nil, m)
			if string(again) != row.input || err != nil || againErr != nil {
				t.Errorf("got %q, %v, %v, want %q", again, err, againErr, row.input)
			}
		})
	}
}

// SEC-05: the limit is the caller's and is meant to the byte.
func TestMetadataLimit(t *testing.T) {
	const limit = 64 << 10
	overhead := len(property("X-Blob", 0, ""))
	for _, size := range []int{63 << 10, limit, limit + 1, 65 << 10} {
		own := zmtp.Metadata{{Name: "X-Blob", Value: bytes.Repeat([]byte("b"), size-overhead)}}
		wire, err := zmtp.AppendMetadata(nil, own)
		if len(wire) != size || err != nil {
			t.Fatalf("got %d bytes, %v, want %d", len(wire), err, size)
		}
		peer, err := zmtp.ParseMetadata(wire, limit)
		if size <= limit {
			if !reflect.DeepEqual(peer, own) || err != nil {
				t.Errorf("%d bytes: got %d properties, %v", size, len(peer), err)
			}
			continue
		}
		checkError(t, err, ringwire.ErrTooLarge, fmt.Sprintf("metadata of %d bytes, want at most %d", size, limit))
	}
}

// A refused peer costs an error, not the properties that it announced.
func TestMetadataRefusedAllocatesLittle(t *testing.T) {
	flood := []byte(strings.Repeat(property("x", 1, "v"), 256) + "\x00")
	if n := testing.AllocsPerRun(20, func() {
		if _, err := zmtp.ParseMetadata(flood, anySize); err == nil {
			t.Fatal("accepted")
		}
	}); n > 10 {
		t.Errorf("got %v allocations for a refusal, want those of an error", n)
	}
}

func TestMetadataIsCopied(t *testing.T) {
	wire := []byte(property("Socket-Type", 3, "SUB"))
	m, err := zmtp.ParseMetadata(wire, anySize)
	if err != nil {
		t.Fatal(err)
	}
	clear(wire)
	if want := (zmtp.Metadata{socketType("SUB")}); !reflect.DeepEqual(m, want) {
		t.Errorf("got %q, want %q", m, want)
	}
}

func TestMetadataGet(t *testing.T) {
	m := zmtp.Metadata{
		{Name: "X-A", Value: []byte("first")},
		{Name: "x-a", Value: []byte("second")},
		{Name: "\u017focket-Type", Value: []byte("folds by Unicode, not by ASCII")},
		{Name: "socket-TYPE", Value: []byte("SUB")},
		{Name: "X-Empty"},
	}
	for _, row := range []struct {
		name, want string
		ok         bool
	}{
		{"X-A", "first", true},
		{"x-A", "first", true},
		{zmtp.PropertySocketType, "SUB", true},
		{"x-empty", "", true},
		{"X-B", "", false},
		{"X[A", "", false},
		{"", "", false},
	} {
		value, ok := m.Get(row.name)
		if string(value) != row.want || ok != row.ok {
			t.Errorf("%q: got %q, %v, want %q, %v", row.name, value, ok, row.want, row.ok)
		}
	}
}

// SEC-12: what does not fit is an error and never cut.
func TestAppendMetadataRefused(t *testing.T) {
	long := strings.Repeat("n", 256)
	for _, row := range []struct {
		name string
		own  zmtp.Metadata
		want error
		text string
	}{
		{"no name", zmtp.Metadata{{}}, nil, "property name of 0 bytes, want 1 to 255"},
		{"name 256", zmtp.Metadata{{Name: long}}, ringwire.ErrTooLarge, "property name of 256 bytes, want 1 to 255"},
		{"identity 256", zmtp.Metadata{identity(long)}, ringwire.ErrTooLarge, `"Identity" of 256 bytes, want at most 255`},
		{"two Socket-Types", zmtp.Metadata{socketType("SUB"), socketType("SUB")}, nil, `"Socket-Type" twice`},
		{"257 properties", make(zmtp.Metadata, 257), ringwire.ErrTooLarge, "257 properties, want at most 256"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := zmtp.AppendMetadata([]byte("before"), row.own)
			if string(got) != "before" {
				t.Errorf("got %q, want dst as it was", got)
			}
			if err == nil || !strings.Contains(err.Error(), row.text) {
				t.Errorf("got error %v, want %q in it", err, row.text)
			}
			if row.want != nil {
				checkError(t, err, row.want)
			}
		})
	}
	checkError(t, zmtp.CheckProperty("X-Blob", 1<<31-1), nil)
	checkError(t, zmtp.CheckProperty("X-Blob", 1<<31), ringwire.ErrTooLarge, `"X-Blob" of 2147483648 bytes, want at most 2147483647`)
}

func FuzzMetadata(f *testing.F) {
	for _, seed := range []string{
		"", "\x00", "\xFF", property("Socket-Type", 6, "DEALER") + property("Identity", 0, ""), property("name", 1<<32-1, "v"),
		property("Identity", 1, "a") + property("IDENTITY", 1, "b"), property("X-A", 1, "1") + property("x-a", 1, "2"), "\x04name\x00\x00",
	} {
		f.Add([]byte(seed), anySize)
	}
	f.Add([]byte(strings.Repeat(property("x", 1, "v"), 257)), 64<<10)
	f.Fuzz(func(t *testing.T, b []byte, maxBytes int) {
		m, err := zmtp.ParseMetadata(b, maxBytes)
		if len(b) > maxBytes {
			checkError(t, err, ringwire.ErrTooLarge)
		}
		if err != nil {
			if m != nil {
				t.Fatalf("%q: got %q and %v", b, m, err)
			}
			return
		}
		if len(m) > zmtp.MaxProperties {
			t.Fatalf("got %d properties", len(m))
		}
		again, err := zmtp.AppendMetadata(nil, m)
		if !bytes.Equal(again, b) || err != nil {
			t.Fatalf("got %q, %v, want %q", again, err, b)
		}
		for _, p := range m {
			if _, ok := m.Get(p.Name); !ok {
				t.Fatalf("%q: Get(%q) finds nothing", b, p.Name)
			}
		}
	})
}
