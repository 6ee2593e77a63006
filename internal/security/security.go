// Package security has the mechanisms that ZMTP connections begin with, as
// pure state machines: command bodies in, command frames out. It does no I/O,
// starts no goroutine, looks at no clock and calls no user code; the session
// does those things for it.
//
// A socket is configured with a Mechanism, which makes one Conn per
// connection. The session calls Start when the greetings agree, then Handle
// for each command until Done. From then on the connection carries messages:
// as they are if Clear, else through Seal and Open.
//
// What the seam is cut for:
//
//   - The roles of client and server belong to the Mechanism value, because
//     libzmq takes them from options and ignores the as-server byte of the
//     greeting. A client's Start sends HELLO, a server's Start sends nothing;
//     keys, user names and the source of randomness are the Mechanism's as
//     well, so New needs no more arguments.
//   - Each step answers with any number of frames, which go out even if the
//     step also made the connection Done (CURVE's server sends READY and is
//     done). When a step returns an error too, the frames are what the peer
//     must still be told (PLAIN's server sends ERROR), and the connection
//     ends after them.
//   - The verdict of an authenticator takes time, and a state machine does
//     not wait: see Asker. While it is pending the session reads nothing more,
//     so that no machine needs a queue, and the handshake's deadline goes on.
//   - Sealing turns one whole frame into one whole frame, because CURVE hides
//     the flags too and numbers every frame. PING, SUBSCRIBE and other
//     commands of a sealed connection come out of Open with zmtp.FlagCommand;
//     whatever bits a mechanism uses inside its box, the seam has the flags
//     of zmtp only.
//   - Peer gives what the peer said of itself and nothing else. Who it was
//     proven to be is the Verdict's Principal, so that a peer cannot spoof it
//     by a property of that name.
//
// Start reading at Conn, then null.go.
package security

import (
	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/zmtp"
)

// DefaultHandshakeBytes is the limit that zero Limits stand for. libzmq's
// handshake commands are below 1 KiB unless the application adds metadata.
const DefaultHandshakeBytes = 64 << 10

// Limits bounds what a handshake may cost.
type Limits struct {
	// HandshakeBytes is the most bytes of command bodies that a peer may send
	// before the connection is done, all commands together. Own commands keep
	// to it too, since a peer of our kind has the same limit. Zero means
	// DefaultHandshakeBytes.
	HandshakeBytes int
}

func (l Limits) handshakeBytes() int {
	if l.HandshakeBytes == 0 {
		return DefaultHandshakeBytes
	}
	return l.HandshakeBytes
}

// Mechanism is what a socket is configured with. It is immutable and safe for
// use by many connections at once.
type Mechanism interface {
	ringwire.Mechanism

	// New makes the state of one connection. own is what this side tells
	// about itself: New keeps it and nobody may change it. Metadata that
	// cannot be sent is an error of Start.
	New(own zmtp.Metadata, limits Limits) Conn
}

// Conn is one connection's mechanism, a state machine that is owned by one
// goroutine at a time. After any error the connection is of no more use: what
// was appended to dst is still to be sent, then it is closed, and every later
// step is an error.
//
// Errors of Handle and Open that the peer caused wrap ringwire.ErrProtocol,
// ringwire.ErrTooLarge beyond a limit, or ringwire.ErrRejected if the peer
// refused us. An error of Start or Seal is a mistake on this side.
type Conn interface {
	// Start appends the command frames to send right after the greetings
	// agreed, which may be none. It is called once, before Handle.
	Start(dst []byte) ([]byte, error)

	// Handle takes the body of one command frame from the peer and appends
	// the frames that answer it. It keeps nothing of command. It is for the
	// handshake: once Done, commands are the session's, except that on a
	// Clear connection ERROR may still be given to it for its reason. (A
	// message frame before Done is a violation that the session sees without
	// asking.)
	Handle(dst []byte, command []byte) ([]byte, error)

	// Done reports whether both directions are open: messages may be sent,
	// and the next frame from the peer is traffic.
	Done() bool

	// Peer returns the peer's properties once Done, nil before. They are
	// copies and must not be changed.
	Peer() zmtp.Metadata

	// Clear reports whether frames travel as they are. It is constant for a
	// Conn. If true, Seal and Open are errors.
	Clear() bool

	// Seal appends the sealed wire form, header and all, of one plain frame with
	// zmtp.FlagMore and zmtp.FlagCommand as they apply. Frames are sealed in the
	// order in which they are sent. dst and body must not overlap.
	Seal(dst []byte, flags byte, body []byte) ([]byte, error)

	// Open takes the body of one sealed frame, whose outer flags do not count
	// (libzmq seals into messages, RFC 37 says commands), and appends the
	// plain body: it is out[len(dst):]. flags are zmtp.FlagMore and
	// zmtp.FlagCommand of the frame inside. The size of the body bounds that
	// of the plain one, so the caller's limit on frames is checked before.
	// dst and body must not overlap.
	Open(dst, body []byte) (out []byte, flags byte, err error)
}
