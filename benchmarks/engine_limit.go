package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync/atomic"

	"github.com/ringwire/ringwire/internal/ring"
)

// limitEngine is what no library can do better without doing something else:
// the bare system calls for the bytes that ZMTP would have on the wire, or,
// inside a process, the bare ring.
type limitEngine struct{}

func (limitEngine) name() string { return "limit" }

func (limitEngine) supports(r role) error {
	if r.Goroutines > 1 {
		return errors.New("has one goroutine on each side")
	}
	if r.Transport == "inproc" {
		return chanEngine{}.supports(r)
	}
	return supportsStream(r)
}

func (limitEngine) open(ctx context.Context, r role) (station, string, error) {
	if r.Transport == "inproc" {
		sender, receiver := newRingLinks(r)
		return newLinkStation(r, []link{sender}, []link{receiver}, nil), r.Endpoint, nil
	}
	d, bound, err := openDuplex(ctx, r)
	if err != nil {
		return nil, "", err
	}
	if r.Pattern == pushPull {
		return &floodStation{duplex: d, role: r}, bound, nil
	}
	l := &wireLink{duplex: d, wire: make([]byte, wireSize(r)), size: r.Size}
	return linkStationOn(r, l, func(context.Context) error { return d.ready() }), bound, nil
}

// wireSize is how many bytes ZMTP makes of a message: with a header of 2 bytes,
// or 9 for a body of more than 255, and in req-rep after an empty frame.
func wireSize(r role) int {
	size := r.Size + 2
	if r.Size > 255 {
		size = r.Size + 9
	}
	if r.Pattern == reqRep {
		size += 2
	}
	return size
}

// wireLink is one write and one read for each message. The body is at the end
// of the wire bytes; what is before it stays zero.
type wireLink struct {
	*duplex
	wire []byte
	size int
}

func (l *wireLink) send(b []byte) error {
	copy(l.wire[len(l.wire)-l.size:], b)
	_, err := l.conn.Write(l.wire)
	return err
}

func (l *wireLink) recv() ([]byte, error) {
	_, err := io.ReadFull(l.conn, l.wire)
	return l.wire[len(l.wire)-l.size:], err
}

// ringBatch is how many messages a sender hands over at once, as the ring's own
// benchmark does.
const ringBatch = 64

// ringLink is one end of two rings, of which a sender that needs no answers
// uses one. It waits by looking again.
type ringLink struct {
	out, in *ring.Ring[ringSlot]
	batch   int
	staged  int
	read    bool         // the slot that recv returned is still ours
	closed  *atomic.Bool // of both ends
}

// ringSlot keeps its buffer.
type ringSlot struct{ body []byte }

func newRingLinks(r role) (sender, receiver *ringLink) {
	var there, back ring.Ring[ringSlot]
	there.Init(chanCapacity)
	back.Init(chanCapacity)
	batch := 1
	if r.Pattern == pushPull {
		batch = ringBatch
	}
	closed := new(atomic.Bool)
	return &ringLink{out: &there, in: &back, batch: batch, closed: closed},
		&ringLink{out: &back, in: &there, batch: batch, closed: closed}
}

func (l *ringLink) send(b []byte) error {
	slot := l.out.Slot()
	if slot == nil {
		l.publish()
		for slot = l.out.Slot(); slot == nil; slot = l.out.Slot() {
			if l.closed.Load() {
				return errLinkClosed
			}
			runtime.Gosched()
		}
	}
	slot.body = append(slot.body[:0], b...)
	l.out.Commit()
	l.staged++
	if l.staged >= l.batch || b[0] == kindEnd {
		l.publish()
	}
	return nil
}

func (l *ringLink) publish() {
	l.out.Publish()
	l.staged = 0
}

func (l *ringLink) recv() ([]byte, error) {
	if l.read {
		l.in.Advance()
		l.read = false
	}
	slot := l.in.Peek()
	for ; slot == nil; slot = l.in.Peek() {
		if l.closed.Load() {
			return nil, errLinkClosed
		}
		runtime.Gosched()
	}
	l.read = true
	return slot.body, nil
}

func (l *ringLink) close() error {
	l.closed.Store(true)
	return nil
}

// floodSize is the size of a write that the kernel moves at its best.
const floodSize = 64 << 10

// floodStation writes and reads a stream in large pieces, and counts the
// messages that it would be. Each piece of floodSize bytes starts like a
// message: with its kind.
type floodStation struct {
	*duplex
	role role
}

func (s *floodStation) ready(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { s.close() })
	defer stop()
	return s.duplex.ready()
}

func (s *floodStation) slice(ctx context.Context, spec sliceSpec) (sliceResult, error) {
	if spec.Rate > 0 {
		return sliceResult{}, fmt.Errorf("cannot send %g messages per second, only as many as possible", spec.Rate)
	}
	stop := context.AfterFunc(ctx, func() { s.close() })
	defer stop()
	if s.role.Side == sideSend {
		return s.send(spec)
	}
	return s.receive()
}

// send writes pieces for the duration, the last of which is the end mark.
func (s *floodStation) send(spec sliceSpec) (sliceResult, error) {
	piece := make([]byte, floodSize)
	c := newClock()
	var pieces int64
	for end := c.now() + int64(spec.Duration); ; pieces++ {
		if c.now() >= end && pieces > 0 {
			piece[0] = kindEnd
		}
		if _, err := s.conn.Write(piece); err != nil {
			return sliceResult{}, err
		}
		if piece[0] == kindEnd {
			return sliceResult{Messages: s.messages(pieces * floodSize)}, nil
		}
	}
}

// receive reads up to the end of the end mark. Nothing of another slice can be
// before it.
func (s *floodStation) receive() (sliceResult, error) {
	buffer := make([]byte, floodSize)
	c := newClock()
	var first, last, counted, timed, total int64
	for end := int64(-1); total != end; {
		n, err := s.conn.Read(buffer)
		if err != nil {
			return sliceResult{}, err
		}
		// Where the next piece starts, which may be in what was read.
		start := (floodSize - total%floodSize) % floodSize
		total += int64(n)
		if start < int64(n) && buffer[start] == kindEnd {
			end = total - int64(n) + start + floodSize
		}
		if end >= 0 {
			continue
		}
		last, timed = c.now(), total
		if first == 0 {
			first, counted = last, total
		}
	}
	r := sliceResult{Messages: s.messages(total - floodSize), Seconds: float64(last-first) / 1e9}
	if r.Seconds > 0 {
		r.PerSecond = float64(timed-counted) / float64(wireSize(s.role)) / r.Seconds
	}
	return r, nil
}

// messages is how many messages would be so many bytes.
func (s *floodStation) messages(size int64) int64 { return size / int64(wireSize(s.role)) }

func (s *floodStation) endMark(byte) error { return nil }
