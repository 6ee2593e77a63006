package session_test

import (
	"context"
	"net"

	"github.com/ringwire/ringwire/transport"
)

// zeroNet is a memNet whose accepted connections return 0, nil from every
// other Read.
type zeroNet struct{ *memNet }

func (z *zeroNet) Listen(ctx context.Context, address string, o *transport.Options) (transport.Listener, error) {
	l, err := z.memNet.Listen(ctx, address, o)
	return zeroListener{l}, err
}

type zeroListener struct{ transport.Listener }

func (l zeroListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &zeroConn{Conn: c}, nil
}

type zeroConn struct {
	net.Conn
	reads int // owned by the reader
}

func (c *zeroConn) Read(p []byte) (int, error) {
	if c.reads++; c.reads%2 == 0 {
		return 0, nil
	}
	return c.Conn.Read(p)
}
