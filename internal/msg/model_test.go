package msg_test

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/ringwire/ringwire/internal/buf"
	"github.com/ringwire/ringwire/internal/msg"
)

var sequences = flag.Int("msg.sequences", 3000, "random operation sequences of the model test")

// model is what a message should hold: its frames, lead ones included.
type model struct {
	frames [][]byte
	lead   int
}

func (m *model) clone() *model {
	c := &model{}
	for _, f := range m.frames {
		c.frames = append(c.frames, bytes.Clone(f))
	}
	return c
}

// world is a few messages and their models. Each of them has storage of its
// own: whatever one operation recycles must not show in another message.
type world struct {
	t    testing.TB
	in   func(n int) int // the next choice, below n
	log  []string
	msgs []*msg.Message
	want []*model
	fill byte
}

// sizes are around every boundary of the representation.
var sizes = []int{0, 1, 17, 91, 92, 93, 200, 4095, 4096, 4097, 8191, 8192, 8193, 20000, 40 << 10}

func (w *world) body() []byte {
	w.fill++
	return bytes.Repeat([]byte{w.fill}, sizes[w.in(len(sizes))])
}

func (w *world) bodies(most int) [][]byte {
	var list [][]byte
	for range 1 + w.in(most) {
		list = append(list, w.body())
	}
	return list
}

// wire is frames in wire form, as far as this package is concerned: bytes
// with spans.
func wire(frames [][]byte) (b []byte, spans []msg.Span) {
	for _, f := range frames {
		b = append(b, "header"...)
		spans = append(spans, msg.Span{Off: len(b), Len: len(f)})
		b = append(b, f...)
	}
	return b, spans
}

func deep(frames [][]byte) [][]byte { return (&model{frames: frames}).clone().frames }

// step does one random operation on both sides.
func (w *world) step() {
	i, j := w.in(len(w.msgs)), w.in(len(w.msgs))
	m, want := w.msgs[i], w.want[i]
	op := w.in(14)
	w.log = append(w.log, fmt.Sprintf("%d(%d,%d)", op, i, j))
	switch op {
	case 0:
		b := w.body()
		m.SetBody(b)
		*want = model{frames: [][]byte{bytes.Clone(b)}}
		clear(b) // it was copied
	case 1:
		f := w.bodies(4)
		m.Own(f)
		*want = model{frames: deep(f)}
	case 2:
		b := w.body()
		m.Append(b)
		want.frames = append(want.frames, bytes.Clone(b))
	case 3:
		f := w.bodies(4)
		b, spans := wire(f)
		m.CopyWire(b, spans)
		*want = model{frames: deep(f)}
		clear(b)
	case 4:
		f := w.bodies(4)
		b, spans := wire(f)
		own := append(buf.Get(len(b))[:0], b...)
		m.TakeWire(own, spans)
		*want = model{frames: deep(f)}
	case 5:
		n := w.in(m.Len() + 1)
		m.TrimFront(n)
		want.frames = want.frames[n:]
		want.lead = max(want.lead-n, 0)
	case 6:
		m.Reset()
		*want = model{}
	case 7:
		f := w.bodies(2)
		want.frames = append(deep(f), want.frames[want.lead:]...)
		want.lead = len(f)
		m.SetLead(f)
	case 8:
		if i != j {
			m.MoveTo(w.msgs[j])
			w.want[j], w.want[i] = want, &model{}
			w.want[j].lead = 0
		}
	case 9:
		if i != j {
			m.CopyFrom(w.msgs[j])
			w.want[i] = w.want[j].clone()
		}
	case 10:
		c := m.Clone()
		m.Release()
		w.msgs[i], w.want[i] = c, want.clone()
	case 11:
		m.Release()
		w.msgs[i], w.want[i] = msg.Get(), &model{}
	case 12: // a view of bytes that live only until the next move
		f := w.bodies(4)
		m.Borrow(f)
		m.MoveTo(w.msgs[j])
		if i != j {
			w.want[j], w.want[i] = &model{frames: deep(f)}, &model{}
			for _, b := range f {
				clear(b)
			}
		} else {
			m.Reset()
			*want = model{}
		}
	case 13: // share bytes that never change
		var still msg.Message
		f := w.bodies(4)
		still.Own(f)
		m.ShareFrom(&still)
		*want = model{frames: deep(f)}
	}
}

