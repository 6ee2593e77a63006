package pipe

import (
	"slices"

	"github.com/valyala/bytebufferpool"

	"github.com/ringwire/ringwire/internal/msg"
	"github.com/ringwire/ringwire/internal/zmtp"
)

const (
	// FlushSize is how many queued bytes make a Send flush by itself: about
	// 1000 messages of 64 bytes in one system call, and one segment on the
	// loopback interface.
	FlushSize = 64 << 10

	// refMin is the body size from which bytes that we own are written from
	// where they are instead of being copied into the outbox.
	refMin = 32 << 10
)

// outboxes lends the buffers of outboxes: taken at the first queued frame,
// given back when their bytes were written, so that an idle connection holds
// none.
var outboxes bytebufferpool.Pool

// outbox is the outgoing queue of a connection: encoded frames one after
// another, and large bodies by reference. Guarded by the send lock; a flush
// takes the whole content away.
type outbox struct {
	buf   *bytebufferpool.ByteBuffer // nil while nothing is queued
	head  int                        // offset of the first message: what was before it is dropped
	refs  []ref
	msgs  int
	bytes int64 // wire bytes, referenced bodies included
	lent  bool  // some refs are to frames that a Send in progress borrowed
}

// ref is bytes that belong at offset at of the buffer: the body of the header
// that ends there, or whole frames up to the end of the message.
type ref struct {
	at     int
	body   []byte
	frames bool
	lent   bool         // the bytes are the caller's of a Send in progress
	piece  int          // in a batch: the number of its piece
	last   *msg.Message // to release once this body was written; may be nil
}

func (o *outbox) open() *bytebufferpool.ByteBuffer {
	if o.buf == nil {
		o.buf = outboxes.Get()
		o.buf.B = o.buf.B[:0]
	}
	return o.buf
}

// put appends m. It copies, except for large bodies that m owns: with one of
// those, m's content moves into the outbox and m is left empty. Large bodies that
// m borrowed are copied into buffers of their own.
func (o *outbox) put(m *msg.Message) {
	b := o.open()
	before := len(b.B)
	if hasLarge(m) {
		if m.Borrowed() {
			o.putCopies(b, m)
		} else {
			o.putRefs(b, m)
		}
		return
	}
	b.B = zmtp.AppendMessage(b.B, m)
	o.msgs++
	o.bytes += int64(len(b.B) - before)
}

// putLent is put of a message that m only borrowed, without copying its large
// bodies: they must be written, or kept, before the Send that lends them
// returns.
func (o *outbox) putLent(m *msg.Message) {
	b := o.open()
	before := len(b.B)
	n := m.Len()
	for i := range n {
		f := m.Frame(i)
		b.B = zmtp.AppendMessageHeader(b.B, len(f), i < n-1)
		if len(f) >= refMin {
			o.ref(b, f, false)
			o.refs[len(o.refs)-1].lent = true
		} else {
			b.B = append(b.B, f...)
		}
	}
	o.lent = true
	o.msgs++
	o.bytes += int64(len(b.B) - before)
}

// putCopies is put of a message that m only borrowed and that has large bodies:
// each is copied into a buffer of its own. Appended to the outbox they would be
// copied again whenever that grows.
func (o *outbox) putCopies(b *bytebufferpool.ByteBuffer, m *msg.Message) {
	before := len(b.B)
	n := m.Len()
	for i := range n {
		f := m.Frame(i)
		b.B = zmtp.AppendMessageHeader(b.B, len(f), i < n-1)
		if len(f) < refMin {
			b.B = append(b.B, f...)
			continue
		}
		c := msg.Get()
		c.SetBody(f)
		o.ref(b, c.Frame(0), false)
		o.refs[len(o.refs)-1].last = c
	}
	o.msgs++
	o.bytes += int64(len(b.B) - before)
}

