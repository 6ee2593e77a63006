package zmtp

import (
	"fmt"
	"math"

	ringwire "github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/buf"
	"github.com/ringwire/ringwire/internal/msg"
)

const (
	// ReadSize is the read buffer: about 1000 messages of 64 bytes in one
	// system call, and all that a connection may allocate ahead of what
	// arrived.
	ReadSize = 64 << 10

	// directMin is the size from which a body is read straight into the
	// message's own buffer instead of through the read buffer.
	directMin = 8 << 10

	// shortRead bounds a read while large bodies arrive, so that little of
	// the next one takes the way through the read buffer.
	shortRead = 4 << 10
)

// Limits bound what a peer may send in one message.
type Limits struct {
	MaxMessage int64 // frame bytes of a whole message or command; <= 0: no limit
	MaxFrames  int   // <= 0: no limit
}

// Item is what Decoder.Next found.
type Item uint8

const (
	NeedMore Item = iota // no whole item: read into Space, call Filled, try again
	Message              // a whole message
	Command              // a command; Decoder.Command is its body
)

// Decoder turns the bytes of one connection into messages and commands. It
// does no I/O: whoever holds the connection's read token reads into Space.
//
// Messages that lie whole in the read buffer are copied out of it, so that a
// message which the application keeps never pins the buffer. A message that
// is larger, or whose parts come apart, is assembled in a buffer of its own
// that becomes the message's; that buffer only ever has room for what has
// arrived, or was recycled.
type Decoder struct {
	limits Limits

	buf  []byte // read buffer, nil while nothing is in it and nobody reads
	r, w int    // unread bytes are buf[r:w]
	max  int    // most bytes of the next read

	spans []msg.Span // frames of the message being looked at or assembled

	// The message being assembled, when partial.
	partial bool
	more    bool   // the last frame of spans has MORE
	command bool   // what is being assembled is a command, not a message
	part    []byte // its wire form so far
	need    int    // bytes of the last frame that are not in part, tail or chunks yet
	total   int64  // frame bytes declared so far
	chunks  [][]byte
	tail    []byte // the chunk being filled; no buffer of the whole size lay ready

	// A message that was interrupted by a command too large for buf.
	outer *assembly

	body   []byte // the body of the last Command
	lent   []byte // a buffer to give back when the next item is asked for
	direct bool   // the last Space was not in buf
}

// assembly is what a Decoder sets aside while a large command comes between
// the frames of a large message.
type assembly struct {
	spans []msg.Span
	part  []byte
	total int64
}

// NewDecoder returns a decoder for one connection.
func NewDecoder(limits Limits) *Decoder {
	d := &Decoder{max: ReadSize}
	d.SetLimits(limits)
	return d
}

// SetLimits changes the limits for what Next has not looked at.
func (d *Decoder) SetLimits(limits Limits) {
	if limits.MaxMessage <= 0 || limits.MaxMessage > math.MaxInt-ReadSize {
		limits.MaxMessage = math.MaxInt - ReadSize
	}
	if limits.MaxFrames <= 0 {
		limits.MaxFrames = math.MaxInt
	}
	d.limits = limits
}

// Space is where the next read goes; it is never empty.
func (d *Decoder) Space() []byte {
	if d.partial && d.need > 0 && d.r == d.w {
		if f := d.free(); len(f) > 0 {
			d.direct = true
			d.Idle() // one buffer ahead of what arrived is enough
			return f
		}
	}
	d.direct = false
	if d.buf == nil {
		d.buf = buf.Get(ReadSize)
	}
	switch {
	case d.r == d.w:
		d.r, d.w = 0, 0
	case d.r > 0:
		d.w = copy(d.buf, d.buf[d.r:d.w])
		d.r = 0
	}
	limit := d.max
	if d.partial && d.need > 0 {
		limit = max(d.need-(d.w-d.r), 1) // nothing behind the frame: the buffer may become its chunk
	}
	return d.buf[d.w:min(d.w+limit, len(d.buf))]
}

// Filled says that n bytes were read into the last Space.
func (d *Decoder) Filled(n int) {
	switch {
	case !d.direct:
		d.w += n
	case d.tail != nil:
		d.tail = d.tail[:len(d.tail)+n]
		d.need -= n
	default:
		d.part = d.part[:len(d.part)+n]
		d.need -= n
	}
}

// Idle gives the read buffer away if nothing is in it: a connection on which
// nothing arrives holds none. A Space that was taken before is void.
func (d *Decoder) Idle() {
	if d.buf != nil && d.r == d.w {
		buf.Put(d.buf)
		d.buf, d.r, d.w = nil, 0, 0
		if d.lent == nil {
			d.body = nil // of a command that lay in the buffer
		}
	}
}

// Rest takes away what Next has not consumed, which is valid until the next read.
// Nothing may be half assembled.
func (d *Decoder) Rest() []byte {
	p := d.buf[d.r:d.w]
	d.r, d.w = 0, 0
	return p
}

