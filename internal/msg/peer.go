package msg

import (
	"strconv"
	"sync/atomic"
)

// Peer is who a message came from. It is made once per pipe end, so that messages
// can carry the pointer.
type Peer struct {
	ID uint64

	principal atomic.Pointer[string] // who it was last proven to be; nil: nobody asked
}

// SetPrincipal notes who the peer was proven to be.
func (p *Peer) SetPrincipal(name string) {
	if name != "" || p.principal.Load() != nil {
		p.principal.Store(&name)
	}
}

// Principal is who the peer was proven to be.
func (p *Peer) Principal() string {
	if p == nil {
		return ""
	}
	if name := p.principal.Load(); name != nil {
		return *name
	}
	return ""
}

var lastPeer atomic.Uint64

// NewPeer makes a peer with a number of its own.
func NewPeer() *Peer { return &Peer{ID: lastPeer.Add(1)} }

func (p *Peer) String() string {
	if p == nil {
		return "none"
	}
	return strconv.FormatUint(p.ID, 10)
}
