package zmtp_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/ringwire/ringwire/internal/msg"
	"github.com/ringwire/ringwire/internal/zmtp"
)

func TestAppendMessageGolden(t *testing.T) {
	y := strings.Repeat("79", 256)
	for _, row := range []struct {
		name string
		set  func(m *msg.Message)
		want string
	}{
		{"empty body", func(m *msg.Message) { m.SetBody(nil) }, "0000"},
		{"small", func(m *msg.Message) { m.SetBody([]byte("hello")) }, "000568656c6c6f"},
		{"the longest inline", func(m *msg.Message) { m.SetBody(bytes.Repeat([]byte("y"), 92)) }, "005c" + y[:184]},
		{"the longest short", func(m *msg.Message) { m.SetBody(bytes.Repeat([]byte("y"), 255)) }, "00ff" + y[:510]},
		{"the shortest long", func(m *msg.Message) { m.SetBody(bytes.Repeat([]byte("y"), 256)) }, "020000000000000100" + y},
		{"frames", func(m *msg.Message) { m.Own([][]byte{[]byte("a"), nil, []byte("ccc")}) }, "01016101000003636363"},
		{"lead", func(m *msg.Message) { m.SetBody([]byte("b")); m.SetLead([][]byte{[]byte("id"), {}}) }, "010269640100000162"},
		{"borrowed", func(m *msg.Message) { m.Borrow([][]byte{[]byte("a"), []byte("b")}) }, "010161000162"},
		{"wire form with lead", func(m *msg.Message) {
			m.CopyWire([]byte("\x01\x01a\x00\x01b"), []msg.Span{{Off: 2, Len: 1}, {Off: 5, Len: 1}})
			m.SetLead([][]byte{[]byte("L")})
		}, "01014c010161000162"},
		{"wire form trimmed", func(m *msg.Message) {
			m.CopyWire([]byte("\x01\x01a\x00\x01b"), []msg.Span{{Off: 2, Len: 1}, {Off: 5, Len: 1}})
			m.TrimFront(1)
		}, "000162"},
		{"wire form appended to", func(m *msg.Message) {
			m.CopyWire([]byte("\x01\x01a\x00\x01b"), []msg.Span{{Off: 2, Len: 1}, {Off: 5, Len: 1}})
			m.Append([]byte("c"))
		}, "010161010162000163"},
	} {
		var m msg.Message
		row.set(&m)
		if got := hex.EncodeToString(zmtp.AppendMessage([]byte("\xAA"), &m)); got != "aa"+row.want {
			t.Errorf("%s: got %s, want aa%s", row.name, got, row.want)
		}
	}
}
