// Package transport says what carries bytes between two sockets, and how an
// endpoint is spelled.
//
// An endpoint is "scheme://address". The scheme chooses a [Transport], the
// address belongs to that transport alone: this package splits the two and
// looks no further. A [Stream] moves bytes over a [net.Conn]; its sub-packages
// tcp and ipc are two of them, and an application may bring its own, which
// package transporttest can check.
//
// The package refuses to do anything else: it frames nothing, retries nothing,
// starts no goroutine and keeps no registry. Start reading at [Stream].
package transport

import (
	"context"
	"net"
)

// Transport is one way to reach a peer, known by the scheme of its endpoints.
//
// A transport that moves bytes also implements [Stream]. Implementations are
// values without mutable state, or safe for concurrent use.
type Transport interface {
	// Scheme is what stands before "://", in lower case: "tcp", "ipc".
	Scheme() string
}

// Stream is a transport that moves bytes.
//
// Addresses are endpoints without "scheme://". All methods are safe for
// concurrent use, and a nil *Options means all defaults. Dial and Listen
// refuse whatever Check refuses, with the same error.
type Stream interface {
	Transport

	// Check looks at the syntax of an address, for binding or for
	// connecting, without any I/O: no name is resolved and no file is
	// touched. The error is an [*EndpointError] that names the wrong part
	// and what is accepted. A nil error promises only that the address can
	// be read, not that it exists.
	Check(address string, bind bool) error

	// Dial makes one attempt to connect and returns when it has succeeded,
	// has failed, or ctx is done; it resolves names again each time and never
	// retries. The caller owns the connection. ctx governs the attempt only:
	// cancelling it later leaves the connection alone.
	Dial(ctx context.Context, address string, opts *Options) (net.Conn, error)

	// Listen starts accepting connections at the address and returns at once.
	// An address in use is an error that wraps syscall.EADDRINUSE. ctx
	// governs the call only, not the listener. The caller owns the listener.
	Listen(ctx context.Context, address string, opts *Options) (Listener, error)
}

// EndTeller is what a connection of a Stream may implement that can tell that the
// peer has ended it, while bytes that came before are not read yet. A socket whose
// queue is full asks, to keep messages in order over reconnects. Connections of the
// operating system need not.
type EndTeller interface {
	PeerClosed() bool
}

// Encrypter is what a Stream may implement that can tell that its connections are
// encrypted and its servers verified: a socket then counts them as secure, whatever
// its mechanism.
type Encrypter interface {
	Encrypts() bool
}

// Authenticated is what a connection of a Stream may implement that verifies its
// peer by itself, as TLS does: the certificate (DER) and a name for the peer, both
// empty if it was not verified. A socket asks when the first bytes have been
// exchanged, and tells its Authenticator; see ringwire.Credentials.
type Authenticated interface {
	PeerCertificate() (der []byte, name string)
}

// Listener accepts the connections of one bound address.
//
// Accept may be called by several goroutines. An error of Accept other than
// net.ErrClosed, such as too many open files, leaves the listener alive: the
// caller waits a little and calls Accept again. Close wakes every Accept with
// an error that is net.ErrClosed and leaves accepted connections alone; a
// second Close returns such an error too.
type Listener interface {
	net.Listener

	// Endpoint is the address that the listener really has, without
	// "scheme://": wildcards and port 0 are replaced by what was chosen, as
	// in "127.0.0.1:40123", "[::]:5555", "/tmp/x" or "@name". Dial accepts it.
	Endpoint() string
}
