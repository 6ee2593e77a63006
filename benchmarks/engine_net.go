package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
)

// netEngine is what a Go program writes that has no library: a length before
// each message, one write for each, and a buffered reader.
type netEngine struct{}

func (netEngine) name() string { return "net" }

func (netEngine) supports(r role) error {
	if r.Goroutines > 1 {
		return errors.New("has one goroutine on each side")
	}
	return supportsStream(r)
}

// supportsStream is for engines that are one connection.
func supportsStream(r role) error {
	switch {
	case r.Transport == "inproc":
		return errors.New("has no inproc transport")
	case r.Pattern != pushPull && r.Pattern != reqRep:
		return fmt.Errorf("has no %s", r.Pattern)
	case r.Senders != 1 || r.Receivers != 1:
		return errors.New("has one connection")
	case r.Variant != "":
		return fmt.Errorf("has no variant %q", r.Variant)
	}
	return nil
}

func (netEngine) open(ctx context.Context, r role) (station, string, error) {
	d, bound, err := openDuplex(ctx, r)
	if err != nil {
		return nil, "", err
	}
	l := &netLink{duplex: d}
	station := linkStationOn(r, l, func(context.Context) error {
		if err := d.ready(); err != nil {
			return err
		}
		l.reader = bufio.NewReaderSize(d.conn, 64<<10)
		return nil
	})
	return station, bound, nil
}

// linkStationOn is a station whose only link is l.
func linkStationOn(r role, l link, ready func(context.Context) error) station {
	if r.Side == sideSend {
		return newLinkStation(r, []link{l}, nil, ready)
	}
	return newLinkStation(r, nil, []link{l}, ready)
}

// netLink is one connection with messages on it.
type netLink struct {
	*duplex
	reader   *bufio.Reader
	out, in  []byte
	inLength [4]byte
}

func (l *netLink) send(b []byte) error {
	l.out = binary.LittleEndian.AppendUint32(l.out[:0], uint32(len(b)))
	l.out = append(l.out, b...)
	_, err := l.conn.Write(l.out)
	return err
}

func (l *netLink) recv() ([]byte, error) {
	if _, err := io.ReadFull(l.reader, l.inLength[:]); err != nil {
		return nil, err
	}
	n := int(binary.LittleEndian.Uint32(l.inLength[:]))
	if n > cap(l.in) {
		l.in = make([]byte, n)
	}
	l.in = l.in[:n]
	_, err := io.ReadFull(l.reader, l.in)
	return l.in, err
}

// duplex is one side of a plain connection. The binding side has it when it is
// ready.
type duplex struct {
	listener net.Listener // nil on the connecting side

	mu     sync.Mutex // held where close may come in between
	conn   net.Conn
	closed bool
}

// openDuplex listens or connects, and returns the endpoint.
func openDuplex(ctx context.Context, r role) (*duplex, string, error) {
	network, address, _ := strings.Cut(r.Endpoint, "://")
	if network == "ipc" {
		network = "unix"
	}
	if !r.Bind {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		return &duplex{conn: conn}, r.Endpoint, err
	}
	address = strings.Replace(address, ":*", ":0", 1)
	listener, err := (&net.ListenConfig{}).Listen(ctx, network, address)
	if err != nil {
		return nil, "", err
	}
	bound := r.Endpoint
	if network == "tcp" {
		bound = "tcp://" + listener.Addr().String()
	}
	return &duplex{listener: listener}, bound, nil
}

// ready accepts the connection.
func (d *duplex) ready() error {
	if d.listener == nil {
		return nil
	}
	conn, err := d.listener.Accept()
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.conn = conn
	if d.closed {
		return errors.Join(errLinkClosed, conn.Close())
	}
	return nil
}

func (d *duplex) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	var errs []error
	if d.conn != nil {
		errs = append(errs, d.conn.Close())
	}
	if d.listener != nil {
		errs = append(errs, d.listener.Close())
	}
	return errors.Join(errs...)
}
