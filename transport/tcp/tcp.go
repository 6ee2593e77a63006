// Package tcp moves bytes over TCP, in the endpoint grammar of ZeroMQ.
//
//	bind    tcp://IFACE:PORT        IFACE = * | IPv4 | [IPv6] | [IPv6%zone] | interface | hostname
//	                                PORT  = number | * | 0     (* and 0: the system chooses)
//	connect tcp://[SRC;]HOST:PORT   HOST  = hostname | IPv4 | [IPv6] | [IPv6%zone], PORT = 1 to 65535
//	                                SRC   = IFACE:PORT without hostname: where the connection comes from
//
// "*" listens on IPv4 and IPv6 with one socket, or on IPv4 alone when NoIPv6 is
// set or the system has no IPv6; "[::]" does the same but insists on IPv6, and
// "0.0.0.0" is IPv4 alone. An interface stands for its first IPv4 address, else
// its first IPv6 address, global before link-local. On a bind an interface is
// looked for before a hostname, and a hostname stands for its first IPv4
// address, else its first IPv6 address.
//
// Nagle's algorithm is off and keep-alive is on. The package refuses to be
// lenient about ports (decimal digits only, at most 65535), to accept an IPv6
// address without brackets, and to hand out a connection that met itself. It
// knows no proxy and no TLS. Start reading at [Transport].
package tcp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"

	"github.com/ringwire/ringwire/transport"
)

// ErrSelfConnect is wrapped by the error of a Dial that met itself: dialing a
// port of the ephemeral range on this machine while nobody listens there, the
// system may choose that very port as the source, and TCP then connects the
// socket to itself. The connection is gone and its port free when Dial
// returns; trying again is right.
var ErrSelfConnect = errors.New("tcp: connected to itself")

// Transport is TCP. The zero value is ready, and it has no state.
//
// Dial returns a *net.TCPConn, and so does Accept of a listener.
type Transport struct{}

var _ transport.Stream = Transport{}

// Scheme is "tcp".
func (Transport) Scheme() string { return "tcp" }

// Check looks at the syntax of an address and does no I/O: whether an
// interface, a zone or a host exists is not looked at. The error is a
// [*transport.EndpointError].
func (Transport) Check(address string, bind bool) error {
	_, err := parse(address, bind)
	return err
}

// Dial makes one attempt. All addresses of a name are tried, IPv6 and IPv4 in
// parallel (RFC 8305) unless a source port forbids it, until one answers or
// ctx is done.
//
// A source interface stands for its address of the same family as an address
// dialed, and for its first address when a name is dialed. A source port may
// be bound again while earlier connections from it linger (SO_REUSEADDR, on
// Unix). The error of a connection that met itself wraps [ErrSelfConnect].
func (Transport) Dial(ctx context.Context, address string, opts *transport.Options) (net.Conn, error) {
	parsed, err := parse(address, false)
	if err != nil {
		return nil, err
	}
	options, err := complete(opts)
	if err != nil {
		return nil, err
	}
	if err := checkFamily(parsed.ip, &options); err != nil {
		return nil, fmt.Errorf("dial tcp %s: %w", address, err)
	}
	sourced := parsed.source != nil && parsed.source.port != 0
	dialer := net.Dialer{
		KeepAlive: options.KeepAlive,
		Resolver:  options.Resolver,
		ControlContext: func(_ context.Context, _, _ string, conn syscall.RawConn) error {
			return control(conn, func(fd uintptr) error {
				if sourced {
					if err := setReuse(fd); err != nil {
						return fmt.Errorf("share source port: %w", err)
					}
				}
				return applyNew(fd, &options)
			})
		},
	}
	if sourced {
		dialer.FallbackDelay = -1 // two attempts at once cannot both have the port
	}
	if parsed.source != nil {
		local, err := sourceAddr(parsed, &options)
		if err != nil {
			return nil, fmt.Errorf("dial tcp %s: %w", address, err)
		}
		dialer.LocalAddr = local
	}
	network := "tcp"
	if options.NoIPv6 {
		network = "tcp4"
	}
	conn, err := dialer.DialContext(ctx, network, net.JoinHostPort(parsed.host, strconv.Itoa(int(parsed.port))))
	if err != nil {
		return nil, err
	}
	return refuseSelf(conn)
}

// refuseSelf closes a connection whose two ends are one. It is reset instead of
// closed in order, which would keep the port busy for a minute (TIME_WAIT) and
// the listener that should have been there out.
func refuseSelf(conn net.Conn) (net.Conn, error) {
	local, _ := conn.LocalAddr().(*net.TCPAddr)
	remote, _ := conn.RemoteAddr().(*net.TCPAddr)
	if local == nil || remote == nil || local.Port != remote.Port || local.Zone != remote.Zone || !local.IP.Equal(remote.IP) {
		return conn, nil
	}
	if stream, ok := conn.(*net.TCPConn); ok {
		stream.SetLinger(0) // best effort: without it the port is only free later
	}
	conn.Close()
	return nil, fmt.Errorf("dial tcp %s: %w", remote, ErrSelfConnect)
}
