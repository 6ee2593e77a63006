package msg

import "sync"

var pool = sync.Pool{New: func() any { return &Message{pooled: true} }}

// Get returns an empty message that Release will recycle.
func Get() *Message { return pool.Get().(*Message) }

// Release empties m and, if it came from Get, gives it back.
func (m *Message) Release() {
	m.Reset()
	m.peer = nil
	if m.pooled {
		pool.Put(m)
	}
}