// Buffered reports whether bytes are here that Next has not consumed.
func (d *Decoder) Buffered() bool { return d.r != d.w }

// Large reports whether the last read went straight into a large body.
func (d *Decoder) Large() bool { return d.direct }

// Spent reports whether Next has nothing to work on: it would return NeedMore.
func (d *Decoder) Spent() bool { return d.r == d.w && (!d.partial || d.need > 0) && d.lent == nil }

// Command is the body of the command that Next returned, valid until the
// next call of Next.
func (d *Decoder) Command() []byte { return d.body }

// Next decodes one item; a message goes into m. Every error is final: the
// connection must be closed.
func (d *Decoder) Next(m *msg.Message) (Item, error) {
	if d.lent != nil {
		buf.Put(d.lent)
		d.lent, d.body = nil, nil
	}
	if d.partial {
		return d.assemble(m)
	}
	p := d.buf[d.r:d.w]
	// The common case: one short frame that is here.
	if len(p) >= 2 && p[0] == 0 {
		if n := 2 + int(p[1]); n <= len(p) && int64(n-2) <= d.limits.MaxMessage {
			m.SetBody(p[2:n])
			d.r += n
			if d.max != ReadSize {
				d.max = ReadSize
			}
			return Message, nil
		}
	}
	return d.scan(p, m)
}

// Short returns the body of the next item if that is a message of one short
// frame, of at most most bytes, that is here; Skip consumes it. The body is valid
// until the next read.
func (d *Decoder) Short(most int) (body []byte, ok bool) {
	p := d.buf[d.r:d.w]
	if d.partial || d.lent != nil || len(p) < 2 || p[0] != 0 {
		return nil, false
	}
	n := int(p[1])
	if n > most || 2+n > len(p) || int64(n) > d.limits.MaxMessage {
		return nil, false
	}
	return p[2 : 2+n], true
}

// Skip consumes what Short returned.
func (d *Decoder) Skip(body []byte) {
	d.r += 2 + len(body)
	d.max = ReadSize
}

// scan looks for a whole message in p, the unread part of the read buffer.
func (d *Decoder) scan(p []byte, m *msg.Message) (Item, error) {
	d.spans, d.total = d.spans[:0], 0
	off := 0
	for {
		h, ok, err := ParseHeader(p[off:])
		if err != nil {
			return NeedMore, err
		}
		if !ok {
			break
		}
		p[off] &= flagsKnown // reserved bits must not travel on with the wire form
		command := h.Flags&FlagCommand != 0
		if command && off > 0 {
			// A command between two frames: set the frames aside first.
			d.begin(p[:off], 0)
			return d.assemble(m)
		}
		if err := d.declare(h, command); err != nil {
			return NeedMore, err
		}
		n := int(h.Size)
		if len(p)-off-h.Len < n {
			if off+h.Len+n >= directMin {
				d.more, d.command = h.Flags&FlagMore != 0, command
				d.spans = append(d.spans, msg.Span{Off: off + h.Len, Len: n})
				d.begin(p, n-(len(p)-off-h.Len))
				return NeedMore, nil
			}
			break
		}
		if command {
			d.body = p[h.Len : h.Len+n]
			d.r += h.Len + n
			return Command, nil
		}
		d.spans = append(d.spans, msg.Span{Off: off + h.Len, Len: n})
		off += h.Len + n
		if h.Flags&FlagMore == 0 {
			m.CopyWire(p[:off], d.spans)
			d.r += off
			if d.max != ReadSize && off < directMin {
				d.max = ReadSize
			}
			return Message, nil
		}
		d.more, d.command = true, false
	}
	if off > 0 && len(p) >= directMin {
		// Many frames, more than half a buffer away from their end perhaps:
		// stop looking at the same ones again.
		d.begin(p[:off], 0)
		return d.assemble(m)
	}
	return NeedMore, nil
}

// declare checks a header against the limits before anything is allocated.
func (d *Decoder) declare(h Header, command bool) error {
	if command {
		if h.Size > uint64(d.limits.MaxMessage) {
			return fmt.Errorf("command of %d bytes, limit %d: %w", h.Size, d.limits.MaxMessage, ringwire.ErrTooLarge)
		}
		return nil
	}
	if h.Size > uint64(d.limits.MaxMessage-d.total) {
		return fmt.Errorf("frame of %d bytes after %d in the same message, limit %d: %w", h.Size, d.total, d.limits.MaxMessage, ringwire.ErrTooLarge)
	}
	if len(d.spans) >= d.limits.MaxFrames {
		return fmt.Errorf("message of more than %d frames: %w", d.limits.MaxFrames, ringwire.ErrTooLarge)
	}
	d.total += int64(h.Size)
	return nil
}

