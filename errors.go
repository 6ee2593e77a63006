package ringwire

import (
	"errors"
	"fmt"
	"net"
)

// Sentinel errors; test with errors.Is. Besides these, a call can return the
// error of its context, errors.ErrUnsupported (the call or option does not
// exist for that socket type, or in this version), a *transport.EndpointError
// (a wrong endpoint), an error of the operating system, and errors that only
// say what was wrong with an argument.
var (
	// ErrClosed is returned by every call on a socket that was closed, also by
	// calls that were blocked when Close happened. It is also net.ErrClosed.
	ErrClosed error = closedError{}

	// ErrAgain is returned by TrySend and TryRecv when the call would have to
	// wait. Nothing was sent or taken. (libzmq: EAGAIN.)
	ErrAgain = errors.New("ringwire: would block")

	// ErrState is returned when a call is out of turn: a second Send of a REQ
	// before the reply, a second Recv of a REP before its Send (which it needs
	// even when the requester has gone), an Unsubscribe without Subscribe, a
	// SubscribePeer without the option XPubManual. (libzmq: EFSM.)
	ErrState = errors.New("ringwire: call not possible in the current state of the socket")

	// ErrHostUnreachable is returned by a ROUTER's Send when no peer has the
	// identity in the first frame, and by SendTo, DisconnectPeer and SubscribePeer
	// when the peer is gone. (libzmq: EHOSTUNREACH.)
	ErrHostUnreachable = errors.New("ringwire: no peer with that identity")

	// ErrTooLarge is returned for a subscription over the limit, and is the
	// cause of the receiver's event when a peer sent too large a message. The
	// sender only sees that the connection ends.
	ErrTooLarge = errors.New("ringwire: message too large")

	// ErrProtocol is the cause of the event that is raised when a peer broke
	// the ZeroMQ message transport protocol. No Send or Recv returns it.
	ErrProtocol = errors.New("ringwire: protocol violation")

	// ErrRejected is the cause of the event when we refused a peer: the socket
	// type does not fit, the identity is taken, a PAIR has its peer, the
	// connection limit is reached. It is also the cause of WaitPeers' error
	// when the handshake shows that a peer does not fit or does not want us. A
	// peer can also refuse us after the handshake, without a reason: then we
	// see Ready followed by Disconnected.
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
