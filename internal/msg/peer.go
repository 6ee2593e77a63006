package msg

import (
	"strconv"
	"sync/atomic"
)

// Peer is who a message came from. It is made once per pipe end and never
// changed, so that messages can carry the pointer.
type Peer struct {
	ID uint64
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
