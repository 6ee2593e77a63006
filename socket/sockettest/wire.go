package sockettest

import "time"

// wire is one direction of a link. It has a clock of its own, which stands
// still while the wire is frozen: what is under way then goes on later with
// what remained of its latency. Guarded by the network's mu.
type wire struct {
	n       *Network // immutable
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
	switch now := w.n.now; {
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
	return w.n.now.Add(-w.behind)
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
