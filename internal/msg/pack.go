package msg

// A pack is a slot of a ring that holds several small messages, one after
// another: each takes as many bytes as it has, and one more. Between two
// processors that is a fraction of the cache lines of as many slots. A pack is
// never seen outside of the ring's two sides.

// packSize is what a pack has room for at once: 32 messages, of at most Small
// bytes each, and their lengths.
const packSize = 32 * (Small + 1)

// Pack adds a message of one frame, of at most Small bytes, to m, which is a
// pack or empty.
func (m *Message) Pack(body []byte) {
	if m.form != pack {
		m.Reset()
		m.form = pack
		if cap(m.own) < packSize {
			m.own = make([]byte, 0, packSize)
		}
	}
	m.own = append(m.own, byte(len(body)))
	m.own = append(m.own, body...)
}

// Packed reports whether m is a pack.
func (m *Message) Packed() bool { return m.form == pack }

// Unpack makes dst the message at offset at of the pack m, 0 for the first, and
// returns the offset of the next, 0 after the last.
func (m *Message) Unpack(at int, dst *Message) (next int) {
	n := int(m.own[at])
	dst.SetBody(m.own[at+1:][:n])
	if next = at + 1 + n; next == len(m.own) {
		return 0
	}
	return next
}
