package tcp

import (
	"context"
	"fmt"
	"net"
	"syscall"

	"github.com/ringwire/ringwire/transport"
)

// Listen binds and listens. The address is reusable at once after a listener
// has gone (SO_REUSEADDR on Unix); an address in use is an error that wraps
// syscall.EADDRINUSE. ctx bounds the resolution of a hostname.
func (Transport) Listen(ctx context.Context, address string, opts *transport.Options) (transport.Listener, error) {
	parsed, err := parse(address, true)
	if err != nil {
		return nil, err
	}
	options, err := complete(opts)
	if err != nil {
		return nil, err
	}
	network, literal, err := bindAddr(ctx, &parsed.place, &options)
	if err != nil {
		return nil, fmt.Errorf("listen tcp %s: %w", address, err)
	}
	config := net.ListenConfig{
		KeepAlive: options.KeepAlive,
		Control: func(_, _ string, conn syscall.RawConn) error {
			return control(conn, func(fd uintptr) error { return applyNew(fd, &options) })
		},
	}
	// Multipath TCP, which Go listeners use by default, takes neither all the
	// options above nor TCP_INFO on an accepted connection.
	config.SetMultipathTCP(false)
	bare, err := config.Listen(ctx, network, literal)
	if err != nil {
		return nil, markInUse(err)
	}
	l := &listener{tcp: bare.(*net.TCPListener), options: options, endpoint: bare.Addr().String()}
	if err := l.setBacklog(); err != nil {
		l.tcp.Close()
		return nil, fmt.Errorf("listen tcp %s: %w", address, err)
	}
	return l, nil
}

// listener hands out connections that carry the options. All fields are
// immutable after Listen.
type listener struct {
	tcp      *net.TCPListener
	options  transport.Options
	endpoint string
}

// Accept returns a *net.TCPConn. A connection that the options cannot be set on
// is closed and passed over: the listener itself took them, so its peer has
// already left (some systems then refuse to set anything).
func (l *listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.tcp.AcceptTCP()
		if err != nil {
			return nil, err
		}
		if err := applyAccepted(conn, &l.options); err != nil {
			conn.Close()
			continue
		}
		return conn, nil
	}
}

func (l *listener) Close() error     { return l.tcp.Close() }
func (l *listener) Addr() net.Addr   { return l.tcp.Addr() }
func (l *listener) Endpoint() string { return l.endpoint }

// setBacklog listens a second time, because package net offers no way to say
// how long the queue is; the first call used the system's maximum.
func (l *listener) setBacklog() error {
	if l.options.Backlog == 0 {
		return nil
	}
	conn, err := l.tcp.SyscallConn()
	if err != nil {
		return err
	}
	return control(conn, func(fd uintptr) error {
		if err := setBacklog(fd, l.options.Backlog); err != nil {
			return fmt.Errorf("option Backlog: %w", err)
		}
		return nil
	})
}
