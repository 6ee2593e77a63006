package typed

import (
	"fmt"
	"sync"

	"github.com/valyala/bytebufferpool"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/socket"
)

// scratch is where values are encoded: a Send copies from there. Buffers go back with
// their content, whose length is what the pool learns from.
var scratch bytebufferpool.Pool

// coder encodes and decodes values of one type.
type coder[T any] struct {
	codec Codec
	boxes sync.Pool // of *T: a codec takes pointers, and what it points to would be on the heap
}

func (c *coder[T]) box() *T {
	if box, ok := c.boxes.Get().(*T); ok {
		return box
	}
	return new(T)
}

// empty gives a box back, with nothing in it that could be kept alive.
func (c *coder[T]) empty(box *T) {
	var zero T
	*box = zero
	c.boxes.Put(box)
}

// append appends the encoding of v.
func (c *coder[T]) append(dst []byte, v T) ([]byte, error) {
	box := c.box()
	*box = v
	b, err := c.codec.Append(dst, box)
	c.empty(box)
	if err != nil {
		return dst, fmt.Errorf("typed: %s as %s: %w", nameOf[T](), c.codec.Name(), err)
	}
	return b, nil
}

// decode decodes what a peer sent. A box in which decoding failed is not used again.
func (c *coder[T]) decode(data []byte) (v T, err error) {
	box := c.box()
	if err := guarded(c.codec, data, box); err != nil {
		return v, err
	}
	v = *box
	c.empty(box)
	return v, nil
}

// guarded turns a panic of a decoder into an error: a payload can provoke one, such as
// by a map as the key of a map.
func guarded(c Codec, data []byte, v any) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic of the decoder: %v", p)
		}
	}()
	return c.Decode(data, v)
}

// take decodes the last of m's frames, which must be so many, and releases m.
func (c *coder[T]) take(s *socket.Socket, m *ringwire.Message, frames int) (v T, err error) {
	if n := m.Len(); n != frames {
		err = fmt.Errorf("it has %d frames, want %d", n, frames)
	} else if v, err = c.decode(m.Frame(n - 1)); err == nil {
		m.Release()
		return v, nil
	}
	err = c.refuse(s, m.Peer(), err)
	m.Release()
	return v, err
}

// refuse is the error for a message that is not a T.
func (c *coder[T]) refuse(s *socket.Socket, from ringwire.Peer, cause error) *DecodeError {
	e := &DecodeError{Type: nameOf[T](), Codec: c.codec.Name(), Peer: from, Err: cause}
	for _, p := range s.Peers() {
		if p.Peer == from {
			e.PeerName, e.PeerType, e.PeerCodec = p.Name(), p.Metadata["X-Type"], p.Metadata["X-Codec"]
		}
	}
	return e
}

// DecodeError says that a peer sent something else than what was expected. The
// message was taken from the socket, which can be used as before.
type DecodeError struct {
	Type  string // the Go type that was expected
	Codec string
	Peer  ringwire.Peer // who sent it
	// PeerName is what to call that peer, as socket.PeerInfo.Name, empty if it is gone.
	PeerName string
	// PeerType and PeerCodec are what that peer says that it sends, empty if it
	// does not say, or is gone. For a Client and a Server the type is that of the
	// request and that of the reply: "main.Question -> main.Answer".
	PeerType  string
	PeerCodec string
	Err       error
}

func (e *DecodeError) Error() string {
	who := fmt.Sprintf("peer %v", e.Peer)
	if e.PeerName != "" {
		who = fmt.Sprintf("peer %.300s", e.PeerName)
	}
	if e.PeerType != "" || e.PeerCodec != "" {
		who += fmt.Sprintf(", which has %.200q by %.200q,", e.PeerType, e.PeerCodec)
	}
	return fmt.Sprintf("typed: %s sent what is no %s by %s: %v", who, e.Type, e.Codec, e.Err)
}

// Unwrap returns the codec's error.
func (e *DecodeError) Unwrap() error { return e.Err }
