package pipe

import (
	"github.com/ringwire/ringwire/internal/msg"
	"github.com/ringwire/ringwire/internal/zmtp"
)

// Shared is one message on its way to many ends: it is encoded once, at the
// first end with a connection, and copied once, at the first inproc end. It
// belongs to the holder of the send lock, who may use it again and again.
type Shared struct {
	m      *msg.Message
	wire   []byte // encoded; empty: not yet
	frozen *msg.Message
}

// Begin starts with message m, which stays the caller's.
func (s *Shared) Begin(m *msg.Message) {
	s.m, s.frozen = m, nil
	if cap(s.wire) >= refMin {
		s.wire = nil // outboxes may still write from it
	}
	s.wire = s.wire[:0]
}

// End forgets the message.
func (s *Shared) End() { s.m, s.frozen = nil, nil }

func (s *Shared) encoded() []byte {
	if len(s.wire) == 0 {
		s.wire = zmtp.AppendMessage(s.wire, s.m)
	}
	return s.wire
}

// still returns the message with bytes that will never change, so that the
// receivers of several sockets can share them.
func (s *Shared) still() *msg.Message {
	if s.frozen == nil {
		if _, ok := s.m.InlineBody(); ok {
			return s.m
		}
		s.frozen = new(msg.Message)
		s.frozen.CopyFrom(s.m)
	}
	return s.frozen
}

// TrySendShared is TrySend of the message in s, which is left as it is.
func (e *End) TrySendShared(s *Shared) bool {
	if e.lane != nil {
		return e.sendLaneShared(s)
	}
	if e.FullFor(s.m) {
		e.touch(true)
		return false
	}
	before := e.prepare()
	e.out.putWire(s.encoded())
	e.account(before)
	return true
}

func (e *End) sendLaneShared(s *Shared) bool {
	var view msg.Message
	view.ShareFrom(s.still())
	return e.sendLane(&view)
}
