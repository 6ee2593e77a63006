package main

import (
	"context"
	"errors"
	"io"
	"syscall"
	"time"
)

// foreignLibrary plays the roles of the perf tools over links.
type foreignLibrary struct{ room foreignRoom }

func newForeign(f *foreign) (library, error) {
	room, err := f.begin()
	if err != nil {
		return nil, err
	}
	return foreignLibrary{room}, nil
}

func (l foreignLibrary) close(ctx context.Context, j *job) error {
	return j.delivering(ctx, l.room.end)
}

// role opens a link, has work use it, and closes it. A role that has sent what
// nothing comes back for must settle. Work calls arrived when a message came.
func (l foreignLibrary) role(ctx context.Context, j *job, p plug, settles bool, work func(l link, arrived func()) error) error {
	p.endpoint = j.endpoint
	if j.patience > 0 {
		p.blocked = func(d time.Duration) {
			if d >= j.patience {
				j.waits(j.noMessage())
			}
		}
	}
	opened, bound, err := l.room.open(ctx, p)
	if err != nil {
		return interrupted(ctx, err)
	}
	if p.bind {
		j.bound(bound)
	}
	arrived := j.watch(func() (int64, string) { return 0, j.noPeer() })
	defer arrived()
	err = opened.ready()
	if err == nil {
		if !p.bind {
			arrived() // of who binds, the first message tells
		}
		err = work(opened, arrived)
	}
	if err == nil && settles {
		err = opened.settle()
	}
	if closeErr := opened.close(); err == nil {
		err = closeErr
	}
	return interrupted(ctx, err)
}

// recvSized receives message i and looks at its size.
func (j *job) recvSized(l link, i int) ([]byte, error) {
	b, err := l.recv()
	if err == nil && len(b) != j.size {
		err = j.wrongMessage(i, 1, len(b))
	}
	return b, err
}

func (l foreignLibrary) pull(ctx context.Context, j *job) (elapsed time.Duration, err error) {
	err = l.role(ctx, j, plug{kind: "PULL", bind: true}, false, func(l link, arrived func()) error {
		if _, err := j.recvSized(l, 0); err != nil {
			return err
		}
		arrived()
		start := time.Now()
		for i := 1; i < j.count; i++ {
			if _, err := j.recvSized(l, i); err != nil {
				return err
			}
		}
		elapsed = time.Since(start)
		return nil
	})
	return elapsed, err
}

func (l foreignLibrary) push(ctx context.Context, j *job) error {
	return l.role(ctx, j, plug{kind: "PUSH"}, true, func(l link, _ func()) error {
		buffer := make([]byte, j.size)
		for range j.count {
			if err := l.send(buffer); err != nil {
				return err
			}
		}
		return nil
	})
}

func (l foreignLibrary) reply(ctx context.Context, j *job) error {
	return l.role(ctx, j, plug{kind: "REP", bind: true}, true, func(l link, arrived func()) error {
		if err := j.echo(l, 0); err != nil {
			return err
		}
		arrived()
		for i := 1; i < j.count; i++ {
			if err := j.echo(l, i); err != nil {
				return err
			}
		}
		return nil
	})
}

// echo returns message i.
func (j *job) echo(l link, i int) error {
	b, err := j.recvSized(l, i)
	if err != nil {
		return err
	}
	return l.send(b)
}

// partnered is a link that can tell that its peer has gone, when it goes on
// waiting all the same.
type partnered interface {
	peerGone() <-chan struct{}
}

func (l foreignLibrary) request(ctx context.Context, j *job) (*roundTrips, error) {
	trips := newRoundTrips()
	err := l.role(ctx, j, plug{kind: "REQ"}, false, func(l link, _ func()) error {
		done := func() bool { return false }
		if p, ok := l.(partnered); ok {
			done = lostPeer(p.peerGone(), func() { l.close() })
		}
		buffer := make([]byte, j.size)
		err := trips.measure(j.count, func(i int) error {
			if err := l.send(buffer); err != nil {
				return err
			}
			_, err := j.recvSized(l, i)
			return err
		})
		if lost := done(); err != nil && (lost || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
			errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)) { // closed with a request unread
			err = j.peerLost(err)
		}
		return err
	})
	return trips, err
}