// begin starts to assemble with p, which it consumes from the read buffer;
// need bytes of the last frame are still to come.
func (d *Decoder) begin(p []byte, need int) {
	d.partial, d.need = true, need
	if d.part = buf.Try(len(p) + need); d.part != nil {
		d.part = append(d.part[:0], p...)
		d.r += len(p)
	} else if need > 0 && len(p) >= ReadSize/2 {
		// All that is in the read buffer: it becomes the message's.
		d.part = d.buf[:copy(d.buf, p)]
		d.buf, d.r, d.w = nil, 0, 0
	} else {
		d.part = append([]byte(nil), p...)
		d.r += len(p)
	}
	if need > 0 {
		d.max = shortRead
	}
}

// assemble goes on with the message in part.
func (d *Decoder) assemble(m *msg.Message) (Item, error) {
	for {
		d.absorb()
		if d.need > 0 {
			return NeedMore, nil
		}
		d.join()
		if d.command {
			return d.finishCommand(), nil
		}
		if !d.more {
			d.partial = false
			m.TakeWire(d.part, d.spans)
			d.part = nil
			return Message, nil
		}
		p := d.buf[d.r:d.w]
		h, ok, err := ParseHeader(p)
		if err != nil || !ok {
			return NeedMore, err
		}
		p[0] &= flagsKnown
		command := h.Flags&FlagCommand != 0
		if err := d.declare(h, command); err != nil {
			return NeedMore, err
		}
		n := int(h.Size)
		if command {
			if len(p)-h.Len >= n {
				d.body = p[h.Len : h.Len+n]
				d.r += h.Len + n
				return Command, nil
			}
			if h.Len+n < directMin {
				return NeedMore, nil
			}
			d.outer = &assembly{spans: d.spans, part: d.part, total: d.total}
			d.spans = []msg.Span{{Off: h.Len, Len: n}}
			d.command = true
			d.begin(p, n-(len(p)-h.Len))
			continue
		}
		d.need = n
		d.reserve(h.Len)
		d.part = append(d.part, p[:h.Len]...)
		d.spans = append(d.spans, msg.Span{Off: len(d.part), Len: n})
		d.more = h.Flags&FlagMore != 0
		d.r += h.Len
	}
}

// finishCommand hands out an assembled command and takes up the message that
// it interrupted, if any.
func (d *Decoder) finishCommand() Item {
	d.lent, d.body = d.part, d.part[d.spans[0].Off:]
	d.command, d.partial, d.part = false, false, nil
	if o := d.outer; o != nil {
		d.spans, d.part, d.total, d.outer = o.spans, o.part, o.total, nil
		d.partial, d.more, d.need = true, true, 0
	}
	return Command
}

// free returns space for the last frame that is there already: the rest of
// part, or of the chunk being filled, or a recycled buffer for the whole.
func (d *Decoder) free() []byte {
	if d.tail != nil {
		return d.tail[len(d.tail):min(cap(d.tail), len(d.tail)+d.need)]
	}
	if len(d.part) == cap(d.part) {
		whole := buf.Try(len(d.part) + d.need)
		if whole == nil {
			return nil
		}
		d.replace(whole)
	}
	return d.part[len(d.part):min(cap(d.part), len(d.part)+d.need)]
}

// absorb moves what arrived of the last frame out of the read buffer. Only
// recycled buffers are as large as what was declared; without one, the read
// buffer itself becomes the next chunk, so that new memory comes with the bytes
// that fill it.
func (d *Decoder) absorb() {
	for d.need > 0 && d.r < d.w {
		f := d.free()
		if len(f) == 0 {
			if d.tail != nil {
				d.chunks = append(d.chunks, d.tail)
			}
			if n := d.w - d.r; n <= d.need {
				copy(d.buf, d.buf[d.r:d.w])
				d.tail = d.buf[:n]
				d.buf, d.r, d.w = nil, 0, 0
				d.need -= n
				return
			}
			d.tail = buf.Get(d.need)[:0]
			continue
		}
		n := copy(f, d.buf[d.r:d.w])
		d.r += n
		d.direct = true
		d.Filled(n)
	}
}

// join moves the chunks of a frame that is complete into part.
func (d *Decoder) join() {
	if d.tail == nil {
		return
	}
	n := len(d.part) + len(d.tail)
	for _, c := range d.chunks {
		n += len(c)
	}
	d.replace(buf.Get(n))
	for _, c := range d.chunks {
		d.part = append(d.part, c...)
		buf.Put(c)
	}
	d.part = append(d.part, d.tail...)
	buf.Put(d.tail)
	clear(d.chunks)
	d.chunks, d.tail = d.chunks[:0], nil
}

// reserve makes room for n more bytes in part.
func (d *Decoder) reserve(n int) {
	if cap(d.part)-len(d.part) < n {
		d.replace(buf.Get(len(d.part) + len(d.part)/2 + n))
	}
}

// replace moves part into a larger buffer.
func (d *Decoder) replace(b []byte) {
	b = append(b[:0], d.part...)
	buf.Put(d.part)
	d.part = b
}
