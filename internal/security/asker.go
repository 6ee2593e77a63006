package security

import (
	"errors"

	"github.com/ringwire/ringwire"
)

// Asker is a Conn whose peer must be let in by somebody. After each step the
// session asks Pending; while the machine stands still it reads nothing more.
type Asker interface {
	Conn

	// Pending reports whether the machine waits for a verdict, and about whom.
	// The credentials have no address: the session knows it.
	Pending() (ringwire.Credentials, bool)

	// Verdict is the answer, and a step like any other: it appends the frames
	// to send, and an error ends the connection after them.
	Verdict(dst []byte, v ringwire.Verdict) ([]byte, error)
}

// Explainer is a Conn that can say what it may mean if the peer ends the connection,
// or says nothing more, at this point of the handshake: a CURVE server does not tell
// a client what is wrong with its key.
type Explainer interface {
	Conn

	// Explain is empty if there is nothing to say.
	Explain() string
}

// DeniedReason is what a peer is told that is not let in: the status code of a
// ZAP handler that says no, which libzmq's monitor shows (RFC 27).
const DeniedReason = "400"

var errUnasked = errors.New("security: a verdict for a connection that does not wait for one")
