package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// netLibrary is the perf tools' side of what netEngine measures: one plain
// connection.
var netLibrary = &foreign{
	name:    "net",
	schemes: []string{"tcp", "ipc"},
	begin:   func() (foreignRoom, error) { return netRoom{}, nil },
}

// netDial is the time between two attempts to connect.
const netDial = 20 * time.Millisecond

// netRoom is nothing: all connections go through the system.
type netRoom struct{}

func (netRoom) end() error { return nil }

func (netRoom) open(ctx context.Context, p plug) (foreignLink, string, error) {
	l := &netPlug{netLink: netLink{duplex: &duplex{}}, ctx: ctx, plug: p}
	bound := p.endpoint
	if p.bind {
		network, address := netAddress(p.endpoint)
		listener, err := (&net.ListenConfig{}).Listen(ctx, network, address)
		if err != nil {
			return nil, "", fmt.Errorf("bind %s: %w", p.endpoint, err)
		}
		l.listener = listener
		if network == "tcp" {
			bound = "tcp://" + listener.Addr().String()
		}
	}
	l.stop = context.AfterFunc(ctx, func() { l.duplex.close() })
	return l, bound, nil
}

// netAddress is an endpoint in Go's words.
func netAddress(endpoint string) (network, address string) {
	network, address, _ = strings.Cut(portZero(endpoint), "://")
	if network == "ipc" {
		return "unix", address
	}
	return network, strings.TrimPrefix(address, "*")
}

// netPlug is a netLink that connects when somebody listens.
type netPlug struct {
	netLink
	ctx  context.Context
	plug plug
	stop func() bool // ends watching ctx
}

func (l *netPlug) ready() error {
	err := l.duplex.ready() // accepts
	if !l.plug.bind {
		err = l.dial()
	}
	if err != nil {
		return err
	}
	l.reader = bufio.NewReaderSize(l.conn, 64<<10)
	return nil
}

func (l *netPlug) dial() error {
	network, address := netAddress(l.plug.endpoint)
	for {
		conn, err := (&net.Dialer{}).DialContext(l.ctx, network, address)
		if err == nil {
			l.mu.Lock()
			defer l.mu.Unlock()
			if l.conn = conn; l.closed {
				conn.Close()
				return errLinkClosed
			}
			return nil
		}
		if err := sleep(l.ctx, netDial); err != nil {
			return err
		}
	}
}

// settle ends this direction and waits for the end of the other: a connection
// that is closed with something unread would take with it what is under way.
func (l *netPlug) settle() error {
	half, ok := l.conn.(interface{ CloseWrite() error })
	if !ok {
		return fmt.Errorf("a %T cannot be closed in one direction", l.conn)
	}
	if err := half.CloseWrite(); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, l.reader)
	return err
}

func (l *netPlug) close() error {
	l.stop()
	return l.netLink.close()
}
