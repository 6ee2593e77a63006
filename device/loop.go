package device

import (
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/socket"
)

// ErrLoop is returned by Run when the front and the back are connected to each
// other: every message would go round for ever. It comes in a *ringwire.OpError
// that names the endpoint. A loop by way of another device is not detected.
var ErrLoop = errors.New("ringwire: the device is connected to itself")

// tokenName is the property by which the sockets of one device know each other,
// when addresses do not tell: behind a translation of addresses, or over inproc.
const tokenName = "X-Ringwire-Device"

// announce adds a new token to what two sockets announce.
func announce(front, back *socket.Options) (token string) {
	token = rand.Text()
	for _, o := range []*socket.Options{front, back} {
		all := maps.Clone(o.Metadata)
		if all == nil {
			all = make(map[string]string)
		}
		all[tokenName] = token
		o.Metadata = all
	}
	return token
}

// link is one connection as one end sees it.
type link struct{ local, remote string }

func (l link) reversed() link { return link{l.remote, l.local} }

// watcher follows the peers of one socket, of which only those count that could be
// the other socket of the device.
type watcher struct {
	mine, other *socket.Socket // immutable

	// Guarded by loopWatch.mu.
	dialed map[link]bool // connections that we made and whose handshake goes on
	ready  map[link]string
}

// loopWatch finds out whether the two sockets of a device are connected.
type loopWatch struct {
	d  *Device     // immutable
	at [2]*watcher // immutable; the second is nil if the device has one socket
	mu sync.Mutex
}

// watch starts following both sockets: to find loops, and to end with them.
func (d *Device) watch(wg *sync.WaitGroup) {
	w := &loopWatch{d: d}
	sides := []*socket.Socket{d.front, d.back}
	if d.front == d.back {
		sides = sides[:1]
	}
	for i, s := range sides {
		w.at[i] = &watcher{mine: s, other: sides[len(sides)-1-i], dialed: make(map[link]bool), ready: make(map[link]string)}
	}
	for i, s := range sides {
		events := s.Events(d.gate.life) // from now on
		wg.Go(func() {
			if len(sides) == 2 {
				w.scan(i)
			}
			for ev := range events {
				if ev.Lost > 0 && len(sides) == 2 {
					w.scan(i)
				}
				w.hear(i, ev)
			}
		})
	}
	for _, s := range sides {
		if closed(s) { // before we listened
			d.gate.end(fmt.Errorf("%s: %w", d.name(s), ringwire.ErrClosed))
		}
	}
}

// hear follows one event of side i.
func (w *loopWatch) hear(i int, ev socket.Event) {
	at := link{ev.Local, ev.Remote}
	switch ev.Kind {
	case socket.Connected:
		w.mu.Lock()
		w.at[i].dialed[at] = true
		w.mu.Unlock()
	case socket.Ready:
		w.mu.Lock()
		mayBe := w.at[i].dialed[at] || strings.HasPrefix(ev.Remote, "inproc://")
		delete(w.at[i].dialed, at)
		w.mu.Unlock()
		if w.at[1] == nil || ev.SocketType != w.at[i].other.Type().Name() {
			return
		}
		w.note(i, at, ev.Endpoint)
		if mayBe && w.d.token != "" {
			// One end of a loop was dialed by us: the accepted peers, of which
			// there may be very many, need not be looked at.
			w.scan(i)
		}
	case socket.HandshakeFailed, socket.Rejected:
		w.mu.Lock()
		delete(w.at[i].dialed, at)
		w.mu.Unlock()
	case socket.Disconnected:
		w.mu.Lock()
		delete(w.at[i].ready, at)
		w.mu.Unlock()
		w.d.gate.rouse() // it may have owed a reply
	case socket.Closed:
		w.d.gate.end(fmt.Errorf("%s: %w", w.d.name(w.at[i].mine), ringwire.ErrClosed))
	}
}

// note enters a peer, and looks whether the other side has the other end of its
// connection.
func (w *loopWatch) note(i int, at link, endpoint string) {
	w.mu.Lock()
	w.at[i].ready[at] = endpoint
	_, loop := w.at[1-i].ready[at.reversed()]
	// Over inproc both ends have the same name, so two sockets of one type can
	// both be connected to a third.
	if at.local == at.remote && w.at[0].mine.Type() == w.at[1].mine.Type() {
		loop = false
	}
	w.mu.Unlock()
	if loop {
		w.d.gate.endAt(endpoint, ErrLoop)
	}
}

// scan enters all peers of side i anew, and looks for our token among them.
func (w *loopWatch) scan(i int) {
	side := w.at[i]
	w.mu.Lock()
	clear(side.ready)
	w.mu.Unlock()
	for _, p := range side.mine.Peers() {
		if !p.Ready || p.SocketType != side.other.Type().Name() {
			continue
		}
		w.note(i, link{p.Local, p.Remote}, p.Endpoint)
		if w.d.token != "" && p.Metadata[tokenName] == w.d.token {
			w.d.gate.endAt(p.Endpoint, ErrLoop)
		}
	}
}
