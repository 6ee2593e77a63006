package ringwire

import (
	"fmt"
	"strings"

	"github.com/ringwire/ringwire/internal/msg"
)

// Message is one ZeroMQ message: one or more frames that travel together or
// not at all. The zero Message is empty and usable; RecvInto fills it.
//
// A Message has one owner at a time. SendMessage takes ownership when it
// succeeds; Recv gives ownership to the caller. The bytes of a received
// message are read-only, because over inproc several subscribers may share
// them. A Message must not be copied by assignment and is not safe for use by
// several goroutines at once.
type Message msg.Message

// NewMessage makes a message of the given frames. It takes ownership of the
// frames' bytes without copying them: the caller must not change them any
// more. With no frames the message is empty; Append adds to it.
func NewMessage(frames ...[]byte) *Message {
	m := msg.Get()
	m.Own(frames)
	return (*Message)(m)
}

// String shows the frames, quoted and cut to a readable length, for logs.
func (m *Message) String() string {
	var b strings.Builder
	b.WriteByte('[')
	for i := range m.Len() {
		if i > 0 {
			b.WriteByte(' ')
		}
		if b.Len() > 200 {
			fmt.Fprintf(&b, "and %d more", m.Len()-i)
			break
		}
		if f := m.Frame(i); len(f) > 64 {
			fmt.Fprintf(&b, "%q of %d bytes", f[:64], len(f))
		} else {
			fmt.Fprintf(&b, "%q", f)
		}
	}
	b.WriteByte(']')
	return b.String()
}

// Len is the number of frames.
func (m *Message) Len() int { return (*msg.Message)(m).Len() }

// Frame returns frame i, counted from 0, without copying. It is valid until
// the message is sent, released or received into. It panics when i is not
// below Len.
func (m *Message) Frame(i int) []byte { return (*msg.Message)(m).Frame(i) }

// Bytes returns the only frame of a single-frame message without copying,
// and of any other message a copy of all its frames one after another.
func (m *Message) Bytes() []byte { return (*msg.Message)(m).Bytes() }

// Append adds a frame at the end. It takes ownership of frame's bytes.
func (m *Message) Append(frame []byte) { (*msg.Message)(m).Append(frame) }

// Clone returns a message with a copy of the bytes, owned by the caller.
func (m *Message) Clone() *Message { return (*Message)((*msg.Message)(m).Clone()) }

// Release gives the message's memory back for reuse. The message and its
// frames must not be used afterwards. Forgetting Release is only slower. A
// Message that the caller declared itself is emptied and stays usable. Releasing nil
// does nothing.
func (m *Message) Release() {
	if m != nil {
		(*msg.Message)(m).Release()
	}
}

// Peer returns who sent this message; zero for a message that was not
// received.
func (m *Message) Peer() Peer { return Peer{(*msg.Message)(m).Peer()} }
