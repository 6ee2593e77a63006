package ringwire

import (
	"errors"
	"fmt"
	"net"
)

// Sentinel errors. Every error that a socket returns wraps one of these, a
// context error, or an error of the operating system; test with errors.Is.
var (
	// ErrClosed is returned by every call on a socket that was closed, also by
	// calls that were blocked when Close happened. It is also net.ErrClosed.
	ErrClosed error = closedError{}

	// ErrAgain is returned by TrySend and TryRecv when the call would have to
	// wait. Nothing was sent or taken. (libzmq: EAGAIN.)
	ErrAgain = errors.New("ringwire: would block")

	// ErrState is returned when a REQ or REP socket is used out of turn: a
	// second Send before the reply, a Recv before the request. (libzmq: EFSM.)
	ErrState = errors.New("ringwire: call not possible in the current state of the socket")

	// ErrHostUnreachable is returned by a ROUTER's Send when no peer has the
	// identity in the first frame. (libzmq: EHOSTUNREACH.)
	ErrHostUnreachable = errors.New("ringwire: no peer with that identity")

	// ErrTooLarge is returned for a message over the limit on its bytes or
	// frames, and is the cause of the event when a peer sent one.
	ErrTooLarge = errors.New("ringwire: message too large")

	// ErrProtocol is the cause of the event that is raised when a peer broke
	// the ZeroMQ message transport protocol. No Send or Recv returns it.
	ErrProtocol = errors.New("ringwire: protocol violation")

	// ErrRejected is the cause of the event, and of WaitPeers' error, when a
	// peer was refused or refused us: the socket type does not fit, the
	// identity is taken, the connection limit is reached.
	ErrRejected = errors.New("ringwire: peer rejected")

	// ErrNoReceipt is returned by Confirm when a peer cannot prove what it
	// has received.
	ErrNoReceipt = errors.New("ringwire: no receipt from peer")
)

// closedError makes ErrClosed match net.ErrClosed too.
type closedError struct{}

func (closedError) Error() string        { return "ringwire: socket closed" }
func (closedError) Is(target error) bool { return target == net.ErrClosed }

// OpError says which operation failed on which endpoint. Socket methods
// return it as a pointer; Unwrap gives the cause.
type OpError struct {
	Op       string // "send", "recv", "bind", ...
	Endpoint string // empty when the operation is not about one endpoint
	Err      error
}

func (e *OpError) Error() string {
	if e.Endpoint == "" {
		return e.Op + ": " + e.Err.Error()
	}
	return e.Op + " " + e.Endpoint + ": " + e.Err.Error()
}

func (e *OpError) Unwrap() error { return e.Err }

// UnsentError is returned by Close and Shutdown when messages that a Send had
// accepted were thrown away because the time to deliver them was over.
type UnsentError struct {
	Messages int64 // messages of which the kernel had not taken every byte
	Bytes    int64 // their size as SendHWMBytes counts it: with frame headers on a connection, without over inproc
}

func (e *UnsentError) Error() string {
	return fmt.Sprintf("ringwire: closed with %d unsent messages (%d bytes)", e.Messages, e.Bytes)
}
