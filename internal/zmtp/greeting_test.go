package zmtp_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/zmtp"
)

// libzmqGreeting is what libzmq 4.3.3 and later sends without an identity.
const libzmqGreeting = "\xFF\x00\x00\x00\x00\x00\x00\x00\x01\x7F\x03\x01NULL"

func padded(greeting string) []byte {
	return append([]byte(greeting), make([]byte, zmtp.GreetingSize-len(greeting))...)
}

func TestGreetingGolden(t *testing.T) {
	got := zmtp.AppendGreeting([]byte("before"), zmtp.Greeting{Major: zmtp.VersionMajor, Minor: zmtp.VersionMinor, Mechanism: "NULL"})
	if want := "before" + string(padded(libzmqGreeting)); string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
	got = zmtp.AppendGreeting(nil, zmtp.Greeting{Major: 3, Mechanism: "CURVE", AsServer: true})
	want := padded("\xFF\x00\x00\x00\x00\x00\x00\x00\x01\x7F\x03\x00CURVE")
	want[32] = 1
	if !bytes.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestGreetingRoundTrip(t *testing.T) {
	for _, g := range []zmtp.Greeting{
		{Major: 3, Minor: 0, Mechanism: "NULL"},
		{Major: 3, Minor: 1, Mechanism: "PLAIN", AsServer: true},
		{Major: 255, Minor: 255, Mechanism: "A-Z_0.9+789012345678"},
	} {
		wire := append(zmtp.AppendGreeting(nil, g), "next"...)
		got, n, err := zmtp.ParseGreeting(wire)
		if got != g || n != zmtp.GreetingSize || err != nil {
			t.Errorf("got %+v, %d, %v, want %+v, %d", got, n, err, g, zmtp.GreetingSize)
		}
		for k := range zmtp.GreetingSize {
			if got, n, err := zmtp.ParseGreeting(wire[:k]); got != (zmtp.Greeting{}) || n != 0 || err != nil {
				t.Errorf("%d bytes of %q: got %+v, %d, %v, want nothing yet", k, wire, got, n, err)
			}
		}
	}
}

// SEC-02: nothing below 3.0 is spoken, everything above is.
func TestGreetingVersions(t *testing.T) {
	for _, row := range []struct {
		major, minor byte
		refused      string
		atLeast31    bool
	}{
		{0, 0, "ZMTP 1.0, want 3.0 or later", false},
		{1, 8, "ZMTP 2.0, want 3.0 or later", false},
		{2, 0, "ZMTP 2.0, want 3.0 or later", false},
		{3, 0, "", false},
		{3, 1, "", true},
		{3, 9, "", true},
		{4, 0, "", true},
		{255, 0, "", true},
	} {
		t.Run(fmt.Sprintf("%d.%d", row.major, row.minor), func(t *testing.T) {
			b := padded(libzmqGreeting)
			b[10], b[11] = row.major, row.minor
			if row.refused != "" {
				checkRefusedAt(t, b, 10, row.refused)
				return
			}
			g, n, err := zmtp.ParseGreeting(b)
			if g.Major != row.major || g.Minor != row.minor || n != zmtp.GreetingSize || err != nil {
				t.Errorf("got %+v, %d, %v, want %d.%d", g, n, err, row.major, row.minor)
			}
			if g.AtLeast31() != row.atLeast31 {
				t.Errorf("%d.%d: got AtLeast31 %v, want %v", row.major, row.minor, g.AtLeast31(), row.atLeast31)
			}
		})
	}
}

// SEC-01, SEC-02, SEC-08: a stranger is refused at the byte that shows it.
func TestGreetingRefused(t *testing.T) {
	mechanism := func(name string) string { return libzmqGreeting[:12] + name }
	for _, row := range []struct {
		name, input string
		at          int
		want        string
	}{
		{"HTTP", "GET / HTTP/1.1\r\n\r\n", 0, "first byte 0x47 is not a ZMTP signature"},
		{"TLS hello", "\x16\x03\x01\x02\x00\x01", 0, "first byte 0x16"},
		{"SSH", "SSH-2.0-Go\r\n", 0, "first byte 0x53"},
		{"Redis", "*1\r\n$4\r\nPING\r\n", 0, "first byte 0x2a"},
		{"memcached", "stats\r\n", 0, "first byte 0x73"},
		{"zeros", strings.Repeat("\x00", 64), 0, "first byte 0x00"},
		{"ZMTP 1.0 anonymous", "\x01\x00", 0, "first byte 0x01"},
		{"ZMTP 1.0 long identity", "\xFF\x00\x00\x00\x00\x00\x00\x01\x2C\x00id", 9, "byte 9 is 0x00"},
		{"scanner", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xE2\xAA\xAA", 9, "byte 9 is 0xaa"},
		{"ZMTP 1.0 versioned", "\xFF\x00\x00\x00\x00\x00\x00\x00\x01\x7F\x00", 10, "ZMTP 1.0"},
		{"ZMTP 2.0", "\xFF\x00\x00\x00\x00\x00\x00\x00\x01\x7F\x01\x05", 10, "ZMTP 2.0"},
		{"mechanism empty", mechanism("\x00"), 12, "mechanism is empty"},
		{"mechanism lower case", mechanism("NULl"), 15, "byte 0x6c at 3"},
		{"mechanism with space", mechanism("NULL PLAIN"), 16, "byte 0x20 at 4"},
		{"mechanism not ASCII", mechanism("NULL\xC3"), 16, "byte 0xc3 at 4"},
		{"mechanism not padded", mechanism("NULL\x00X"), 17, "mechanism NULL has byte 0x58 behind it"},
		{"mechanism not padded at the end", mechanism("NULL" + strings.Repeat("\x00", 15) + "\x01"), 31, "byte 0x01 behind it"},
	} {
		t.Run(row.name, func(t *testing.T) { checkRefusedAt(t, []byte(row.input), row.at, row.want) })
	}
}

// checkRefusedAt fails unless b is refused by its byte at, and not before.
func checkRefusedAt(t *testing.T, b []byte, at int, want string) {
	t.Helper()
	for k := range len(b) + 1 {
		g, n, err := zmtp.ParseGreeting(b[:k])
		if g != (zmtp.Greeting{}) || n != 0 {
			t.Errorf("%d bytes of %q: got %+v, %d, want nothing", k, b, g, n)
		}
		if k <= at {
			checkError(t, err, nil)
		} else {
			checkError(t, err, ringwire.ErrProtocol, want)
		}
	}
}

// Padding, as-server and filler are not looked at.
func TestGreetingIgnored(t *testing.T) {
	for _, asServer := range []byte{0, 1, 2, 255} {
		b := padded(libzmqGreeting)
		for i := range b {
			if 1 <= i && i <= 8 || i >= 33 {
				b[i] = 0xA5
			}
		}
		b[9], b[32] = 0x01, asServer
		g, n, err := zmtp.ParseGreeting(b)
		want := zmtp.Greeting{Major: 3, Minor: 1, Mechanism: "NULL", AsServer: asServer != 0}
		if g != want || n != zmtp.GreetingSize || err != nil {
			t.Errorf("as-server %d: got %+v, %d, %v, want %+v", asServer, g, n, err, want)
		}
	}
}

func TestAppendGreetingPanics(t *testing.T) {
	for _, name := range []string{"", "null", "NULL\x00", "A23456789012345678901"} {
		checkPanic(t, "cannot be announced", func() { zmtp.AppendGreeting(nil, zmtp.Greeting{Major: 3, Mechanism: name}) })
	}
}

// greetingGrammar is the same language, said once more.
var greetingGrammar = regexp.MustCompile(`(?s)^\xFF.{8}` + oddByte() + `[^\x00\x01\x02].[A-Z0-9_.+-]+\x00*$`)

// oddByte is a class of the bytes with bit 0 set. Bytes are matched as the
// runes of the same number, see latin1.
func oddByte() string {
	var class strings.Builder
	for c := 1; c < 256; c += 2 {
		fmt.Fprintf(&class, `\x{%02x}`, c)
	}
	return "[" + class.String() + "]"
}

func latin1(b []byte) string {
	runes := make([]rune, len(b))
	for i, c := range b {
		runes[i] = rune(c)
	}
	return string(runes)
}

func FuzzGreeting(f *testing.F) {
	f.Add(padded(libzmqGreeting))
	f.Add([]byte(libzmqGreeting))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	f.Add([]byte("\xFF\x00\x00\x00\x00\x00\x00\x00\x01\x7F\x01\x05"))
	f.Add(zmtp.AppendGreeting(nil, zmtp.Greeting{Major: 4, Minor: 2, Mechanism: "A-Z_0.9+789012345678", AsServer: true}))
	f.Add(padded("\xFF\x00\x00\x00\x00\x00\x00\x00\x01\x7F\x03\x00NULL\x00X"))
	f.Fuzz(func(t *testing.T, b []byte) {
		g, n, err := zmtp.ParseGreeting(b)
		if len(b) >= zmtp.GreetingSize {
			if accept := greetingGrammar.MatchString(latin1(b[:32])); accept != (err == nil) || accept != (n == zmtp.GreetingSize) {
				t.Fatalf("%q: got %d, %v, the grammar says %v", b, n, err, accept)
			}
		} else if n != 0 {
			t.Fatalf("%q: got %d of %d bytes", b, n, len(b))
		}
		refused := false
		for k := range min(len(b), zmtp.GreetingSize) {
			_, n, prefixErr := zmtp.ParseGreeting(b[:k])
			if n != 0 || refused && prefixErr == nil || prefixErr != nil && err == nil {
				t.Fatalf("%q: %d bytes gave %d, %v, all gave %v", b, k, n, prefixErr, err)
			}
			refused = prefixErr != nil
		}
		if n == 0 {
			return
		}
		again, _, err := zmtp.ParseGreeting(zmtp.AppendGreeting(nil, g))
		if again != g || err != nil {
			t.Fatalf("%q: got %+v, then %+v, %v", b, g, again, err)
		}
	})
}