// keep copies what is lent, and tells kept of it before anything else refers to
// the copy.
func keep(refs []ref, kept func(r *ref, copied []byte)) {
	for i := range refs {
		r := &refs[i]
		if !r.lent {
			continue
		}
		m := msg.Get()
		m.SetBody(r.body)
		kept(r, m.Frame(0))
		r.body, r.last, r.lent = m.Frame(0), m, false
	}
}

func hasLarge(m *msg.Message) bool {
	if body, ok := m.BorrowedBody(); ok {
		return len(body) >= refMin
	}
	if _, ok := m.InlineBody(); ok {
		return false
	}
	for i := len(m.Lead()); i < m.Len(); i++ { // lead frames are not the message's own
		if len(m.Frame(i)) >= refMin {
			return true
		}
	}
	return false
}

func (o *outbox) putRefs(b *bytebufferpool.ByteBuffer, m *msg.Message) {
	before := len(b.B)
	for _, f := range m.Lead() {
		b.B = zmtp.AppendFrame(b.B, f, true)
	}
	m.SetLead(nil)
	held := msg.Get()
	m.MoveTo(held)
	if wire, ok := held.Wire(); ok {
		o.ref(b, wire, true)
	} else {
		n := held.Len()
		for i := range n {
			f := held.Frame(i)
			b.B = zmtp.AppendMessageHeader(b.B, len(f), i < n-1)
			if len(f) >= refMin {
				o.ref(b, f, false)
			} else {
				b.B = append(b.B, f...)
			}
		}
	}
	o.refs[len(o.refs)-1].last = held
	o.msgs++
	o.bytes += int64(len(b.B) - before)
}

func (o *outbox) ref(b *bytebufferpool.ByteBuffer, body []byte, frames bool) {
	o.refs = append(o.refs, ref{at: len(b.B), body: body, frames: frames})
	o.bytes += int64(len(body))
}

// putWire appends one message that is encoded already. A large one must stay
// unchanged until it was written.
func (o *outbox) putWire(wire []byte) {
	b := o.open()
	if len(wire) >= refMin {
		o.ref(b, wire, true)
	} else {
		b.B = append(b.B, wire...)
		o.bytes += int64(len(wire))
	}
	o.msgs++
}

// drop throws the content away and returns what it was.
func (o *outbox) drop() (msgs int, bytes int64) {
	msgs, bytes = o.msgs, o.bytes
	for i := range o.refs {
		if m := o.refs[i].last; m != nil {
			m.Release()
		}
	}
	clear(o.refs)
	if o.buf != nil {
		outboxes.Put(o.buf)
	}
	*o = outbox{refs: o.refs[:0]}
	return msgs, bytes
}

// append moves the content of next behind that of o.
func (o *outbox) append(next *outbox) {
	if next.msgs == 0 {
		return
	}
	b := o.open()
	for _, r := range next.refs {
		r.at += len(b.B) - next.head
		o.refs = append(o.refs, r)
	}
	b.B = append(b.B, next.buf.B[next.head:]...)
	o.msgs += next.msgs
	o.bytes += next.bytes
	next.refs = nil
	outboxes.Put(next.buf)
	next.buf, next.head, next.msgs, next.bytes = nil, 0, 0, 0
}

// dropOldest throws the first message away and returns its bytes.
func (o *outbox) dropOldest() int64 {
	end, n := messageEnd(o.buf.B, o.head, o.refs)
	bytes := int64(end - o.head)
	for i := range o.refs[:n] {
		bytes += int64(len(o.refs[i].body))
		if m := o.refs[i].last; m != nil {
			m.Release()
		}
	}
	o.refs = slices.Delete(o.refs, 0, n)
	o.head = end
	o.msgs--
	o.bytes -= bytes
	if o.head > FlushSize && o.head > len(o.buf.B)/2 {
		for i := range o.refs {
			o.refs[i].at -= o.head
		}
		o.buf.B = o.buf.B[:copy(o.buf.B, o.buf.B[o.head:])]
		o.head = 0
	}
	return bytes
}
