package zmtp

import "github.com/ringwire/ringwire/internal/msg"

// AppendMessage appends the wire form of m: all its frames, the last without
// MORE. A message that still has the wire form it arrived with is copied as
// it is.
func AppendMessage(dst []byte, m *msg.Message) []byte {
	if body, ok := m.InlineBody(); ok {
		dst = append(dst, 0, byte(len(body)))
		return append(dst, body...)
	}
	if body, ok := m.BorrowedBody(); ok {
		return AppendFrame(dst, body, false)
	}
	n := m.Len()
	if wire, ok := m.Wire(); ok {
		for _, f := range m.Lead() {
			dst = AppendFrame(dst, f, true)
		}
		return append(dst, wire...)
	}
	for i := range n {
		dst = AppendFrame(dst, m.Frame(i), i < n-1)
	}
	return dst
}

// AppendFrame appends one message frame.
func AppendFrame(dst, body []byte, more bool) []byte {
	return append(AppendMessageHeader(dst, len(body), more), body...)
}

// AppendMessageHeader appends the header of a message frame with n body bytes.
func AppendMessageHeader(dst []byte, n int, more bool) []byte {
	var flags byte
	if more {
		flags = FlagMore
	}
	return AppendHeader(dst, flags, n)
}
