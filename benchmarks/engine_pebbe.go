//go:build libzmq && cgo

package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/pebbe/zmq4"
)

func pebbeEngines() []engine { return []engine{foreignEngine{pebbeLibrary}} }

func newPebbe() (library, error) { return newForeign(pebbeLibrary) }

// pebbeLibrary is libzmq as Go programs use it.
var pebbeLibrary = &foreign{
	name:     "pebbe",
	schemes:  []string{"tcp", "ipc", "inproc"},
	patterns: []string{pushPull, pubSub, reqRep},
	begin:    beginPebbe,
}

var pebbeKinds = map[string]zmq4.Type{
	"PUSH": zmq4.PUSH, "PULL": zmq4.PULL, "PUB": zmq4.PUB, "SUB": zmq4.SUB, "REQ": zmq4.REQ, "REP": zmq4.REP,
}

// pebbePoll is how often a call that blocks looks whether it shall end. The
// binding has no call that ends one.
const pebbePoll = 100 * time.Millisecond

// pebbeRoom is a context of libzmq.
type pebbeRoom struct{ context *zmq4.Context }

func beginPebbe() (foreignRoom, error) {
	c, err := zmq4.NewContext()
	if err != nil {
		return nil, fmt.Errorf("create context: pebbe: %w", err)
	}
	return &pebbeRoom{c}, nil
}

func (r *pebbeRoom) end() error { return r.context.Term() }

func (r *pebbeRoom) open(ctx context.Context, p plug) (foreignLink, string, error) {
	s, err := r.context.NewSocket(pebbeKinds[p.kind])
	if err != nil {
		return nil, "", fmt.Errorf("create socket: pebbe: %w", err)
	}
	l := &pebbeLink{context: r.context, socket: s, plug: p}
	l.stop = context.AfterFunc(ctx, func() { l.ended.Store(true) })
	bound, err := l.prepare()
	if err != nil {
		l.close()
		return nil, "", err
	}
	return l, bound, nil
}

// pebbeLink is one socket.
type pebbeLink struct {
	context *zmq4.Context

	// mu gives the socket, which allows one thread at a time, to one goroutine
	// after the other.
	mu     sync.Mutex
	socket *zmq4.Socket

	plug  plug
	stop  func() bool // ends watching the context
	ended atomic.Bool
	end   sync.Once
	err   error // of closing
}

func (l *pebbeLink) prepare() (string, error) {
	err := errors.Join(l.socket.SetRcvtimeo(pebbePoll), l.socket.SetSndtimeo(pebbePoll), l.socket.SetLinger(0))
	if err == nil && l.plug.kind == "SUB" {
		err = l.socket.SetSubscribe("")
	}
	if err != nil {
		return "", fmt.Errorf("set options: pebbe: %w", err)
	}
	bound := l.plug.endpoint
	if l.plug.bind {
		if err = l.socket.Bind(bound); err == nil {
			bound, err = l.socket.GetLastEndpoint()
		}
	}
	if err != nil {
		return "", fmt.Errorf("bind %s: pebbe: %w", l.plug.endpoint, err)
	}
	return bound, nil
}

// ready connects. A REQ waits until it is connected, which a monitor tells; the
// others queue. ZMQ_IMMEDIATE with a poll would tell, too, but with it the last
// reply is lost when the peer closes before it is read.
func (l *pebbeLink) ready() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.plug.bind {
		return nil
	}
	var monitor *zmq4.Socket
	if l.plug.kind == "REQ" && !overInproc(l.plug.endpoint) {
		var err error
		if monitor, err = l.monitor(); err != nil {
			return fmt.Errorf("monitor: pebbe: %w", err)
		}
		defer monitor.Close()
	}
	if err := l.socket.Connect(l.plug.endpoint); err != nil {
		return fmt.Errorf("connect %s: pebbe: %w", l.plug.endpoint, err)
	}
	for waited := time.Duration(0); monitor != nil; waited += pebbePoll {
		_, _, _, err := monitor.RecvEvent(0)
		if err == nil {
			return l.socket.Monitor("", 0)
		}
		if err := l.again(err, waited); err != nil {
			return err
		}
	}
	return nil
}

// monitor hears of each completed handshake.
func (l *pebbeLink) monitor() (*zmq4.Socket, error) {
	name := fmt.Sprintf("inproc://handshakes-%p", l)
	if err := l.socket.Monitor(name, zmq4.EVENT_HANDSHAKE_SUCCEEDED); err != nil {
		return nil, err
	}
	monitor, err := l.context.NewSocket(zmq4.PAIR)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(monitor.SetRcvtimeo(pebbePoll), monitor.Connect(name)); err != nil {
		monitor.Close()
		return nil, err
	}
	return monitor, nil
}

func (l *pebbeLink) send(b []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for waited := time.Duration(0); ; waited += pebbePoll {
		_, err := l.socket.SendBytes(b, 0)
		if err == nil {
			return nil
		}
		if err = l.again(err, waited); err != nil {
			return err
		}
	}
}

func (l *pebbeLink) recv() ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for waited := time.Duration(0); ; waited += pebbePoll {
		b, err := l.socket.RecvBytes(0)
		if err == nil {
			return b, nil
		}
		if err = l.again(err, waited); err != nil {
			return nil, err
		}
	}
}

// again returns nil if the call that returned err is to be repeated. It has
// waited that long before.
func (l *pebbeLink) again(err error, waited time.Duration) error {
	if zmq4.AsErrno(err) != zmq4.Errno(syscall.EAGAIN) {
		return err
	}
	if l.ended.Load() {
		return errLinkClosed
	}
	if l.plug.blocked != nil {
		l.plug.blocked(waited + pebbePoll)
	}
	return nil
}

// settle leaves delivering to the end of the context.
func (l *pebbeLink) settle() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.socket.SetLinger(-1)
}

func (l *pebbeLink) close() error {
	l.ended.Store(true) // ends what blocks
	l.end.Do(func() {
		l.stop()
		l.mu.Lock()
		defer l.mu.Unlock()
		l.err = l.socket.Close()
	})
	return l.err
}
