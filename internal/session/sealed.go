package session

import (
	"fmt"

	ringwire "github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/buf"
	"github.com/ringwire/ringwire/internal/pipe"
	"github.com/ringwire/ringwire/internal/security"
	"github.com/ringwire/ringwire/internal/zmtp"
)

// A mechanism may seal the traffic: then every frame travels inside another. What
// is read are sealed frames, which are opened one after another into the decoder;
// what a flush took is sealed frame by frame into one buffer, which is written.
// The rest of the session knows plain frames alone.

// opener is the reading half. It is a sink for reads; owned by the holder of the
// read token.
type opener struct {
	conn security.Conn
	dec  *zmtp.Decoder
	most uint64 // bytes of a sealed frame's body

	buf   []byte // what was read, nil while nothing was
	r, w  int    // of which buf[r:w] was not opened
	store []byte // of the frame that was opened last
	plain []byte // the part of it, header and all, that the decoder does not have yet
}

// sealing bounds what a mechanism adds to a frame.
const sealing = 256

func (o *opener) init(conn security.Conn, dec *zmtp.Decoder, limits zmtp.Limits) {
	o.conn, o.dec = conn, dec
	o.most = zmtp.ReadSize
	if limits.MaxMessage > 0 {
		o.most = uint64(limits.MaxMessage)
	} else {
		o.most = 1 << 62
	}
	o.most += sealing
}

// Space implements sink.
func (o *opener) Space() []byte {
	switch {
	case o.buf == nil:
		o.buf = buf.Get(zmtp.ReadSize)
	case o.r == o.w:
		o.r, o.w = 0, 0
	case o.w < len(o.buf):
	case o.r > 0:
		o.w = copy(o.buf, o.buf[o.r:o.w])
		o.r = 0
	default:
		// One frame fills the buffer: twice of what has arrived, at most.
		bigger := buf.Get(2 * len(o.buf))
		copy(bigger, o.buf)
		buf.Put(o.buf)
		o.buf = bigger
	}
	return o.buf[o.w:]
}

// Filled implements sink.
func (o *opener) Filled(n int) { o.w += n }

// Large implements sink.
func (o *opener) Large() bool { return len(o.buf) > zmtp.ReadSize }

// Idle implements sink.
func (o *opener) Idle() {
	if o.r == o.w && o.buf != nil {
		buf.Put(o.buf)
		o.buf, o.r, o.w = nil, 0, 0
	}
	if len(o.plain) == 0 && o.store != nil {
		buf.Put(o.store)
		o.store, o.plain = nil, nil
	}
	o.dec.Idle()
}

// ready reports whether more would find something. It may be wrong about a frame
// that is not whole.
func (o *opener) ready() bool { return o.r != o.w || len(o.plain) > 0 }

// more gives the decoder what comes next, and reports whether there was anything.
func (o *opener) more() (bool, error) {
	if len(o.plain) == 0 {
		if ok, err := o.open(); !ok {
			return false, err
		}
	}
	n := copy(o.dec.Space(), o.plain)
	o.dec.Filled(n)
	o.plain = o.plain[n:]
	return true, nil
}

// headRoom is room for the header of a plain frame.
const headRoom = 9

// open opens the next sealed frame, if it is whole.
func (o *opener) open() (bool, error) {
	p := o.buf[o.r:o.w]
	h, ok, err := zmtp.ParseHeader(p)
	if err != nil {
		return false, err
	}
	if !ok {
		return false, nil
	}
	if h.Size > o.most {
		return false, fmt.Errorf("sealed frame of %d bytes, limit %d: %w", h.Size, o.most, ringwire.ErrTooLarge)
	}
	end := h.Len + int(h.Size)
	if len(p) < end {
		return false, nil
	}
	if need := headRoom + end; cap(o.store) < need {
		if o.store != nil {
			buf.Put(o.store)
		}
		o.store = buf.Get(max(need, zmtp.ReadSize))
	}
	out, flags, err := o.conn.Open(o.store[:headRoom], p[h.Len:end])
	if err != nil {
		return false, err
	}
	o.r += end
	var head [headRoom]byte
	inner := zmtp.AppendHeader(head[:0], flags, len(out)-headRoom)
	o.plain = out[headRoom-len(inner):]
	copy(o.plain, inner)
	return true, nil
}

// flushSealed is flush of a connection whose traffic is sealed. What was sealed
// counts as written: of a connection that ends it is in doubt.
func (s *Session) flushSealed(block bool) (left bool, err error) {
	for {
		if s.outAt == len(s.out) {
			if s.out = s.out[:0]; cap(s.out) > 2*pipe.FlushSize {
				s.out = nil
			}
			s.outAt = 0
			if err := s.seal(); err != nil || len(s.out) == 0 {
				buf.Put(s.out)
				s.out = nil
				return false, err
			}
		}
		n, err := s.io.writeOne(s.out[s.outAt:], block)
		s.outAt += n
		if err != nil {
			return err == errWouldWait, err
		}
		if s.pinged {
			s.pinged = false
			s.heart.written()
		}
		s.lastFlush.Store(now())
	}
}

// seal fills out with sealed frames, as many as make a full write.
func (s *Session) seal() (err error) {
	if s.batch.Empty() {
		more := s.end.Take(&s.batch)
		s.commands, s.pinged = s.control.take(s.commands[:0], &s.receipts, s.batch.Before())
		if !more && len(s.commands) == 0 {
			return nil
		}
		s.stream.Store(s.batch.Large())
	}
	if s.out == nil {
		s.out = buf.Get(2 * pipe.FlushSize)[:0]
	}
	for p := s.commands; len(p) > 0; {
		h, ok, err := zmtp.ParseHeader(p)
		if !ok || err != nil {
			panic("ringwire: commands to send are no whole frames; please report this as a bug")
		}
		end := h.Len + int(h.Size)
		if s.out, err = s.mech.Seal(s.out, h.Flags, p[h.Len:end]); err != nil {
			return err
		}
		p = p[end:]
	}
	s.commands = s.commands[:0]
	for !s.batch.Empty() && len(s.out) < pipe.FlushSize {
		flags, body := s.batch.Frame()
		if s.out, err = s.mech.Seal(s.out, flags, body); err != nil {
			return err
		}
	}
	return nil
}
