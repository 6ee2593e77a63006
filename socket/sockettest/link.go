package sockettest

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Link says what one direction of a link does to bytes. The zero value is
// perfect: everything arrives unchanged and at once.
type Link struct {
	// Latency is how long bytes are under way. Those that are when it changes
	// keep theirs.
	Latency time.Duration
	// Jitter is added to it, a random part of it for each packet; it never
	// reorders the bytes of one direction of a connection.
	Jitter time.Duration
	// Bandwidth is bytes per second, 0 without limit, for all connections
	// together. It is spent in packets of up to 1460 bytes, which arrive whole.
	Bandwidth int64
	// Buffer is how many bytes of one connection can be written and not yet
	// read, 0 for 64 KiB. When it is full, Write waits.
	Buffer int

	// MaxRead makes each Read return a random number of bytes from 1 to
	// MaxRead, if there are so many; 0 as many as there are.
	MaxRead int
	// MaxWrite makes each Write go out in pieces of random sizes from 1 to
	// MaxWrite, and no Read return bytes of two pieces; 0 in one piece.
	// Write still writes everything.
	MaxWrite int

	// Corrupt is the chance of each byte to be changed into another, 0 to 1.
	Corrupt float64
	// ResetAfter resets a connection when so many bytes of this direction were
	// written, 0 never: they can still be read at the far end, followed by
	// ECONNRESET; the writer gets that at once.
	ResetAfter int64
}

const (
	defaultBuffer = 64 << 10
	packetSize    = 1460 // what fits an Ethernet frame over IPv4 and TCP
)

// SetLink sets both directions of the link between a and b. A value without
// meaning, such as a negative one, makes it panic.
func (n *Network) SetLink(a, b string, l Link) {
	n.setLink([]way{{a, b}, {b, a}}, l)
}

// SetOneWay sets one direction only.
func (n *Network) SetOneWay(from, to string, l Link) {
	n.setLink([]way{{from, to}}, l)
}

func (n *Network) setLink(ways []way, l Link) {
	if l.Latency < 0 || l.Jitter < 0 || l.Bandwidth < 0 || l.Buffer < 0 || l.MaxRead < 0 || l.MaxWrite < 0 || l.ResetAfter < 0 {
		panic(fmt.Sprintf("sockettest: a link has a negative value: %+v.", l))
	}
	if !(0 <= l.Corrupt && l.Corrupt <= 1) {
		panic(fmt.Sprintf("sockettest: Corrupt of a link is %v, want 0 to 1.", l.Corrupt))
	}
	n.lock()
	defer n.mu.Unlock()
	for _, w := range ways {
		mustName(w.from, w.to)
		n.wire(w.from, w.to).link = l
	}
	n.wake()
}

func (l *Link) buffer() int {
	if l.Buffer == 0 {
		return defaultBuffer
	}
	return l.Buffer
}

// delay draws the part of Jitter that a packet gets.
func (l *Link) delay(source *rand.Rand) time.Duration {
	if l.Jitter == 0 {
		return 0
	}
	return time.Duration(source.Int64N(int64(l.Jitter)))
}
