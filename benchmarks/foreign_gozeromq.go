package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"sync"
	"time"

	"github.com/go-zeromq/zmq4"
	"github.com/go-zeromq/zmq4/transport"
)

// goZeroMQLibrary speaks ZMTP in Go.
var goZeroMQLibrary = &foreign{
	name:     "go-zeromq",
	schemes:  []string{"tcp", "ipc"},
	patterns: []string{pushPull, reqRep},
	begin:    beginGoZeroMQ,
}

var goZeroMQKinds = map[string]func(context.Context, ...zmq4.Option) zmq4.Socket{
	"PUSH": zmq4.NewPush, "PULL": zmq4.NewPull, "REQ": zmq4.NewReq, "REP": zmq4.NewRep,
}

// goZeroMQDial is the time between two attempts to connect.
const goZeroMQDial = 20 * time.Millisecond

// goZeroMQRoom is nothing: all its connections go through the system.
type goZeroMQRoom struct{}

// beginGoZeroMQ registers the transports that tell us of connections.
func beginGoZeroMQ() (foreignRoom, error) { return goZeroMQRoom{}, watchedTransports() }

var watchedTransports = sync.OnceValue(func() error {
	return errors.Join(
		zmq4.RegisterTransport("watched-tcp", watchedTransport{transport.New("tcp")}),
		zmq4.RegisterTransport("watched-ipc", watchedTransport{transport.New("unix")}))
})

func (goZeroMQRoom) end() error { return nil }

func (goZeroMQRoom) open(ctx context.Context, p plug) (foreignLink, string, error) {
	l := &goZeroMQLink{plug: p, gone: make(chan struct{})}
	l.ctx, l.cancel = context.WithCancelCause(context.WithValue(ctx, watcher{}, l))
	l.socket = goZeroMQKinds[p.kind](l.ctx,
		zmq4.WithLogger(log.New(io.Discard, "", 0)), // else it writes to stderr when a peer goes
		zmq4.WithDialerRetry(goZeroMQDial), zmq4.WithDialerMaxRetries(-1))
	l.stop = context.AfterFunc(ctx, func() { l.shut() })
	if !p.bind {
		return l, p.endpoint, nil
	}
	if err := l.socket.Listen("watched-" + p.endpoint); err != nil {
		l.close()
		return nil, "", fmt.Errorf("bind %s: go-zeromq: %w", p.endpoint, err)
	}
	if a, ok := l.socket.Addr().(*net.TCPAddr); ok {
		return l, "tcp://" + a.String(), nil
	}
	return l, p.endpoint, nil
}

// goZeroMQLink is one socket.
type goZeroMQLink struct {
	socket zmq4.Socket
	plug   plug
	ctx    context.Context // of the socket and its connections
	cancel context.CancelCauseFunc
	stop   func() bool // ends watching the context it was opened with

	gone chan struct{} // closed when a peer has gone
	lost sync.Once

	end      sync.Once
	closeErr error
}

// ready connects, and returns after the handshake.
func (l *goZeroMQLink) ready() error {
	if l.plug.bind {
		return nil
	}
	if err := l.socket.Dial("watched-" + l.plug.endpoint); err != nil {
		return fmt.Errorf("connect %s: go-zeromq: %w", l.plug.endpoint, err)
	}
	return nil
}

// send need not copy: PUSH and REQ have written b when Send returns. REP has
// not, but what it sends here is what recv returned, which is nobody else's.
func (l *goZeroMQLink) send(b []byte) error { return l.socket.Send(zmq4.NewMsg(b)) }

func (l *goZeroMQLink) recv() ([]byte, error) {
	m, err := l.socket.Recv()
	if err != nil {
		return nil, err
	}
	if n := len(m.Frames); n != 1 {
		return nil, fmt.Errorf("got a message of %d frames, want 1", n)
	}
	return m.Frames[0], nil
}

// settle waits for the peer to go where the last message may not be written:
// see send.
func (l *goZeroMQLink) settle() error {
	if l.plug.kind != "REP" {
		return nil
	}
	select {
	case <-l.gone:
		return nil
	case <-l.ctx.Done():
		return context.Cause(l.ctx)
	}
}

func (l *goZeroMQLink) peerGone() <-chan struct{} { return l.gone }

func (l *goZeroMQLink) close() error {
	l.stop()
	return l.shut()
}

// shut ends whatever the link is doing.
func (l *goZeroMQLink) shut() error {
	l.end.Do(func() {
		l.closeErr = l.socket.Close()
		l.cancel(errLinkClosed)
	})
	return l.closeErr
}

// watcher is the key of the link in the context of its connections.
type watcher struct{}

// watchedTransport closes connections when the socket ends, in the middle of
// the handshake, too, and tells the link when a peer has gone.
type watchedTransport struct{ transport.Transport }

func (t watchedTransport) Dial(ctx context.Context, d transport.Dialer, address string) (net.Conn, error) {
	conn, err := t.Transport.Dial(ctx, d, address)
	if err != nil {
		return nil, err
	}
	return watch(ctx, conn), nil
}

func (t watchedTransport) Listen(ctx context.Context, address string) (net.Listener, error) {
	listener, err := t.Transport.Listen(ctx, address)
	if err != nil {
		return nil, err
	}
	return &watchedListener{listener, ctx}, nil
}

type watchedListener struct {
	net.Listener
	ctx context.Context
}

func (l *watchedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return watch(l.ctx, conn), nil
}

func watch(ctx context.Context, conn net.Conn) net.Conn {
	return &watchedConn{
		Conn: conn,
		link: ctx.Value(watcher{}).(*goZeroMQLink),
		stop: context.AfterFunc(ctx, func() { conn.Close() }),
	}
}

type watchedConn struct {
	net.Conn
	link *goZeroMQLink
	stop func() bool // ends watching the context
}

func (c *watchedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err != nil {
		c.link.lost.Do(func() { close(c.link.gone) })
	}
	return n, err
}

// Close may come after the end of the context has closed the connection.
func (c *watchedConn) Close() error {
	c.stop()
	if err := c.Conn.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}
