package msg

import (
	"bytes"
	"testing"
)

// TestPack: what goes into a pack comes out of it, of every size that fits, and
// the slot is used again.
func TestPack(t *testing.T) {
	var slot, out Message
	for round := range 3 {
		var want [][]byte
		for n := 0; n <= Small; n += 1 + round {
			body := bytes.Repeat([]byte{byte(n + round)}, n)
			want = append(want, body)
			slot.Pack(body)
		}
		at := 0
		for i, w := range want {
			if !slot.Packed() {
				t.Fatalf("message %d of %d: not a pack", i, len(want))
			}
			at = slot.Unpack(at, &out)
			if out.Len() != 1 || !bytes.Equal(out.Frame(0), w) {
				t.Fatalf("message %d: got %d frames, the first %x, want %x", i, out.Len(), out.Frame(0), w)
			}
			if last := i == len(want)-1; (at == 0) != last {
				t.Fatalf("message %d of %d: got next offset %d", i, len(want), at)
			}
		}
		if slot.Reset(); slot.Packed() || slot.Len() != 0 {
			t.Fatal("after Reset: still a pack, or not empty")
		}
		slot.SetBody([]byte("other")) // a slot carries other messages, too
	}
}