// poison writes over every buffer that lies ready for use: a message that
// still uses one shows it.
func poison() {
	for size := 8 << 10; size <= 128<<10; size *= 2 {
		var list [][]byte
		for range 8 {
			b := buf.Try(size)
			if b == nil {
				break
			}
			for i := range b {
				b[i] = 0xEE
			}
			list = append(list, b)
		}
		for _, b := range list {
			buf.Put(b)
		}
	}
}

func (w *world) check() {
	w.t.Helper()
	for i, m := range w.msgs {
		want := w.want[i].frames
		if m.Len() != len(want) {
			w.t.Fatalf("message %d has %d frames, want %d; operations %v", i, m.Len(), len(want), w.log)
		}
		size := 0
		for k, f := range want {
			got := m.Frame(k)
			size += len(f)
			if !bytes.Equal(got, f) {
				w.t.Fatalf("message %d, frame %d: got %.20x (%d bytes), want %.20x (%d bytes); operations %v", i, k, got, len(got), f, len(f), w.log)
			}
			if k >= w.want[i].lead && cap(got) != len(got) {
				w.t.Fatalf("message %d, frame %d is not clipped: length %d, capacity %d; operations %v", i, k, len(got), cap(got), w.log)
			}
		}
		if m.Size() != size {
			w.t.Fatalf("message %d: Size %d, want %d; operations %v", i, m.Size(), size, w.log)
		}
		if got, all := m.Bytes(), bytes.Join(want, nil); !bytes.Equal(got, all) {
			w.t.Fatalf("message %d: Bytes has %d bytes, want %d; operations %v", i, len(got), len(all), w.log)
		}
	}
}

func newWorld(t testing.TB, in func(int) int) *world {
	w := &world{t: t, in: in}
	for i := range 4 {
		m := msg.Get()
		if i == 3 {
			m = new(msg.Message) // one that its user declared
		}
		w.msgs, w.want = append(w.msgs, m), append(w.want, &model{})
	}
	return w
}

func (w *world) run(steps int) {
	for range steps {
		w.step()
		poison()
		w.check()
	}
	for _, m := range w.msgs {
		m.Release()
	}
}

func TestModel(t *testing.T) {
	for seed := range uint64(*sequences) {
		r := rand.New(rand.NewPCG(seed, 1))
		w := newWorld(t, r.IntN)
		w.log = []string{fmt.Sprint("seed ", seed)}
		w.run(12)
	}
}

func FuzzModel(f *testing.F) {
	f.Add([]byte{0, 0, 2, 3, 8, 0, 1})
	f.Add([]byte{1, 1, 4, 3, 9, 9, 9, 9, 5, 1, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		data = data[:min(len(data), 256)]
		w := newWorld(t, func(n int) int {
			if len(data) == 0 {
				return 0
			}
			v := int(data[0]) % n
			data = data[1:]
			return v
		})
		for len(data) > 0 {
			w.step()
			poison()
			w.check()
		}
	})
}

// TestFrameOutOfRange: an index that is not below Len panics, whatever the
// form.
func TestFrameOutOfRange(t *testing.T) {
	for name, set := range map[string]func(m *msg.Message){
		"empty": func(m *msg.Message) {},
		"small": func(m *msg.Message) { m.SetBody([]byte("x")) },
		"large": func(m *msg.Message) { m.SetBody(make([]byte, 1000)) },
		"list":  func(m *msg.Message) { m.Own([][]byte{{1}, {2}}) },
		"lead":  func(m *msg.Message) { m.SetBody([]byte("x")); m.SetLead([][]byte{{1}}) },
	} {
		var m msg.Message
		set(&m)
		for _, i := range []int{-1, m.Len(), m.Len() + 1} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%s: Frame(%d) of %d frames did not panic", name, i, m.Len())
					}
				}()
				m.Frame(i)
			}()
		}
	}
}

// TestMoveAfterAppend: a body that lies in the struct itself does not change
// hands with the list of frames.
func TestMoveAfterAppend(t *testing.T) {
	var from, to msg.Message
	from.SetBody([]byte("first"))
	from.Append([]byte("second"))
	from.MoveTo(&to)
	from.SetBody([]byte("OTHER"))
	if got := string(to.Bytes()); got != "firstsecond" {
		t.Errorf("got %q, want %q", got, "firstsecond")
	}
}
