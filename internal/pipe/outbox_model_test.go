package pipe_test

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/ringwire/ringwire/internal/msg"
	"github.com/ringwire/ringwire/internal/pipe"
	"github.com/ringwire/ringwire/internal/zmtp"
)

var sequences = flag.Int("pipe.sequences", 1500, "random operation sequences of the model test")

// shape makes one message in one of the ways in which messages come. Forms
// with a large body are written by reference, if the message owns it.
func shape(kind int, id uint32) *msg.Message {
	m := msg.Get()
	tag := fmt.Appendf(nil, "<%d>", id)
	pad := func(n int) []byte { return append(bytes.Clone(tag), bytes.Repeat([]byte{byte(id)}, n)...) }
	switch kind {
	case 0:
		m.SetBody(tag)
	case 1:
		m.Own([][]byte{tag, {}, pad(300)})
	case 2:
		m.Own([][]byte{pad(33 << 10)})
	case 3:
		m.Own([][]byte{tag, pad(33 << 10), pad(40), pad(40 << 10), {}})
	case 4:
		m.Borrow([][]byte{pad(33 << 10), tag})
	case 5: // as received, large, with an envelope
		var plain msg.Message
		plain.Own([][]byte{tag, pad(40 << 10)})
		wire := zmtp.AppendMessage(nil, &plain)
		n := zmtp.HeaderLen(len(tag)) + len(tag)
		m.TakeWire(wire, []msg.Span{{Off: 2, Len: len(tag)}, {Off: n + 9, Len: len(wire) - n - 9}})
		m.SetLead([][]byte{[]byte("lead"), {}})
	case 6: // as received, small
		m.CopyWire(append([]byte{1, byte(len(tag))}, append(tag, 0, 1, 'x')...), []msg.Span{{Off: 2, Len: len(tag)}, {Off: 4 + len(tag), Len: 1}})
	case 7:
		m.SetBody(tag)
		m.SetLead([][]byte{[]byte("peer"), {}})
	}
	return m
}

const shapes = 8

// outModel is what an end of a stream should hold.
type outModel struct {
	queued, flight    [][]byte // wire forms
	done              int      // bytes of flight that were written
	accepted, written int64
	dropped           int64
}

// room reports whether m is to be taken: its headers count as if they were long.
func (o *outModel) room(m *msg.Message, hwm int, limit int64) bool {
	n, size := 0, int64(0)
	for _, list := range [][][]byte{o.flight, o.queued} {
		n += len(list)
		for _, b := range list {
			size += int64(len(b))
		}
	}
	return n < hwm && (n == 0 || size < limit && size+int64(m.Size()+9*m.Len()) <= limit)
}

// TestOutboxModel: random sends, flushes, partial writes, lost connections and
// withdrawals against a list of messages, with the accounting after each.
func TestOutboxModel(t *testing.T) {
	for seed := range uint64(*sequences) {
		r := rand.New(rand.NewPCG(seed, 4))
		connecting := r.IntN(4) > 0
		hwm, limit := 1+r.IntN(12), int64(1+r.IntN(200_000))
		g := pipe.NewGroup(false, 0)
		e := newEnd(g, pipe.Config{SendHWM: hwm, SendHWMBytes: limit, Connecting: connecting})
		g.Lock()
		e.Attach()
		g.Unlock()
		var b pipe.Batch
		var o outModel
		var log []string
		fail := func(format string, args ...any) {
			t.Fatalf("seed %d, operations %v: %s", seed, log, fmt.Sprintf(format, args...))
		}
		for id := range uint32(40) {
			op := r.IntN(16)
			log = append(log, fmt.Sprint(op))
			switch {
			case op < 8:
				m := shape(op%shapes, id)
				wire := zmtp.AppendMessage(nil, m)
				g.Lock()
				want := o.room(m, hwm, limit)
				got := e.TrySend(m)
				g.Unlock()
				if got != want {
					fail("TrySend with %d queued and %d in flight, bounds %d and %d bytes: got %v, want %v", len(o.queued), len(o.flight), hwm, limit, got, want)
				}
				if got {
					o.queued = append(o.queued, wire)
					o.accepted++
				}
				m.Release()
			case op < 11: // a flush, which writes some
				if b.Empty() {
					o.written += int64(len(o.flight))
					o.flight, o.queued, o.done = o.queued, nil, 0
					if got, want := e.Take(&b), len(o.flight) > 0; got != want {
						fail("Take: got %v, want %v", got, want)
					}
				}
				all := bytes.Join(o.flight, nil)
				if got := bytes.Join(b.Pieces(), nil); !bytes.Equal(got, all[o.done:]) {
					fail("the batch has %d bytes left, want %d, or others", len(got), len(all)-o.done)
				}
				if left := len(all) - o.done; left > 0 {
					n := r.IntN(left + 1)
					if r.IntN(2) == 0 {
						n = left
					}
					b.Advance(n)
					o.done += n
				}
			case op < 13: // the connection is lost
				e.Abandon(&b)
				at := 0
				for len(o.flight) > 0 && at < o.done {
					at += len(o.flight[0])
					o.flight = o.flight[1:]
					o.written++
				}
				o.queued, o.flight, o.done = append(o.flight, o.queued...), nil, 0
				if !connecting {
					o.dropped += int64(len(o.queued))
					o.queued = nil
				}
			case op == 13:
				g.Lock()
				got := e.DropOldest()
				g.Unlock()
				if want := len(o.queued) > 0; got != want {
					fail("DropOldest: got %v, want %v", got, want)
				}
				if got {
					o.queued = o.queued[1:]
					o.dropped++
				}
			case op == 14:
				g.Lock()
				e.DropQueued(pipe.Closed)
				g.Unlock()
				o.dropped += int64(len(o.queued))
				o.queued = nil
			case op == 15:
				want := len(o.queued) > 0 && len(o.flight) == 0
				g.Lock()
				got := e.Withdraw()
				g.Unlock()
				if got != want {
					fail("Withdraw with %d queued, %d in flight: got %v, want %v", len(o.queued), len(o.flight), got, want)
				}
				o.accepted -= int64(len(o.queued))
				o.queued = nil
			}
			g.Lock()
			c := e.Counts()
			g.Unlock()
			if c.Accepted != o.accepted || c.Written != o.written || c.SendDropped.Total() != o.dropped || c.SendQueued != int64(len(o.queued)+len(o.flight)) {
				fail("got %+v, want accepted %d, written %d, dropped %d, queued %d+%d", c, o.accepted, o.written, o.dropped, len(o.queued), len(o.flight))
			}
			if c.Accepted != c.Written+c.SendDropped.Total()+c.SendQueued {
				fail("the counters do not add up: %+v", c)
			}
			size := int64(0)
			for _, w := range append(append([][]byte(nil), o.queued...), o.flight...) {
				size += int64(len(w))
			}
			if c.SendBytes != size {
				fail("SendBytes: got %d, want %d", c.SendBytes, size)
			}
		}
	}
}

