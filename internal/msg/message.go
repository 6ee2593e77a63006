// Package msg has the message as the inner packages see it: whole, with all
// its frames, in one of two forms. A small single-frame body lies inside the
// struct, so that moving it through a ring touches no other memory. Anything
// else is a list of frame slices, into a buffer that the message owns or into
// bytes that were given to it.
//
// Start reading at Message.
package msg

import "github.com/ringwire/ringwire/internal/buf"

// Small is the longest body that is kept inside the struct. With the byte
// fields before it, it fills the first 96 bytes, which is all that a ring
// moves for such a message, and looks at.
const Small = 91

// keepMax is the largest own buffer that a message keeps for its next use.
// Rings swap these buffers with their slots: larger ones would pile up there.
const keepMax = 4 << 10

type form uint8

const (
	empty form = iota // no frames
	small             // one frame: inline[:size]
	list              // frames
	pack              // several small messages: see Pack
)

// Message is one message. Messages are moved with MoveTo, never assigned.
type Message struct {
	form     form
	size     uint8
	borrowed bool // frames belong to the caller of Send: copy before the call returns
	pooled   bool // came from Get, goes back by Release
	led      bool // lead is not empty
	inline   [Small]byte

	lead   [][]byte // frames before all others (envelope, identity); never written through
	frames [][]byte // form list
	own    []byte   // storage; its bytes are in use only while frames point into it
	wired  bool     // own is exactly the wire form of frames
	peer   *Peer

	_ [8]byte // whole cache lines: slots of a ring share none
}

// Len is the number of frames.
func (m *Message) Len() int {
	switch m.form {
	case small:
		if !m.led {
			return 1
		}
		return len(m.lead) + 1
	case list:
		return len(m.lead) + len(m.frames)
	}
	return len(m.lead)
}

// Frame returns frame i, clipped so that appending to it copies.
func (m *Message) Frame(i int) []byte {
	if m.led {
		if i < len(m.lead) {
			return m.lead[i]
		}
		i -= len(m.lead)
	}
	if m.form == small && i == 0 {
		return m.inline[:m.size:m.size]
	}
	if m.form != list {
		panic("ringwire: frame index out of range")
	}
	return m.frames[i]
}

// Size is the number of frame bytes, without protocol overhead.
func (m *Message) Size() int {
	if m.form == small && !m.led {
		return int(m.size)
	}
	n := 0
	for i := range m.Len() {
		n += len(m.Frame(i))
	}
	return n
}

// Bytes is the only frame, or a copy of all frames joined.
func (m *Message) Bytes() []byte {
	if m.Len() == 1 {
		return m.Frame(0)
	}
	b := make([]byte, 0, m.Size())
	for i := range m.Len() {
		b = append(b, m.Frame(i)...)
	}
	return b
}

// Peer is who sent the message, nil if unknown.
func (m *Message) Peer() *Peer { return m.peer }

// SetPeer notes who sent the message. It avoids the write, and with it the
// garbage collector's barrier, when nothing changes.
func (m *Message) SetPeer(p *Peer) {
	if m.peer != p {
		m.peer = p
	}
}

// Borrowed reports whether the frames belong to somebody else and must be
// copied before the call that passed the message returns.
func (m *Message) Borrowed() bool { return m.borrowed }

// InlineBody returns the body of a small message without lead frames, and
// nil, false for any other.
func (m *Message) InlineBody() ([]byte, bool) {
	if m.form == small && !m.led {
		return m.inline[:m.size], true
	}
	return nil, false
}

// Wire returns the wire form of all frames but the lead ones, when the
// message still has the one it was received with.
func (m *Message) Wire() ([]byte, bool) {
	return m.own, m.wired && m.form == list
}

// Lead returns the frames that were put before the others.
func (m *Message) Lead() [][]byte { return m.lead }

// SetLead puts frames before all others. The caller must leave them
// unchanged until the message is encoded, moved or reset.
func (m *Message) SetLead(lead [][]byte) { m.lead, m.led = lead, len(lead) > 0 }

// Reset empties the message and keeps small storage for the next use.
func (m *Message) Reset() {
	if m.form == list {
		if len(m.frames) == 1 {
			m.frames[0] = nil
		} else {
			clear(m.frames)
		}
		m.frames = m.frames[:0]
		if cap(m.own) > keepMax {
			buf.Put(m.own)
			m.own = nil
		} else {
			m.own = m.own[:0]
		}
		m.wired = false
	}
	if m.form == pack {
		m.own = m.own[:0]
	}
	m.form, m.size, m.borrowed = empty, 0, false
	if m.led { // spares the common case the write barrier, and a cache line
		m.lead, m.led = nil, false
	}
}

// clear is Reset of a message that often is empty already.
func (m *Message) clear() {
	if m.form != empty || m.led {
		m.Reset()
	}
}

// Borrow makes m a view of frames that stay the caller's.
func (m *Message) Borrow(frames [][]byte) {
	m.clear()
	if len(frames) == 1 && cap(m.frames) > 0 {
		m.frames = m.frames[:1]
		m.frames[0] = frames[0]
	} else {
		m.frames = append(m.frames[:0], frames...)
	}
	m.form, m.borrowed = list, true
}

// Own makes m a message of frames that are given to it.
func (m *Message) Own(frames [][]byte) {
	m.Reset()
	if len(frames) == 0 {
		return
	}
	for _, f := range frames {
		m.frames = append(m.frames, f[:len(f):len(f)])
	}
	m.form = list
}

