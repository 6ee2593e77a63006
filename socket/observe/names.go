package observe

import (
	"maps"
	"sync"

	"github.com/ringwire/ringwire/socket"
)

// names are sockets that come and go, by name. The zero value is empty.
type names struct {
	changed func(name string, w *watch) // nil, or told, with mu, of what has the name now; immutable

	mu   sync.Mutex
	have map[string]*watch
}

// add gives a name to a socket, until it is closed or remove is called. Whoever had
// the name loses it.
func (n *names) add(name string, s *socket.Socket) (remove func()) {
	n.mu.Lock()
	older := n.have[name]
	w := begin(s, func(w *watch) { n.drop(name, w) })
	n.set(name, w)
	n.mu.Unlock()
	if older != nil {
		older.stop()
	}
	return func() {
		n.drop(name, w)
		w.stop()
	}
}

// set needs mu.
func (n *names) set(name string, w *watch) {
	if n.have == nil {
		n.have = make(map[string]*watch)
	}
	n.have[name] = w
	if w == nil {
		delete(n.have, name)
	}
	if n.changed != nil {
		n.changed(name, w)
	}
}

// drop takes a name away, if it is still w's.
func (n *names) drop(name string, w *watch) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.have[name] == w {
		n.set(name, nil)
	}
}

// remove takes a name away, whoever has it.
func (n *names) remove(name string) {
	n.mu.Lock()
	w := n.have[name]
	if w != nil {
		n.set(name, nil)
	}
	n.mu.Unlock()
	if w != nil {
		w.stop()
	}
}

func (n *names) all() map[string]*watch {
	n.mu.Lock()
	defer n.mu.Unlock()
	return maps.Clone(n.have)
}
