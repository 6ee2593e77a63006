package zmtp_test

import (
	"bytes"
	"testing"

	"github.com/ringwire/ringwire/internal/msg"
	"github.com/ringwire/ringwire/internal/zmtp"
)

// RFC 37: bits 7 to 3 of the flags are reserved. They are ignored in what a
// peer sends, and must not travel on when its message is forwarded in the wire
// form that it arrived with.
func TestReservedBitsAreNotForwarded(t *testing.T) {
	body := bytes.Repeat([]byte("x"), 100)
	for _, size := range []int{1, 9000, zmtp.ReadSize} { // in pieces, and whole
		d := zmtp.NewDecoder(zmtp.Limits{})
		stream := append(zmtp.AppendFrame(nil, body, true), zmtp.AppendFrame(nil, bytes.Repeat(body, 200), false)...)
		want := bytes.Clone(stream)
		stream[0] |= 0xf8
		stream[2+len(body)] |= 0xf8
		var m msg.Message
		for {
			item, err := d.Next(&m)
			if err != nil {
				t.Fatal(err)
			}
			if item == zmtp.Message {
				break
			}
			n := copy(d.Space(), stream[:min(size, len(stream))])
			d.Filled(n)
			stream = stream[n:]
		}
		if got := zmtp.AppendMessage(nil, &m); !bytes.Equal(got, want) {
			t.Errorf("in pieces of %d: got %d bytes that start with %x, want %d that start with %x", size, len(got), got[:3], len(want), want[:3])
		}
	}
}
