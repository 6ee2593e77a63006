package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"go.nanomsg.org/mangos/v3"
	"go.nanomsg.org/mangos/v3/protocol/pub"
	"go.nanomsg.org/mangos/v3/protocol/pull"
	"go.nanomsg.org/mangos/v3/protocol/push"
	"go.nanomsg.org/mangos/v3/protocol/rep"
	"go.nanomsg.org/mangos/v3/protocol/req"
	"go.nanomsg.org/mangos/v3/protocol/sub"
	// They register themselves.
	_ "go.nanomsg.org/mangos/v3/transport/inproc"
	_ "go.nanomsg.org/mangos/v3/transport/tcp"
)

// mangosLibrary speaks the SP protocols, which are not ZeroMQ's.
var mangosLibrary = &foreign{
	name:     "mangos",
	schemes:  []string{"tcp", "ipc", "inproc"},
	patterns: []string{pushPull, pubSub, reqRep},
	begin:    func() (foreignRoom, error) { return mangosRoom{}, nil },
}

// mangosQueue is the length of queues, where a socket has one: libzmq's
// high-water mark. The default is 128.
const mangosQueue = 1000

var mangosKinds = map[string]func() (mangos.Socket, error){
	"PUSH": push.NewSocket, "PULL": pull.NewSocket,
	"PUB": pub.NewSocket, "SUB": sub.NewSocket,
	"REQ": req.NewSocket, "REP": rep.NewSocket,
}

// mangosRoom is nothing: all sockets of a process can reach each other.
type mangosRoom struct{}

func (mangosRoom) end() error { return nil }

func (mangosRoom) open(ctx context.Context, p plug) (foreignLink, string, error) {
	s, err := mangosKinds[p.kind]()
	if err != nil {
		return nil, "", err
	}
	l := &mangosLink{socket: s, plug: p, attached: make(chan struct{}), detached: make(chan struct{}), closed: make(chan struct{})}
	s.SetPipeEventHook(l.event)
	l.stop = context.AfterFunc(ctx, func() { l.shut() })
	bound, err := l.prepare()
	if err != nil {
		l.close()
		return nil, "", err
	}
	return l, bound, nil
}

// mangosLink is one socket.
type mangosLink struct {
	socket mangos.Socket
	plug   plug
	last   *mangos.Message // what recv returned; owned by the receiver
	stop   func() bool     // ends watching the context

	attached, detached chan struct{} // closed when the first peer came, when one went
	attach, detach     sync.Once

	closed   chan struct{}
	end      sync.Once
	closeErr error
}

// event hears of peers.
func (l *mangosLink) event(e mangos.PipeEvent, _ mangos.Pipe) {
	switch e {
	case mangos.PipeEventAttached:
		l.attach.Do(func() { close(l.attached) })
	case mangos.PipeEventDetached:
		l.detach.Do(func() { close(l.detached) })
	}
}

// prepare sets options and binds.
func (l *mangosLink) prepare() (string, error) {
	// A socket has those of these options that mean something to it.
	for name, value := range map[string]any{
		mangos.OptionReadQLen:    mangosQueue,
		mangos.OptionWriteQLen:   mangosQueue,
		mangos.OptionMaxRecvSize: 0, // no limit, as with libzmq: the default is less than 1 MiB and a header
	} {
		if err := l.socket.SetOption(name, value); err != nil && !errors.Is(err, mangos.ErrBadOption) {
			return "", fmt.Errorf("set %s: %w", name, err)
		}
	}
	if l.plug.kind == "SUB" {
		if err := l.socket.SetOption(mangos.OptionSubscribe, []byte{}); err != nil {
			return "", fmt.Errorf("subscribe: %w", err)
		}
	}
	if !l.plug.bind {
		return l.plug.endpoint, nil
	}
	listener, err := l.socket.NewListener(portZero(l.plug.endpoint), nil)
	if err == nil {
		err = listener.Listen()
	}
	if err != nil {
		return "", fmt.Errorf("bind %s: mangos: %w", l.plug.endpoint, err)
	}
	return listener.Address(), nil
}

// portZero replaces the wildcard port of ZeroMQ by that of Go.
func portZero(endpoint string) string {
	if address, ok := strings.CutPrefix(endpoint, "tcp://"); ok && strings.HasSuffix(address, ":*") {
		return strings.TrimSuffix(endpoint, "*") + "0"
	}
	return endpoint
}

func (l *mangosLink) ready() error {
	if l.plug.bind {
		return nil
	}
	// At once it would fail when nobody listens yet.
	err := l.socket.DialOptions(l.plug.endpoint, map[string]any{mangos.OptionDialAsynch: true})
	if err != nil {
		return fmt.Errorf("connect %s: mangos: %w", l.plug.endpoint, err)
	}
	select {
	case <-l.attached:
		return nil
	case <-l.closed:
		return mangos.ErrClosed
	}
}

// send makes a message of mangos' own pool, as its Send does, too.
func (l *mangosLink) send(b []byte) error {
	m := mangos.NewMessage(len(b))
	m.Body = append(m.Body, b...)
	return l.socket.SendMsg(m)
}

// recv spares the copy that Recv makes.
func (l *mangosLink) recv() ([]byte, error) {
	if l.last != nil {
		l.last.Free()
		l.last = nil
	}
	m, err := l.socket.RecvMsg()
	if err != nil {
		return nil, err
	}
	l.last = m
	return m.Body, nil
}

// settle waits for the peer to go: closing a socket drops what it has queued,
// and the perf tools that receive go when they have everything.
func (l *mangosLink) settle() error {
	select {
	case <-l.detached:
		return nil
	case <-l.closed:
		return mangos.ErrClosed
	}
}

func (l *mangosLink) peerGone() <-chan struct{} { return l.detached }

func (l *mangosLink) close() error {
	l.stop()
	return l.shut()
}

// shut ends whatever the link is doing.
func (l *mangosLink) shut() error {
	l.end.Do(func() {
		l.closeErr = l.socket.Close()
		close(l.closed)
	})
	return l.closeErr
}
