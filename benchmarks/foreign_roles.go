package main

import (
	"context"
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

func (l foreignLibrary) close() error { return l.room.end() }

// role opens a link, has work use it, and closes it. A role that has sent what
// nothing comes back for must settle.
func (l foreignLibrary) role(ctx context.Context, j *job, p plug, settles bool, work func(link) error) error {
	p.endpoint = j.endpoint
	opened, bound, err := l.room.open(ctx, p)
	if err != nil {
		return interrupted(ctx, err)
	}
	if p.bind {
		j.bound(bound)
	}
	err = opened.ready()
	if err == nil {
		err = work(opened)
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
	err = l.role(ctx, j, plug{kind: "PULL", bind: true}, false, func(l link) error {
		if _, err := j.recvSized(l, 0); err != nil {
			return err
		}
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
	return l.role(ctx, j, plug{kind: "PUSH"}, true, func(l link) error {
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
	return l.role(ctx, j, plug{kind: "REP", bind: true}, true, func(l link) error {
		for i := range j.count {
			b, err := j.recvSized(l, i)
			if err != nil {
				return err
			}
			if err := l.send(b); err != nil {
				return err
			}
		}
		return nil
	})
}

func (l foreignLibrary) request(ctx context.Context, j *job) (*roundTrips, error) {
	trips := newRoundTrips()
	err := l.role(ctx, j, plug{kind: "REQ"}, false, func(l link) error {
		buffer := make([]byte, j.size)
		return trips.measure(j.count, func(i int) error {
			if err := l.send(buffer); err != nil {
				return err
			}
			_, err := j.recvSized(l, i)
			return err
		})
	})
	return trips, err
}
