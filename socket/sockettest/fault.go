package sockettest

// Stall holds up one direction of a link: bytes stay where they are, those
// under way as well as those written from now on; nothing is lost. A writer
// waits when the buffer is full. What has arrived can be read, and a dial
// waits. Stalling twice is stalling once.
func (n *Network) Stall(from, to string) { n.freeze(from, to, true, stalling) }

// Resume undoes Stall: what was under way goes on with the latency that it had
// left.
func (n *Network) Resume(from, to string) { n.freeze(from, to, false, stalling) }

// Partition holds up both directions of the link between a and b as Stall
// does. Dials between them hang until Heal or the end of their context. A
// partition and a stall are independent: the link works when neither is left.
func (n *Network) Partition(a, b string) {
	n.freeze(a, b, true, parting)
	n.freeze(b, a, true, parting)
}

// Heal undoes Partition. Nothing was lost.
func (n *Network) Heal(a, b string) {
	n.freeze(a, b, false, parting)
	n.freeze(b, a, false, parting)
}

// stalling and parting are the two reasons for a wire to stand still.
func stalling(w *wire) *bool { return &w.stalled }
func parting(w *wire) *bool  { return &w.parted }

func (n *Network) freeze(from, to string, on bool, reason func(*wire) *bool) {
	mustName(from, to)
	n.lock()
	defer n.mu.Unlock()
	w := n.wire(from, to)
	w.freeze(reason(w), on)
	n.wake()
}

// Cut resets every connection between a and b: both ends get ECONNRESET, and
// what was not read is lost. It returns how many connections it has reset.
// Dials are not affected.
func (n *Network) Cut(a, b string) int {
	mustName(a, b)
	n.lock()
	defer n.mu.Unlock()
	count := 0
	for _, p := range n.between(a, b) {
		if !p.broken {
			p.reset()
			count++
		}
	}
	return count
}

// Vanish takes a host off the network without a word, as when its power fails.
// Its connections are half open: what either end writes from now on is lost,
// and so is what was under way, closing included. What has arrived can be
// read. As nothing is acknowledged, a Write waits once the link's Buffer is
// full. Dials from and to the host hang.
func (n *Network) Vanish(host string) {
	mustName(host)
	n.lock()
	defer n.mu.Unlock()
	n.machine(host).vanished = true
	for p := range n.pairs {
		if p.touches(host) {
			p.mute()
		}
	}
	n.wake()
}

// Return brings a host back that had vanished, like a machine that was started
// again: new connections work, and each old one is reset at the next Write of
// either end, or now if one waits. Until then it stays silent.
func (n *Network) Return(host string) {
	mustName(host)
	n.lock()
	defer n.mu.Unlock()
	n.machine(host).vanished = false
	for p := range n.pairs {
		if p.muted && !n.machine(p.ends[0].host).vanished && !n.machine(p.ends[1].host).vanished {
			p.muted, p.stale = false, true
		}
	}
	n.wake()
}

// Refuse makes all dials to a host, those that hang included, fail at once
// with ECONNREFUSED, or undoes that. Its listeners and connections stay.
func (n *Network) Refuse(host string, refuse bool) {
	mustName(host)
	n.lock()
	defer n.mu.Unlock()
	n.machine(host).refuses = refuse
	n.wake()
}

// FailAccept makes every Accept of a host, those that wait included, return
// err, such as syscall.EMFILE, until it is called with nil. Connections wait
// meanwhile.
func (n *Network) FailAccept(host string, err error) {
	mustName(host)
	n.lock()
	defer n.mu.Unlock()
	n.machine(host).acceptErr = err
	n.wake()
}
