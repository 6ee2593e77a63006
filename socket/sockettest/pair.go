package sockettest

// pair is a connection: two ends and what became of it. Guarded by the
// network's mu.
type pair struct {
	ends   [2]*conn // the dialer's first; immutable
	broken bool     // reset: both ends know, or will
	muted  bool     // half open: a host has vanished
	stale  bool     // it is back and knows nothing of this connection
}

// join makes a connection to l and returns the dialer's end. It needs mu.
func (n *Network) join(from string, port int, l *listener) *conn {
	w := n.wire(from, l.host)
	w.made++
	there, back := n.newFlow(from, l.host, true, w.made), n.newFlow(l.host, from, false, w.made)
	p := new(pair)
	local, remote := makeAddr(from, port), l.addr()
	a := &conn{n: n, pair: p, host: from, local: local, remote: remote, in: back, out: there}
	b := &conn{n: n, pair: p, host: l.host, local: remote, remote: local, in: there, out: back}
	for _, c := range []*conn{a, b} {
		c.cond.L = &n.mu
		c.alarm.cond = &c.cond
	}
	a.peer, b.peer = b, a
	p.ends = [2]*conn{a, b}
	n.pairs[p] = struct{}{}
	l.queue = append(l.queue, b)
	n.changed.Broadcast()
	return a
}

func (p *pair) touches(host string) bool { return p.ends[0].host == host || p.ends[1].host == host }

func (p *pair) wake() {
	p.ends[0].cond.Broadcast()
	p.ends[1].cond.Broadcast()
}

// reset breaks the connection for both ends at once.
func (p *pair) reset() {
	p.broken = true
	for _, c := range p.ends {
		c.dead = true
		c.in.drop()
	}
	p.wake()
}

// mute loses what is under way and, from now on, everything.
func (p *pair) mute() {
	p.muted, p.stale = true, false
	p.broken = true
	for _, c := range p.ends {
		c.in.vanish()
		p.broken = p.broken && (c.dead || c.in.has(&c.in.reset)) // a reset under way is lost, too
	}
}
