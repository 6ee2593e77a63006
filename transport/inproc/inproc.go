// Package inproc is the namespace in which sockets of one process find each
// other by name. No bytes move here: a socket that connects hands one of its
// pipe ends to the socket that is bound, and from then on their rings carry
// the messages.
//
// Connecting before the name is bound is allowed, and whoever connected is
// served when it is.
package inproc

import (
	"fmt"
	"sync"
	"syscall"

	"github.com/ringwire/ringwire/internal/pipe"
	"github.com/ringwire/ringwire/transport"
)

// MaxName is the longest name, in bytes.
const MaxName = 256

// Default is the namespace that all sockets of the process share unless their
// options say otherwise.
var Default = new(Network)

// Network is a namespace. The zero Network is empty and usable; put a pointer
// to one of your own into Options.Transports for names that nobody else sees.
type Network struct {
	mu      sync.Mutex
	bound   map[string]Binder
	waiting map[string][]Connector
}

// Binder is a socket that is bound to a name.
type Binder interface {
	// Join gives the end of a connecting socket its other side.
	Join(from *pipe.End, socketType string, identity []byte) (*pipe.End, error)
}

// Connector is a socket that connects to a name.
type Connector interface {
	// Found says that the name is bound. It may come more than once, on any
	// goroutine.
	Found(b Binder)
}

// Scheme is "inproc".
func (n *Network) Scheme() string { return "inproc" }

// Check looks at the syntax of a name: 1 to MaxName bytes.
func (n *Network) Check(name string) error {
	if len(name) > MaxName {
		return &transport.EndpointError{Endpoint: "inproc://" + name, Part: "name",
			Reason: fmt.Sprintf("has %d bytes, want at most %d", len(name), MaxName)}
	}
	return nil
}

// Bind makes b the one that is bound to name, and has everybody who waits for
// it find b. A name in use is an error that wraps syscall.EADDRINUSE.
func (n *Network) Bind(name string, b Binder) error {
	n.mu.Lock()
	if n.bound[name] != nil {
		n.mu.Unlock()
		return fmt.Errorf("the name is bound: %w", syscall.EADDRINUSE)
	}
	if n.bound == nil {
		n.bound = make(map[string]Binder)
	}
	n.bound[name] = b
	waiting := n.waiting[name]
	delete(n.waiting, name)
	n.mu.Unlock()
	for _, c := range waiting {
		c.Found(b)
	}
	return nil
}

// Unbind frees the name, if b is bound to it. Pipes stay.
func (n *Network) Unbind(name string, b Binder) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.bound[name] == b {
		delete(n.bound, name)
	}
}

// Connect has c find whoever is bound to name, now or later.
func (n *Network) Connect(name string, c Connector) {
	n.mu.Lock()
	b := n.bound[name]
	if b == nil {
		n.wait(name, c)
	}
	n.mu.Unlock()
	if b != nil {
		c.Found(b)
	}
}

// Wait has c find whoever binds name next. If somebody else than refused is
// bound to it already, it returns that one instead.
func (n *Network) Wait(name string, c Connector, refused Binder) Binder {
	n.mu.Lock()
	defer n.mu.Unlock()
	if b := n.bound[name]; b != nil && b != refused {
		return b
	}
	n.wait(name, c)
	return nil
}

func (n *Network) wait(name string, c Connector) {
	if n.waiting == nil {
		n.waiting = make(map[string][]Connector)
	}
	n.waiting[name] = append(n.waiting[name], c)
}

// Cancel makes c stop waiting.
func (n *Network) Cancel(name string, c Connector) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for i, x := range n.waiting[name] {
		if x != c {
			continue
		}
		list := n.waiting[name]
		list[i] = list[len(list)-1]
		list[len(list)-1] = nil
		if n.waiting[name] = list[:len(list)-1]; len(list) == 1 {
			delete(n.waiting, name)
		}
		return
	}
}
