package pipe

import (
	"github.com/valyala/bytebufferpool"

	"github.com/ringwire/ringwire/internal/zmtp"
)

// Batch is what a flush took out of an outbox. It belongs to the holder of
// the connection's write token until it is retired or returned.
type Batch struct {
	buf    *bytebufferpool.ByteBuffer
	head   int // offset of the first message
	refs   []ref
	msgs   int
	before int64 // messages written before it
	bytes  int64
	lent   bool     // see outbox
	pieces [][]byte // what is left to write, in order
	gone   int      // pieces that were written and are not in pieces any more
	store  [][]byte // storage of pieces
}

// Empty reports whether every byte was written.
func (b *Batch) Empty() bool { return len(b.pieces) == 0 }

// Loaded reports whether b holds messages, written or not, that have not been
// retired.
func (b *Batch) Loaded() bool { return b.msgs > 0 }

// Lent is how many bytes a Send in progress lent and are not written.
func (b *Batch) Lent() int {
	if !b.lent {
		return 0
	}
	n := 0
	for _, p := range b.pieces {
		n += len(p) // with the little between them
	}
	return n
}

// Large reports whether a sender filled the batch in a stream: it is worth
// waiting for another like it.
func (b *Batch) Large() bool { return b.bytes >= FlushSize/4 || b.msgs >= streamMin }

// streamMin is how many messages make a batch large that has few bytes.
const streamMin = 256

// Before is how many messages were written to the peer before those of b, as of
// the last Take.
func (b *Batch) Before() int64 { return b.before }

// Pieces is what is left to write. The caller must not change it.
func (b *Batch) Pieces() [][]byte { return b.pieces }

// Advance notes that the first n bytes of Pieces were written.
func (b *Batch) Advance(n int) {
	for n > 0 {
		p := b.pieces[0]
		if n < len(p) {
			b.pieces[0] = p[n:]
			return
		}
		n -= len(p)
		b.pieces[0] = nil
		b.pieces = b.pieces[1:]
		b.gone++
	}
}

// Frame takes the next frame out of b: it counts as written from now on. The body
// is valid until the next Take.
func (b *Batch) Frame() (flags byte, body []byte) {
	p := b.pieces[0]
	h, ok, err := zmtp.ParseHeader(p)
	if !ok || err != nil {
		panic("ringwire: a batch does not hold whole frames; please report this as a bug")
	}
	n := int(h.Size)
	if len(p) >= h.Len+n {
		body = p[h.Len : h.Len+n]
	} else {
		body = b.pieces[1][:n] // by reference
	}
	b.Advance(h.Len + n)
	return h.Flags, body
}

// load swaps the content of o into b, which is retired.
func (b *Batch) load(o *outbox) {
	b.buf, o.buf = o.buf, nil
	b.refs, o.refs = o.refs, b.refs[:0]
	b.head, b.msgs, b.bytes, b.lent = o.head, o.msgs, o.bytes, o.lent
	o.head, o.msgs, o.bytes, o.lent = 0, 0, 0, false
	b.pieces, b.gone = b.store[:0], 0
	at := b.head
	for i := range b.refs {
		r := &b.refs[i]
		if r.at > at {
			b.pieces = append(b.pieces, b.buf.B[at:r.at])
			at = r.at
		}
		r.piece = len(b.pieces)
		b.pieces = append(b.pieces, r.body)
	}
	if at < len(b.buf.B) {
		b.pieces = append(b.pieces, b.buf.B[at:])
	}
	b.store = b.pieces[:0]
}

// release gives the memory of b back.
func (b *Batch) release() {
	for i := range b.refs {
		if m := b.refs[i].last; m != nil {
			m.Release()
		}
		b.refs[i] = ref{}
	}
	b.refs = b.refs[:0]
	if b.buf != nil {
		outboxes.Put(b.buf)
		b.buf = nil
	}
	b.msgs, b.bytes, b.pieces, b.lent = 0, 0, nil, false
}

// keep copies what is lent and not written.
func (b *Batch) keep() {
	keep(b.refs, func(r *ref, copied []byte) {
		if i := r.piece - b.gone; i >= 0 {
			b.pieces[i] = copied[len(copied)-len(b.pieces[i]):]
		}
	})
	b.lent = false
}

// left is how many bytes were not written.
func (b *Batch) left() int64 {
	var n int64
	for _, p := range b.pieces {
		n += int64(len(p))
	}
	return n
}

// unsent splits a batch that was cut off: the messages of which no byte was
// written go to rest, in order, and b keeps the others. It returns how many
// messages, and how many of their bytes, b keeps.
func (b *Batch) unsent(rest *outbox) (msgs int, bytes int64) {
	written := b.bytes - b.left()
	buf := b.buf.B
	refs := b.refs
	at := b.head // offset in buf
	var pos int64
	for at < len(buf) || len(refs) > 0 {
		if pos >= written {
			break
		}
		n, k := messageEnd(buf, at, refs)
		for _, r := range refs[:k] {
			pos += int64(len(r.body))
		}
		refs = refs[k:]
		pos += int64(n - at)
		at = n
		msgs++
	}
	if msgs < b.msgs {
		o := rest.open()
		for _, r := range refs {
			r.at -= at
			rest.refs = append(rest.refs, r)
		}
		o.B = append(o.B, buf[at:]...)
		rest.msgs, rest.bytes = b.msgs-msgs, b.bytes-pos
		b.refs = b.refs[:len(b.refs)-len(refs)]
	}
	return msgs, pos
}

// messageEnd returns where the message that starts at offset at of buf ends,
// and how many of refs belong to it.
func messageEnd(buf []byte, at int, refs []ref) (end, nrefs int) {
	off := at
	for {
		if nrefs < len(refs) && refs[nrefs].at == off && refs[nrefs].frames {
			return off, nrefs + 1
		}
		h, ok, err := zmtp.ParseHeader(buf[off:])
		if !ok || err != nil {
			panic("ringwire: an outbox does not hold whole frames; please report this as a bug")
		}
		off += h.Len
		if nrefs < len(refs) && refs[nrefs].at == off && !refs[nrefs].frames {
			nrefs++
		} else {
			off += int(h.Size)
		}
		if h.Flags&zmtp.FlagMore == 0 {
			return off, nrefs
		}
	}
}
