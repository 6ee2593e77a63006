package sockettest

import (
	"hash/fnv"
	"math/rand/v2"
	"strconv"
)

// flow is one direction of a connection: what was written and not yet read.
// Guarded by the network's mu.
type flow struct {
	wire    *wire
	packets []packet
	size    int    // bytes that fill the buffer: under way, arrived, or lost unnoticed
	total   int64  // bytes written so far
	last    moment // arrival of the last packet
	gone    bool   // the reader is: bytes go nowhere

	// What the writer's end sent behind the bytes.
	finished mark // no more bytes: EOF
	closed   mark // nobody will read the other direction
	reset    mark
	discard  bool // the reset takes away what was not read

	// A source of randomness for each purpose, so that one does not shift
	// another.
	pieces, delays, noise, reads *rand.Rand
}

// packet is bytes that arrive together.
type packet struct {
	data []byte
	due  moment
	cut  bool // a Read ends behind it
}

// mark is something other than bytes that was sent at most once.
type mark struct {
	sent bool
	due  moment
}

func (n *Network) newFlow(from, to string, dialed bool, number uint64) *flow {
	source := func(purpose string) *rand.Rand {
		h := fnv.New64a()
		h.Write([]byte(from + " " + to + " " + strconv.FormatBool(dialed) + " " + strconv.FormatUint(number, 10) + " " + purpose))
		return rand.New(rand.NewPCG(n.seed, h.Sum64()))
	}
	return &flow{
		wire:   n.wire(from, to),
		pieces: source("pieces"), delays: source("delays"), noise: source("noise"), reads: source("reads"),
	}
}

// room is how many of the next size bytes can be written now, in one piece.
func (f *flow) room(size int) int {
	l := &f.wire.link
	k := max(min(size, l.buffer()-f.size), 0)
	if l.MaxWrite > 0 && k > 0 {
		k = min(k, 1+f.pieces.IntN(l.MaxWrite))
	}
	if l.ResetAfter > 0 {
		k = int(min(int64(k), max(l.ResetAfter-f.total, 0)))
	}
	return k
}

// exhausted reports whether ResetAfter is reached.
func (f *flow) exhausted() bool {
	limit := f.wire.link.ResetAfter
	return limit > 0 && f.total >= limit
}

// put sends a piece.
func (f *flow) put(piece []byte) {
	f.total += int64(len(piece))
	if f.gone {
		return
	}
	f.size += len(piece)
	l := &f.wire.link
	data := make([]byte, len(piece))
	copy(data, piece)
	if l.Corrupt > 0 {
		for i := range data {
			if f.noise.Float64() < l.Corrupt {
				data[i] ^= byte(1 + f.noise.IntN(255))
			}
		}
	}
	for len(data) > 0 {
		k := len(data)
		if l.Bandwidth > 0 || l.Jitter > 0 {
			k = min(k, packetSize)
		}
		due := f.due(k)
		f.packets = append(f.packets, packet{data: data[:k:k], due: due, cut: l.MaxWrite > 0 && k == len(data)})
		data = data[k:]
	}
}

// lose takes bytes that go nowhere and that nobody will ever acknowledge.
func (f *flow) lose(size int) {
	f.total += int64(size)
	f.size += size
}

// due is when size bytes that are sent now arrive.
func (f *flow) due(size int) moment {
	l := &f.wire.link
	m := f.wire.after(f.wire.spend(size), l.Latency+l.delay(f.delays))
	if m.at.Before(f.last.at) {
		m.at = f.last.at
	}
	f.last = m
	return m
}

func (f *flow) send(m *mark) {
	if !m.sent {
		*m = mark{sent: true, due: f.due(0)}
	}
}

func (f *flow) has(m *mark) bool { return m.sent && f.wire.reached(m.due) }

// readable reports whether bytes have arrived.
func (f *flow) readable() bool { return len(f.packets) > 0 && f.wire.reached(f.packets[0].due) }

// take reads what has arrived. Only when readable.
func (f *flow) take(p []byte) int {
	limit := len(p)
	if most := f.wire.link.MaxRead; most > 0 {
		limit = min(limit, 1+f.reads.IntN(most))
	}
	n := 0
	for n < limit && f.readable() {
		head := &f.packets[0]
		k := copy(p[n:limit], head.data)
		n += k
		if head.data = head.data[k:]; len(head.data) > 0 {
			break
		}
		cut := head.cut
		f.packets[0] = packet{}
		f.packets = f.packets[1:]
		if cut {
			break
		}
	}
	f.size -= n
	return n
}

// next is the moment of the next thing to arrive that has not yet.
func (f *flow) next() (m moment, found bool) {
	consider := func(due moment) {
		if !f.wire.reached(due) && (!found || due.at.Before(m.at)) {
			m, found = due, true
		}
	}
	if len(f.packets) > 0 {
		consider(f.packets[0].due)
	}
	for _, k := range []*mark{&f.finished, &f.closed, &f.reset} {
		if k.sent {
			consider(k.due)
		}
	}
	return m, found
}

// vanish loses what is under way.
func (f *flow) vanish() {
	for i := range f.packets {
		if !f.wire.reached(f.packets[i].due) {
			f.packets = f.packets[:i]
			break
		}
	}
	for _, k := range []*mark{&f.finished, &f.closed, &f.reset} {
		if !f.has(k) {
			*k = mark{}
		}
	}
}

// drop takes away everything: there is no reader any more, or no connection.
func (f *flow) drop() {
	f.packets, f.size, f.gone = nil, 0, true
}
