package zmtp_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/zmtp"
)

func TestErrorGolden(t *testing.T) {
	got, err := zmtp.AppendError([]byte("before"), "400")
	if want := "before\x04\x0A\x05ERROR\x03400"; string(got) != want || err != nil {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	for _, reason := range []string{"", "400", "no such user", strings.Repeat("r", 255)} {
		frame, err := zmtp.AppendError(nil, reason)
		if err != nil {
			t.Fatal(err)
		}
		_, data, _ := zmtp.ParseCommand(commandBody(t, frame))
		if got, err := zmtp.ParseError(data); got != reason || err != nil {
			t.Errorf("got %q, %v, want %q", got, err, reason)
		}
	}
	got, err = zmtp.AppendError([]byte("before"), strings.Repeat("r", 256))
	checkError(t, err, ringwire.ErrTooLarge, "reason of 256 bytes, want at most 255")
	if string(got) != "before" {
		t.Errorf("got %q, want dst as it was", got)
	}
}

// SEC-15: the reason's length past the end, control characters in it.
func TestParseError(t *testing.T) {
	for _, row := range []struct{ name, data, reason, refused string }{
		{"empty", "", "", "ERROR with 0 bytes"},
		{"length past the end", "\x04400", "", "ERROR reason of 4 bytes, want at most the 3 that follow"},
		{"length far past the end", "\xFF", "", "ERROR reason of 255 bytes, want at most the 0 that follow"},
		{"no reason", "\x00", "", ""},
		{"bytes behind", "\x03400more", "400", ""},
		{"line break", "\x0Da\r\nERROR fake", `a\r\nERROR fake`, ""},
		{"terminal escape", "\x05\x1B[31m", `\x1b[31m`, ""},
		{"quote and backslash", "\x02\"\\", `\"\\`, ""},
		{"text direction", "\x03\u202e", `\u202e`, ""},
		{"no UTF-8", "\x02\xFF\x80", `\xff\x80`, ""},
		{"UTF-8", "\x04n\u00e9!", "n\u00e9!", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			reason, err := zmtp.ParseError([]byte(row.data))
			if row.refused != "" {
				checkError(t, err, ringwire.ErrProtocol, row.refused)
			} else if reason != row.reason || err != nil {
				t.Errorf("got %q, %v, want %q", reason, err, row.reason)
			}
		})
	}
}

func TestErrorTruncated(t *testing.T) {
	data := []byte("\x0Cno such user")
	for k := range data {
		_, err := zmtp.ParseError(data[:k])
		checkError(t, err, ringwire.ErrProtocol)
	}
	checkErrorCommand(t, data)
}

// checkErrorCommand fails unless data is refused, or is read as a printable
// reason that says the same bytes.
func checkErrorCommand(t *testing.T, data []byte) {
	t.Helper()
	reason, err := zmtp.ParseError(data)
	valid := len(data) > 0 && int(data[0]) < len(data)
	if valid != (err == nil) {
		t.Fatalf("%q: got %v", data, err)
	}
	if err != nil {
		return
	}
	for _, r := range reason {
		if !strconv.IsPrint(r) {
			t.Fatalf("%q: got %q, want it printable", data, reason)
		}
	}
	raw, err := strconv.Unquote(`"` + reason + `"`)
	if want := string(data[1 : 1+int(data[0])]); raw != want || err != nil {
		t.Fatalf("got %q, %v, want %q", raw, err, want)
	}
	frame, err := zmtp.AppendError(nil, raw)
	if want := "\x05ERROR" + string(data[:1+int(data[0])]); string(commandBody(t, frame)) != want || err != nil {
		t.Fatalf("got %q, %v, want a body of %q", frame, err, want)
	}
}