// Append adds a frame that is given to m.
func (m *Message) Append(frame []byte) {
	frame = frame[:len(frame):len(frame)]
	if m.form == small {
		// The inline body stays where it is, now as the first of a list.
		m.frames = append(m.frames[:0], m.inline[:m.size:m.size])
	}
	m.frames = append(m.frames, frame)
	m.form, m.wired = list, false
}

// SetBody makes m a single frame with a copy of body.
func (m *Message) SetBody(body []byte) {
	m.clear()
	if len(body) <= Small {
		m.form, m.size = small, uint8(copy(m.inline[:], body))
		return
	}
	if len(body) > keepMax {
		m.own = buf.Get(len(body))[:0]
	}
	m.own = append(m.own, body...)
	m.frames = append(m.frames, m.own[:len(body):len(body)])
	m.form = list
}

// BorrowedBody returns the only frame of a message that is borrowed.
func (m *Message) BorrowedBody() ([]byte, bool) {
	if m.borrowed && len(m.frames) == 1 && !m.led {
		return m.frames[0], true
	}
	return nil, false
}

// Span is where a frame lies in a wire form.
type Span struct{ Off, Len int }

// CopyWire makes m a message with a copy of a whole wire form whose frames
// lie at spans.
func (m *Message) CopyWire(wire []byte, spans []Span) {
	if len(spans) == 1 && spans[0].Len <= Small {
		m.SetBody(wire[spans[0].Off:][:spans[0].Len])
		return
	}
	m.Reset()
	if len(wire) > keepMax {
		m.own = buf.Get(len(wire))[:0]
	}
	m.index(append(m.own, wire...), spans)
}

// TakeWire is CopyWire with a buffer that is given to m.
func (m *Message) TakeWire(wire []byte, spans []Span) {
	m.Reset()
	m.index(wire, spans)
}

func (m *Message) index(wire []byte, spans []Span) {
	m.own = wire
	for _, s := range spans {
		end := s.Off + s.Len
		m.frames = append(m.frames, wire[s.Off:end:end])
	}
	m.form, m.wired = list, true
}

// TrimFront takes the first n frames off. n is at most Len.
func (m *Message) TrimFront(n int) {
	if k := min(n, len(m.lead)); k > 0 {
		m.SetLead(m.lead[k:])
		n -= k
	}
	if n == 0 {
		return
	}
	if m.form == small {
		m.form, m.size = empty, 0
		return
	}
	// Shift instead of reslicing: the array stays whole for its next use.
	k := copy(m.frames, m.frames[n:])
	clear(m.frames[k:])
	m.frames = m.frames[:k]
	m.wired = false
	if k == 1 && !m.borrowed && m.size == 0 && len(m.frames[0]) <= Small {
		// Into the struct before Reset gives the bytes away.
		size := copy(m.inline[:], m.frames[0])
		lead := m.lead
		m.Reset()
		m.form, m.size = small, uint8(size)
		m.SetLead(lead)
	}
}

// Clone returns a copy that shares no bytes with m.
func (m *Message) Clone() *Message {
	c := Get()
	c.CopyFrom(m)
	c.peer = m.peer
	return c
}

// CopyFrom makes m a copy of src, lead frames included, with bytes of its
// own.
func (m *Message) CopyFrom(src *Message) {
	if src.Len() == 1 {
		m.SetBody(src.Frame(0))
		return
	}
	m.Reset()
	n := src.Size()
	if n > keepMax {
		m.own = buf.Get(n)[:0]
	} else if cap(m.own) < n {
		m.own = make([]byte, 0, n)
	}
	for i := range src.Len() {
		f := src.Frame(i)
		at := len(m.own)
		m.own = append(m.own, f...)
		m.frames = append(m.frames, m.own[at:len(m.own):len(m.own)])
	}
	if len(m.frames) > 0 {
		m.form = list
	}
}

// ShareFrom makes m a message whose frames are the bytes of src: they must
// never be recycled or changed. Fan-out uses it to give one body to many.
func (m *Message) ShareFrom(src *Message) {
	if b, ok := src.InlineBody(); ok {
		m.SetBody(b)
		return
	}
	m.Reset()
	for i := range src.Len() {
		m.frames = append(m.frames, src.Frame(i))
	}
	m.form = list
}

// MoveTo moves the content of m into dst, which loses what it had; m is
// empty afterwards. Borrowed or lead frames are copied, everything else
// changes hands: dst's spare storage goes to m.
func (m *Message) MoveTo(dst *Message) {
	if b, ok := m.InlineBody(); ok {
		if dst.form != small || dst.led {
			dst.Reset()
		}
		dst.form, dst.size = small, m.size
		copy(dst.inline[:], b)
		m.form, m.size = empty, 0
		return
	}
	if m.borrowed || m.led || m.inlineInList() {
		dst.CopyFrom(m)
		m.Reset()
		return
	}
	dst.Reset()
	m.frames, dst.frames = dst.frames, m.frames
	m.own, dst.own = dst.own, m.own
	dst.form, dst.wired = m.form, m.wired
	m.form, m.wired = empty, false
}

// inlineInList reports whether a frame of the list lies in the struct itself
// (Append on a small message), so that the list cannot simply change hands.
func (m *Message) inlineInList() bool {
	return m.form == list && m.size > 0
}
