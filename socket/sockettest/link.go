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
	n.mu.Lock()
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

// wire is one direction of a link. It has a clock of its own, which stands
// still while the wire is frozen: what is under way then goes on later with
// what remained of its latency. Guarded by the network's mu.
type wire struct {
	link    Link
	made    uint64 // connections dialed this way so far
	stalled bool
	parted  bool

	busy    time.Time     // when the bandwidth is free again, by the wire's clock
	frozen  time.Time     // since when the clock stands still
	behind  time.Duration // how much it stood still before
	freezes int
}

// moment is a time of arrival by a wire's clock.
type moment struct {
	at     time.Time
	freeze int // the freeze in which the bytes were sent, 0 none
}

func (w *wire) isFrozen() bool { return w.stalled || w.parted }

// freeze sets what holds the wire up.
func (w *wire) freeze(reason *bool, on bool) {
	was := w.isFrozen()
	*reason = on
	switch now := time.Now(); {
	case !was && w.isFrozen():
		w.frozen = now
		w.freezes++
	case was && !w.isFrozen():
		w.behind += now.Sub(w.frozen)
	}
}

func (w *wire) now() time.Time {
	if w.isFrozen() {
		return w.frozen.Add(-w.behind)
	}
	return time.Now().Add(-w.behind)
}

// after is the moment at which something arrives that is sent now, or when the
// bandwidth is free, and is under way for so long.
func (w *wire) after(sent time.Time, latency time.Duration) moment {
	m := moment{at: sent.Add(latency)}
	if w.isFrozen() {
		m.freeze = w.freezes
	}
	return m
}

// spend takes bandwidth for size bytes and returns when the last is sent.
func (w *wire) spend(size int) time.Time {
	now := w.now()
	if w.link.Bandwidth == 0 {
		return now
	}
	if w.busy.Before(now) {
		w.busy = now
	}
	w.busy = w.busy.Add(time.Duration(float64(size) * float64(time.Second) / float64(w.link.Bandwidth)))
	return w.busy
}

// reached reports whether the moment has come.
func (w *wire) reached(m moment) bool {
	if w.isFrozen() && m.freeze == w.freezes {
		return false // it was sent into a wire that stood still
	}
	return !m.at.After(w.now())
}

// until is how long a moment that has not come is away, -1 if only a change
// of the network can bring it.
func (w *wire) until(m moment) time.Duration {
	if w.isFrozen() {
		return -1
	}
	return max(m.at.Sub(w.now()), 0)
}

// delay draws the part of Jitter that a packet gets.
func (l *Link) delay(source *rand.Rand) time.Duration {
	return time.Duration(source.Int64N(int64(min(l.Jitter, maxJitter)) + 1))
}

// maxJitter keeps sums of durations in range.
const maxJitter = time.Duration(1 << 62)
