package security

import (
	"errors"
	"fmt"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/zmtp"
)

var (
	errStartedTwice = errors.New("security: Start was called twice on a NULL connection")
	errClear        = errors.New("security: frames of a NULL connection travel as they are, Seal and Open do not apply")
)

// Null is the NULL mechanism: no authentication, no encryption. It is
// symmetric as in libzmq: each side sends READY at once and waits for the
// other's. (RFC 37 lets the client speak first; two sides that both wait
// would wait for ever.)
type Null struct{}

// Name is "NULL".
func (Null) Name() string { return "NULL" }

// New makes the state of one connection.
func (Null) New(own zmtp.Metadata, limits Limits) Conn {
	return &null{own: own, limit: limits.handshakeBytes()}
}

// null is one NULL connection. Its two halves, started and ready, are
// independent: the peer's READY may be handled before Start.
type null struct {
	own     zmtp.Metadata // immutable after New
	limit   int           // bytes of one READY, which is all that a handshake has; immutable after New
	started bool          // our READY was made
	ready   bool          // the peer's READY was accepted
	failed  bool          // a step returned an error
	peer    zmtp.Metadata
}

func (n *null) Start(dst []byte) ([]byte, error) {
	if n.started {
		n.failed = true
		return dst, errStartedTwice
	}
	n.started = true
	data, err := zmtp.AppendMetadata(nil, n.own)
	if err == nil && commandSize(zmtp.CommandReady, data) > n.limit {
		err = fmt.Errorf("%d bytes of metadata, want at most %d: %w",
			len(data), max(0, n.limit-commandSize(zmtp.CommandReady, nil)), ringwire.ErrTooLarge)
	}
	if err != nil {
		n.failed = true
		return dst, fmt.Errorf("make own READY: %w", err)
	}
	return zmtp.AppendCommand(dst, zmtp.CommandReady, data), nil
}

func (n *null) Handle(dst []byte, command []byte) ([]byte, error) {
	if err := n.handle(command); err != nil {
		n.failed = true
		return dst, err
	}
	return dst, nil // NULL answers nothing: our READY went out at Start
}

func (n *null) handle(command []byte) error {
	if n.failed {
		return fmt.Errorf("command after the NULL handshake failed: %w", ringwire.ErrProtocol)
	}
	if len(command) > n.limit {
		return fmt.Errorf("handshake command of %d bytes, want at most %d: %w",
			len(command), n.limit, ringwire.ErrTooLarge)
	}
	name, data, err := zmtp.ParseCommand(command)
	if err != nil {
		return fmt.Errorf("NULL handshake: %w", err)
	}
	switch string(name) {
	case zmtp.CommandError:
		reason, err := zmtp.ParseError(data)
		if err != nil {
			return fmt.Errorf("NULL handshake: %w", err)
		}
		// Not %q: ParseError has escaped the reason already.
		return fmt.Errorf("peer answered with ERROR \"%s\": %w",
			reason, ringwire.ErrRejected)
	case zmtp.CommandReady:
		if n.ready {
			return fmt.Errorf("second READY, want one per connection: %w", ringwire.ErrProtocol)
		}
		if n.peer, err = zmtp.ParseMetadata(data, len(data)); err != nil {
			return fmt.Errorf("READY: %w", err)
		}
		n.ready = true
		return nil
	default:
		return fmt.Errorf("command %q in the NULL handshake, want READY or ERROR: %w",
			name, ringwire.ErrProtocol)
	}
}

// commandSize is the size of a command's body.
func commandSize(name string, data []byte) int { return 1 + len(name) + len(data) }

func (n *null) Done() bool { return n.started && n.ready && !n.failed }

func (n *null) Peer() zmtp.Metadata {
	if !n.Done() {
		return nil
	}
	return n.peer
}

func (n *null) Clear() bool { return true }

func (n *null) Seal(dst []byte, _ byte, _ []byte) ([]byte, error) { return dst, errClear }

func (n *null) Open(dst, _ []byte) ([]byte, byte, error) { return dst, 0, errClear }
