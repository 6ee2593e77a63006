package zmtp_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/msg"
	"github.com/ringwire/ringwire/internal/zmtp"
)

// captured is what libzmq 4.3.4 wrote on connections after the greeting.
var captured = []struct {
	stream string
	want   string // as items prints it
}{
	{"041a0552454144590b536f636b65742d54797065000000045055534800" + "0568656c6c6f" + "0000" + "010161" + "0100" + "0003636363",
		"cmd 26; msg [5]; msg [0]; msg [1 0 3]"},
	{"04290552454144590b536f636b65742d54797065000000064445414c4552084964656e7469747900000000" + "010171" + "000177" + "04070450494e47000a",
		"cmd 41; msg [1 1]; cmd 7"},
	{"00ff" + strings.Repeat("78", 255) + "020000000000000100" + strings.Repeat("79", 256) + "01016b" + "02000000000000012c" + strings.Repeat("7a", 300),
		"msg [255]; msg [256]; msg [1 300]"},
}

// item is one thing decoded: a command, or a message with its frames.
type item struct {
	command []byte
	frames  [][]byte
}

func (x item) String() string {
	if x.frames == nil {
		return fmt.Sprintf("cmd %d", len(x.command))
	}
	var n []int
	for _, f := range x.frames {
		n = append(n, len(f))
	}
	return fmt.Sprintf("msg %v", n)
}

func items(list []item) string {
	var s []string
	for _, x := range list {
		s = append(s, x.String())
	}
	return strings.Join(s, "; ")
}

// decode feeds stream in pieces of the sizes that next returns. Every message
// that comes out is checked to encode to what it is, and its wire form, if it
// has kept one, to be that of its frames.
func decode(t testing.TB, stream []byte, limits zmtp.Limits, next func() int) (list []item, err error) {
	t.Helper()
	d := zmtp.NewDecoder(limits)
	for {
		var m msg.Message
		for {
			kind, err := d.Next(&m)
			if err != nil {
				return list, err
			}
			if kind == zmtp.NeedMore {
				break
			}
			if kind == zmtp.Command {
				list = append(list, item{command: bytes.Clone(d.Command())})
				continue
			}
			x := item{frames: [][]byte{}}
			for i := range m.Len() {
				x.frames = append(x.frames, bytes.Clone(m.Frame(i)))
			}
			list = append(list, x)
			checkWire(t, &m)
			m.Reset()
		}
		if len(stream) == 0 {
			return list, nil
		}
		if !d.Buffered() {
			d.Idle()
		}
		space := d.Space()
		if len(space) == 0 {
			t.Fatal("Space is empty")
		}
		n := copy(space[:min(len(space), max(next(), 1))], stream)
		d.Filled(n)
		stream = stream[n:]
	}
}

// checkWire encodes m and decodes the result with nothing but ParseHeader.
func checkWire(t testing.TB, m *msg.Message) {
	t.Helper()
	b := zmtp.AppendMessage(nil, m)
	for i := range m.Len() {
		h, ok, err := zmtp.ParseHeader(b)
		more := h.Flags&zmtp.FlagMore != 0
		if err != nil || !ok || b[0]&^7 != 0 || h.Flags&zmtp.FlagCommand != 0 || more != (i < m.Len()-1) {
			t.Fatalf("frame %d of %d encodes with flags %#x: %v", i, m.Len(), b[0], err)
		}
		if f := b[h.Len : h.Len+int(h.Size)]; !bytes.Equal(f, m.Frame(i)) {
			t.Fatalf("frame %d encodes to %d bytes, want %d", i, len(f), len(m.Frame(i)))
		}
		b = b[h.Len+int(h.Size):]
	}
}

func same(a, b []item) bool {
	if items(a) != items(b) {
		return false
	}
	for i := range a {
		if !bytes.Equal(a[i].command, b[i].command) {
			return false
		}
		for k := range a[i].frames {
			if !bytes.Equal(a[i].frames[k], b[i].frames[k]) {
				return false
			}
		}
	}
	return true
}

func whole() int { return zmtp.ReadSize }

