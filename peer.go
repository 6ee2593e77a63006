package ringwire

import "github.com/ringwire/ringwire/internal/msg"

// Peer names one remote socket for as long as it is attached: a connecting
// endpoint keeps its Peer across reconnects, an accepted connection has its
// own. Peers are comparable; the zero Peer is nobody.
type Peer struct{ p *msg.Peer }

// IsZero reports whether p names nobody.
func (p Peer) IsZero() bool { return p.p == nil }

// ID is a number that is unique among the peers of this process, never 0.
func (p Peer) ID() uint64 {
	if p.p == nil {
		return 0
	}
	return p.p.ID
}

// Principal is who the Authenticator of the socket said that the peer is, when its
// present or last connection was made; empty if nobody was asked.
func (p Peer) Principal() string { return p.p.Principal() }

// String is the number of the peer, for logs.
func (p Peer) String() string { return p.p.String() }

// WrapPeer is for the packages of this module: it makes the public handle.
func WrapPeer(p *msg.Peer) Peer { return Peer{p} }

// UnwrapPeer is for the packages of this module: it opens the public handle.
func UnwrapPeer(p Peer) *msg.Peer { return p.p }