// TestAbandonEveryOffset: a connection is cut after every byte. What has begun
// is in doubt, the rest goes out again, whole, in order, before what came
// later.
func TestAbandonEveryOffset(t *testing.T) {
	const big = 33 << 10
	for _, kinds := range [][]int{{0, 1, 6, 7, 0}, {2, 0}, {0, 5, 2, 1}, {3, 5, 0}} {
		var total int
		for cut := 0; cut == 0 || cut <= total; cut++ {
			if cut > 600 && cut%997 != 0 && cut < total-600 && cut%big > 40 {
				continue // deep inside a large body
			}
			g := pipe.NewGroup(false, 0)
			e := newEnd(g, pipe.Config{Connecting: true})
			g.Lock()
			e.Attach()
			var want [][]byte
			for i, k := range kinds {
				m := shape(k, uint32(i))
				want = append(want, zmtp.AppendMessage(nil, m))
				e.TrySend(m)
				m.Release()
			}
			g.Unlock()
			total = len(bytes.Join(want, nil))
			var b pipe.Batch
			e.Take(&b)
			b.Advance(cut)
			g.Lock()
			late := shape(0, 99)
			lateWire := zmtp.AppendMessage(nil, late)
			e.TrySend(late)
			g.Unlock()
			e.Abandon(&b)
			begun := 0
			for at := 0; at < cut; begun++ {
				at += len(want[begun])
			}
			e.Take(&b)
			got, rest := bytes.Join(b.Pieces(), nil), append(bytes.Join(want[begun:], nil), lateWire...)
			if !bytes.Equal(got, rest) {
				t.Fatalf("kinds %v cut after %d bytes, in message %d: got %d bytes on the next connection, want %d, or others", kinds, cut, begun, len(got), len(rest))
			}
			g.Lock()
			if c := e.Counts(); c.Written != int64(begun) || c.InDoubt != int64(begun) || c.SendQueued != int64(len(kinds)-begun+1) {
				t.Fatalf("kinds %v cut after %d bytes: got %+v, want written and in doubt %d, queued %d", kinds, cut, c, begun, len(kinds)-begun+1)
			}
			g.Unlock()
		}
	}
}

// TestConflateStream: only the newest is queued, the others are counted.
func TestConflateStream(t *testing.T) {
	g := pipe.NewGroup(false, 0)
	e := newEnd(g, pipe.Config{Conflate: true, SendHWM: 1, RecvHWM: 1, Connecting: true})
	g.Lock()
	e.Attach()
	for i := range 5 {
		if !e.TrySend(shape(i%2*2, uint32(i))) {
			t.Errorf("message %d: no room in a conflated end", i)
		}
	}
	g.Unlock()
	var b pipe.Batch
	e.Take(&b)
	if got, want := bytes.Join(b.Pieces(), nil), zmtp.AppendMessage(nil, shape(0, 4)); !bytes.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for i := range 3 { // the other way
		slot := e.Slot()
		slot.SetBody([]byte{byte(i)})
		e.Commit(slot)
		e.Publish()
	}
	g.LockRecv(nil)
	var m msg.Message
	if !e.TryRecv(&m) || m.Bytes()[0] != 2 || e.TryRecv(&m) {
		t.Errorf("got %v, want the newest message and no other", m.Bytes())
	}
	g.UnlockRecv()
	g.Lock()
	defer g.Unlock()
	c := e.Counts()
	if c.Accepted != 5 || c.SendQueued != 1 || c.SendDropped[pipe.Conflated] != 4 || c.Arrived != 3 || c.Returned != 1 || c.RecvDropped[pipe.Conflated] != 2 {
		t.Errorf("got %+v, want 5 accepted, 4 conflated; 3 arrived, 2 conflated", c)
	}
}