func TestDecoderCaptured(t *testing.T) {
	for _, row := range captured {
		stream, err := hex.DecodeString(row.stream)
		if err != nil {
			t.Fatal(err)
		}
		for _, size := range []int{1, 2, 3, 7, 64, zmtp.ReadSize} {
			list, err := decode(t, stream, zmtp.Limits{}, func() int { return size })
			if err != nil || items(list) != row.want {
				t.Errorf("in pieces of %d: got %s, %v, want %s", size, items(list), err, row.want)
			}
		}
	}
}

// traffic makes a random stream: messages, commands before, between and after
// their frames, and what should come out of it.
func traffic(r *rand.Rand) (stream []byte, want []item) {
	sizes := []int{0, 1, 91, 92, 93, 255, 256, 1000, 8190, 8191, 8192, 8193, 30000, 65535, 65536, 70000, 200_000}
	body := func() []byte {
		b := make([]byte, sizes[r.IntN(len(sizes)-r.IntN(10))])
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	command := func() {
		b := body()
		stream = append(zmtp.AppendHeader(stream, zmtp.FlagCommand, len(b)), b...)
		want = append(want, item{command: b})
	}
	for range 1 + r.IntN(6) {
		if r.IntN(4) == 0 {
			command()
		}
		frames := [][]byte{}
		n := 1
		if r.IntN(2) == 0 {
			n += r.IntN(6)
		}
		for i := range n {
			f := body()
			frames = append(frames, f)
			stream = zmtp.AppendFrame(stream, f, i < n-1)
			if i < n-1 && r.IntN(4) == 0 {
				command()
			}
		}
		want = append(want, item{frames: frames})
	}
	return stream, want
}

// TestDecoderChunking: the same items come out however the stream is cut.
func TestDecoderChunking(t *testing.T) {
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 2))
		stream, want := traffic(r)
		for name, next := range map[string]func() int{
			"whole": whole, "random": func() int { return 1 + r.IntN(5000) }, "small": func() int { return 1 + r.IntN(40) },
		} {
			if name == "small" && len(stream) > 200_000 {
				continue
			}
			list, err := decode(t, stream, zmtp.Limits{}, next)
			if err != nil || !same(list, want) {
				t.Fatalf("seed %d, %s pieces: got %s, %v, want %s", seed, name, items(list), err, items(want))
			}
		}
	}
}

// TestDecoderPrefixes: a stream that is cut anywhere gives the items that
// ended before the cut, and nothing else.
func TestDecoderPrefixes(t *testing.T) {
	var stream []byte
	stream = zmtp.AppendFrame(stream, []byte("a"), true)
	stream = zmtp.AppendPing(stream, 10, []byte("xy"))
	stream = zmtp.AppendFrame(stream, make([]byte, 300), false)
	stream = zmtp.AppendFrame(stream, nil, false)
	stream = append(zmtp.AppendHeader(stream, zmtp.FlagCommand, 260), make([]byte, 260)...)
	stream = zmtp.AppendFrame(stream, []byte("end"), false)
	full, err := decode(t, stream, zmtp.Limits{}, whole)
	if err != nil || items(full) != "cmd 9; msg [1 300]; msg [0]; cmd 260; msg [3]" {
		t.Fatalf("got %s, %v", items(full), err)
	}
	seen := 0
	for n := range len(stream) + 1 {
		list, err := decode(t, stream[:n], zmtp.Limits{}, whole)
		if err != nil || len(list) < seen || len(list) > len(full) || !same(list, full[:len(list)]) {
			t.Fatalf("the first %d bytes: got %s, %v, want a prefix of %s", n, items(list), err, items(full))
		}
		seen = len(list)
	}
	if seen != len(full) {
		t.Errorf("the whole stream: got %d items, want %d", seen, len(full))
	}
}

