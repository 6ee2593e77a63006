// Package ipc moves bytes between processes of one machine over Unix domain
// stream sockets, in the endpoint grammar of ZeroMQ.
//
//	ipc://PATH    a socket file, absolute or relative to the working directory
//	ipc://@NAME   an abstract name, without a file and without permissions; Linux only
//	ipc://*       bind only: a socket file in a fresh private directory
//
// # Socket files
//
// A bind makes its file with mode 0600: nobody else can connect, not even for
// a moment, since the mode is set before the socket listens (on Linux before
// the file exists). Close removes the file, if it is still the one that the
// bind made (same device and inode), before the socket stops listening.
//
// A file that is in the way is removed only when it is a socket and nobody
// answers there: what a killed process left. A live socket, a regular file, a
// directory or a symbolic link is never touched; the error then wraps
// syscall.EADDRINUSE. Nothing is ever stolen.
//
// # Two binds at once
//
// Making the file, and judging and removing a stale one, happen under an
// exclusive flock on the directory that holds it (on Windows under a lock file
// that its handle deletes). The lock dies with its process and leaves nothing
// behind. So of any number of processes that find the same stale file exactly
// one gets the address, and the others find it alive. When the lock cannot be
// had (a file system without flock, somebody else sitting on it for 5 seconds)
// a bind goes on without it, but then removes nothing. Programs that unlink
// without asking, such as libzmq, do not look at this lock.
//
// # Limits
//
// Where a full backlog refuses connections just as a dead socket does (BSD,
// macOS), a live listener that accepts nothing for 200 milliseconds while
// somebody binds its path looks dead. On Windows there is no mode: who can
// connect is decided by the directory. Start reading at [Transport].
package ipc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strings"

	"github.com/ringwire/ringwire/transport"
)

// Transport is Unix domain sockets. The zero value is ready, and it has no
// state.
//
// Dial returns a *net.UnixConn, and so does Accept of a listener. Of the
// options Backlog (not on Windows), SendBuffer and RecvBuffer have a meaning
// here; the others are ignored.
type Transport struct{}

var _ transport.Stream = Transport{}

// Scheme is "ipc".
func (Transport) Scheme() string { return "ipc" }

// Check looks at the syntax of an address and does no I/O. The error is a
// [*transport.EndpointError]; an abstract name where the system has none also
// wraps errors.ErrUnsupported.
func (Transport) Check(address string, bind bool) error {
	refuse := func(part, reason string, err error) error {
		return &transport.EndpointError{Endpoint: "ipc://" + address, Part: part, Reason: reason, Err: err}
	}
	part := "path"
	if strings.HasPrefix(address, "@") {
		part = "abstract name"
	}
	switch {
	case address == "":
		return refuse(part, "is empty, want "+want(bind), nil)
	case strings.IndexByte(address, 0) >= 0:
		return refuse(part, "contains a NUL byte, want none", nil)
	case len(address) > maxPath:
		return refuse(part, fmt.Sprintf("is %d bytes long, the limit of this system is %d", len(address), maxPath), nil)
	case address == "*" && bind:
		return nil
	case address == "*":
		return refuse(part, "is *, which only a bind can use, want "+want(bind), nil)
	case address[0] == '*':
		return refuse(part, "begins with *, want * alone, or ./ before a file of such a name", nil)
	case address == "@":
		return refuse(part, "is empty, want @ and at least one byte", nil)
	case address[0] == '@' && !abstractNames:
		return refuse(part, "is a thing of Linux, this is "+runtime.GOOS+", want a path", errors.ErrUnsupported)
	}
	return nil
}

func want(bind bool) string {
	if bind {
		return "a path, @name or *"
	}
	return "a path or @name"
}

// Dial makes one attempt. Without a listener it fails at once; on Linux it also
// fails at once, with EAGAIN, when a listener's backlog is full.
func (t Transport) Dial(ctx context.Context, address string, opts *transport.Options) (net.Conn, error) {
	if err := t.Check(address, false); err != nil {
		return nil, err
	}
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", address)
	if err != nil {
		return nil, err
	}
	if err := setBuffers(conn.(*net.UnixConn), opts); err != nil {
		conn.Close()
		return nil, fmt.Errorf("dial ipc %s: %w", address, err)
	}
	return conn, nil
}

// setBuffers is the same for both ends; on a Unix socket nothing is agreed in a
// handshake, so that it need not come first.
func setBuffers(conn *net.UnixConn, opts *transport.Options) error {
	if opts == nil {
		return nil
	}
	if opts.SendBuffer > 0 {
		if err := conn.SetWriteBuffer(opts.SendBuffer); err != nil {
			return fmt.Errorf("option SendBuffer: %w", err)
		}
	}
	if opts.RecvBuffer > 0 {
		if err := conn.SetReadBuffer(opts.RecvBuffer); err != nil {
			return fmt.Errorf("option RecvBuffer: %w", err)
		}
	}
	return nil
}
