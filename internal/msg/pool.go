package msg

import "sync"

var pool = sync.Pool{New: func() any { return new(Message) }}

// Get returns an empty message that Release will recycle.
func Get() *Message {
	m := pool.Get().(*Message)
	m.pooled = true
	return m
}

// Release empties m and, if it came from Get, gives it back. A second Release
// does nothing, as long as nobody has got m since.
func (m *Message) Release() {
	m.Reset()
	m.peer = nil
	if m.pooled {
		m.pooled = false
		pool.Put(m)
	}
}