// TestDecoderCommandBetweenLargeFrames: also a command that is larger than the
// read buffer may come between frames that are.
func TestDecoderCommandBetweenLargeFrames(t *testing.T) {
	frames := [][]byte{bytes.Repeat([]byte("a"), 100_000), bytes.Repeat([]byte("b"), 70_000), []byte("c"), bytes.Repeat([]byte("d"), 300_000)}
	command := bytes.Repeat([]byte("k"), 150_000)
	var stream []byte
	var want []item
	for i, f := range frames {
		stream = zmtp.AppendFrame(stream, f, i < len(frames)-1)
		if i < len(frames)-1 {
			stream = append(zmtp.AppendHeader(stream, zmtp.FlagCommand, len(command)), command...)
			want = append(want, item{command: command})
		}
	}
	want = append(want, item{frames: frames})
	for _, size := range []int{1000, 4096, zmtp.ReadSize} {
		list, err := decode(t, stream, zmtp.Limits{}, func() int { return size })
		if err != nil || !same(list, want) {
			t.Errorf("in pieces of %d: got %s, %v, want %s", size, items(list), err, items(want))
		}
	}
}

func TestDecoderLimits(t *testing.T) {
	limits := zmtp.Limits{MaxMessage: 1000, MaxFrames: 3}
	frame := func(more bool, n int) []byte { return zmtp.AppendFrame(nil, make([]byte, n), more) }
	header := func(flags byte, n int) []byte { return zmtp.AppendHeader(nil, flags, n) }
	for _, row := range []struct {
		name   string
		stream []byte
		ok     bool
	}{
		{"a message of the limit", frame(false, 1000), true},
		{"one byte more", header(0, 1001), false},
		{"frames of the limit together", append(frame(true, 400), frame(false, 600)...), true},
		{"one byte more in the second", append(frame(true, 400), header(0, 601)...), false},
		{"as many frames as allowed", bytes.Join([][]byte{frame(true, 1), frame(true, 1), frame(false, 1)}, nil), true},
		{"a frame more", bytes.Join([][]byte{frame(true, 0), frame(true, 0), frame(true, 0), header(0, 0)}, nil), false},
		{"a command of the limit", append(header(zmtp.FlagCommand, 1000), make([]byte, 1000)...), true},
		{"a command over it", header(zmtp.FlagCommand, 1001), false},
		{"a command over it between frames", append(frame(true, 1), header(zmtp.FlagCommand, 1001)...), false},
		{"commands do not add up", bytes.Join([][]byte{frame(true, 900), zmtp.AppendPing(nil, 0, nil), frame(false, 100)}, nil), true},
		{"the largest size there is", []byte{zmtp.FlagLong, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, false},
	} {
		for _, size := range []int{1, 7, zmtp.ReadSize} {
			_, err := decode(t, row.stream, limits, func() int { return size })
			if row.ok != (err == nil) || err != nil && !errors.Is(err, ringwire.ErrTooLarge) {
				t.Errorf("%s, in pieces of %d: got %v, want ErrTooLarge: %v", row.name, size, err, !row.ok)
			}
		}
	}
}

// FuzzDecoder: whatever the bytes, one chunking gives what another gives, and
// messages encode to what they are.
func FuzzDecoder(f *testing.F) {
	for _, row := range captured {
		stream, _ := hex.DecodeString(row.stream)
		f.Add(stream, uint64(1))
	}
	f.Add(zmtp.AppendHeader(nil, 0, 64<<20), uint64(2))
	f.Add([]byte("\x01\x00\x04\x05\x04PING\x00\x00"), uint64(3))
	f.Add([]byte("\xf9\x01a\xf8\x01b"), uint64(4)) // reserved bits
	f.Fuzz(func(t *testing.T, stream []byte, seed uint64) {
		limits := zmtp.Limits{MaxMessage: 1 << 20, MaxFrames: 50}
		want, wantErr := decode(t, bytes.Clone(stream), limits, whole)
		r := rand.New(rand.NewPCG(seed, 3))
		for _, most := range []int{1, 10, 3000} {
			list, err := decode(t, bytes.Clone(stream), limits, func() int { return 1 + r.IntN(most) })
			if !same(list, want) || fmt.Sprint(err) != fmt.Sprint(wantErr) {
				t.Fatalf("pieces up to %d: got %s, %v; in one piece: %s, %v", most, items(list), err, items(want), wantErr)
			}
		}
	})
}
