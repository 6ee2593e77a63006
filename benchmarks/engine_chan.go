package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// chanEngine is what a Go program does between its goroutines: a buffered
// channel of byte slices. The receiver gets bytes of its own.
type chanEngine struct{}

// chanCapacity is libzmq's high-water mark.
const chanCapacity = 1000

func (chanEngine) name() string { return "chan" }

func (chanEngine) supports(r role) error {
	switch {
	case r.Transport != "inproc":
		return fmt.Errorf("has no %s transport", r.Transport)
	case r.Pattern != pushPull && r.Pattern != reqRep:
		return fmt.Errorf("has no %s", r.Pattern)
	case r.Senders != 1 || r.Receivers != 1:
		return errors.New("has one channel each way")
	case r.Variant != "":
		return fmt.Errorf("has no variant %q", r.Variant)
	}
	return nil
}

func (chanEngine) open(_ context.Context, r role) (station, string, error) {
	there, back := make(chan []byte, chanCapacity), make(chan []byte, chanCapacity)
	end := &chanEnd{closed: make(chan struct{})}
	sender := &chanLink{out: there, in: back, end: end}
	receiver := &chanLink{out: back, in: there, end: end}
	return newLinkStation(r, []link{sender}, []link{receiver}, nil), r.Endpoint, nil
}

// chanEnd ends both links when one is closed.
type chanEnd struct {
	once   sync.Once
	closed chan struct{}
}

type chanLink struct {
	out chan<- []byte
	in  <-chan []byte
	end *chanEnd
}

var errLinkClosed = errors.New("link closed")

// send tries the channel alone first, and waits with an eye on the end. A plain
// channel operation is no faster: 67 ns per message of 16 bytes both ways.
func (l *chanLink) send(b []byte) error {
	own := append([]byte(nil), b...)
	select {
	case l.out <- own:
		return nil
	default:
	}
	select {
	case l.out <- own:
		return nil
	case <-l.end.closed:
		return errLinkClosed
	}
}

func (l *chanLink) recv() ([]byte, error) {
	select {
	case b := <-l.in:
		return b, nil
	default:
	}
	select {
	case b := <-l.in:
		return b, nil
	case <-l.end.closed:
		return nil, errLinkClosed
	}
}

func (l *chanLink) close() error {
	l.end.once.Do(func() { close(l.end.closed) })
	return nil
}
