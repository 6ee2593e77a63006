package zmtp_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/zmtp"
)

func TestHeaderGolden(t *testing.T) {
	for _, row := range []struct {
		flags byte
		n     int
		want  string
	}{
		{0, 0, "\x00\x00"},
		{zmtp.FlagMore, 4, "\x01\x04"},
		{zmtp.FlagCommand, 41, "\x04\x29"},
		{0, 255, "\x00\xFF"},
		{0, 256, "\x02\x00\x00\x00\x00\x00\x00\x01\x00"},
		{zmtp.FlagMore, 1 << 16, "\x03\x00\x00\x00\x00\x00\x01\x00\x00"},
		{zmtp.FlagCommand, 1<<31 - 1, "\x06\x00\x00\x00\x00\x7F\xFF\xFF\xFF"},
		{zmtp.FlagLong, 1, "\x00\x01"},
		{0xF8, 1, "\x00\x01"},
	} {
		got := zmtp.AppendHeader([]byte("before"), row.flags, row.n)
		if string(got) != "before"+row.want {
			t.Errorf("flags %#x, size %d: got %q, want %q", row.flags, row.n, got[6:], row.want)
		}
		if zmtp.HeaderLen(row.n) != len(row.want) {
			t.Errorf("size %d: got HeaderLen %d, want %d", row.n, zmtp.HeaderLen(row.n), len(row.want))
		}
		checkHeaderPrefixes(t, got[6:], zmtp.Header{Flags: row.want[0], Size: uint64(row.n), Len: len(row.want)})
	}
}

// checkHeaderPrefixes fails unless wire is exactly one header, read as want.
func checkHeaderPrefixes(t *testing.T, wire []byte, want zmtp.Header) {
	t.Helper()
	for k := range wire {
		if h, ok, err := zmtp.ParseHeader(wire[:k]); h != (zmtp.Header{}) || ok || err != nil {
			t.Errorf("%d bytes of %x: got %+v, %v, %v, want nothing yet", k, wire, h, ok, err)
		}
	}
	for _, rest := range []string{"", "rest"} {
		if h, ok, err := zmtp.ParseHeader(append(bytes.Clone(wire), rest...)); h != want || !ok || err != nil {
			t.Errorf("%x: got %+v, %v, %v, want %+v", wire, h, ok, err, want)
		}
	}
}

// SEC-04: every declared size in the long form, for every kind of frame.
func TestHeaderSizes(t *testing.T) {
	sizes := []uint64{0, 1, 254, 255, 256, 1 << 16, 1<<31 - 1, 1 << 31, 1<<32 - 1, 1 << 32, 1 << 53, 1 << 62, 1<<63 - 1, 1 << 63}
	for last := uint64(1); last <= 256; last++ {
		sizes = append(sizes, -last) // 2^64-1 down to 2^64-256
	}
	for _, kind := range []struct {
		name  string
		flags byte
	}{{"message", 0}, {"command", zmtp.FlagCommand}, {"more", zmtp.FlagMore}} {
		for _, size := range sizes {
			flags := kind.flags | zmtp.FlagLong
			wire := binary.BigEndian.AppendUint64([]byte{flags}, size)
			t.Run(fmt.Sprintf("%s/%d", kind.name, size), func(t *testing.T) {
				if size < 1<<63 {
					checkHeaderPrefixes(t, wire, zmtp.Header{Flags: flags, Size: size, Len: 9})
					return
				}
				h, ok, err := zmtp.ParseHeader(wire)
				if h != (zmtp.Header{}) || ok {
					t.Errorf("got %+v, %v, want nothing", h, ok)
				}
				checkError(t, err, ringwire.ErrProtocol, fmt.Sprintf("frame size %d, want at most 9223372036854775807", size))
			})
		}
	}
}

