package child

import (
	"bytes"
	"strings"
	"sync"
)

// complaint keeps the first lines that a process writes about what is wrong with it.
type complaint struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

// complaintSize is enough for a message, and keeps a process that writes without end
// from filling the memory.
const complaintSize = 4 << 10

func (c *complaint) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.text.Write(b[:min(len(b), complaintSize-c.text.Len())])
	return len(b), nil
}

// String is the line that says what went wrong: the first or, of what Python tells
// when it ends, the last.
func (c *complaint) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(c.text.String()), "\n")
	if strings.HasPrefix(lines[0], "Traceback ") {
		return strings.TrimSpace(lines[len(lines)-1])
	}
	return strings.TrimSpace(lines[0])
}