// SEC-04: the byte strings that brought other implementations down.
func TestHeaderKnownAttacks(t *testing.T) {
	const moreCommand = "are a command with MORE"
	for _, row := range []struct{ name, wire, want string }{
		{"JeroMQ 440", "\x02\xFB\x18\xFF\xFB\x1F\xFF\xFB\x20", "frame size 18093492956999711520"},
		{"NetMQ 1168 as a frame", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xE2\xAA\xAA", moreCommand},
		{"NetMQ 1168 as a size", "\x02\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xE2\xAA\xAA", "frame size 18446744073709551615"},
		{"rzmq 9", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x98", moreCommand},
		{"rzmq 9 as a size", "\x02\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x98", "frame size 18446744073709551512"},
		{"libzmq CVE-2019-6250", "\x02\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFFpayload", "frame size 18446744073709551615"},
		{"MORE on a command", "\x05", moreCommand},
		{"MORE on a long command", "\x07\x00", moreCommand},
	} {
		t.Run(row.name, func(t *testing.T) {
			h, ok, err := zmtp.ParseHeader([]byte(row.wire))
			if h != (zmtp.Header{}) || ok {
				t.Errorf("got %+v, %v, want nothing", h, ok)
			}
			checkError(t, err, ringwire.ErrProtocol, row.want)
		})
	}
}

// SEC-07: reserved flag bits are cleared and nothing else.
func TestHeaderReservedBits(t *testing.T) {
	for reserved := 0; reserved < 256; reserved += 8 {
		for _, flags := range []byte{0, zmtp.FlagMore, zmtp.FlagCommand} {
			want := zmtp.Header{Flags: flags, Size: 7, Len: 2}
			checkHeaderPrefixes(t, []byte{byte(reserved) | flags, 7}, want)
		}
	}
}

func TestHeaderAllocatesNothing(t *testing.T) {
	buf := make([]byte, 0, 64)
	if n := testing.AllocsPerRun(100, func() {
		for _, size := range []int{5, 500} {
			buf = zmtp.AppendHeader(buf[:0], zmtp.FlagMore, size)
			if h, ok, err := zmtp.ParseHeader(buf); !ok || err != nil || h.Size != uint64(size) {
				t.Fatalf("size %d: got %+v, %v, %v", size, h, ok, err)
			}
		}
	}); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}

func BenchmarkParseHeader(b *testing.B) {
	for _, size := range []int{64, 1024} {
		wire := zmtp.AppendHeader(nil, 0, size)
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, ok, _ := zmtp.ParseHeader(wire); !ok {
					b.Fatal("incomplete")
				}
			}
		})
	}
}

func FuzzFrameHeader(f *testing.F) {
	for _, seed := range []string{
		"", "\x00\x00", "\x01\xFF", "\x04\x29", "\x05\x00", "\xF8\x05hello", "\x02\x00\x00\x00\x00\x00\x00\x00\x01",
		"\x06\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", "\x02\xFB\x18\xFF\xFB\x1F\xFF\xFB\x20", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x98",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, ok, err := zmtp.ParseHeader(b)
		if !ok {
			if h != (zmtp.Header{}) {
				t.Fatalf("%x: got %+v without ok", b, h)
			}
			if err == nil && len(b) >= 9 {
				t.Fatalf("%x: nothing and no error after 9 bytes", b)
			}
			return
		}
		if err != nil || h.Len > len(b) || h.Size >= 1<<63 || h.Flags&^7 != 0 || h.Flags&5 == 5 || (h.Len == 9) != (h.Flags&zmtp.FlagLong != 0) {
			t.Fatalf("%x: got %+v, %v", b, h, err)
		}
		for k := range h.Len {
			if _, ok, err := zmtp.ParseHeader(b[:k]); ok || err != nil {
				t.Fatalf("%d bytes of %x: got %v, %v, want nothing yet", k, b, ok, err)
			}
		}
		if h.Size > 1<<31-1 {
			return // no int on every machine
		}
		again := zmtp.AppendHeader(nil, h.Flags, int(h.Size))
		shortest := h.Len == 2 || h.Size > 255
		if shortest && !bytes.Equal(again[1:], b[1:h.Len]) {
			t.Fatalf("%x: written again as %x", b, again)
		}
		h2, ok, err := zmtp.ParseHeader(again)
		if !ok || err != nil || h2.Size != h.Size || (h2.Flags^h.Flags)&^zmtp.FlagLong != 0 || h2.Len != zmtp.HeaderLen(int(h.Size)) {
			t.Fatalf("%x: got %+v, then %+v, %v, %v", b, h, h2, ok, err)
		}
	})
}
