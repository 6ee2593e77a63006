package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// ringwireLibrary plays the roles with default options, but for those that a
// job asks for.
type ringwireLibrary struct{}

// ringwireRole is one socket at work.
type ringwireRole struct {
	socket *socket.Socket
	job    *job
	ctx    context.Context // ends the role early
	stop   func() bool     // ends watching ctx
}

// open makes a socket that is closed when ctx is done. This keeps the context
// out of the loops, which run with a background context: what they cost does
// not depend on how the tool is interrupted.
func (ringwireLibrary) open(ctx context.Context, spec *pattern.Spec, j *job) (*ringwireRole, error) {
	opts := &socket.Options{Linger: -1}
	if j.spinOff {
		opts.Spin = -1
	}
	if j.size > socket.DefaultMaxMessageSize {
		opts.MaxMessageSize = int64(j.size)
	}
	s, err := socket.New(spec, opts)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { s.Shutdown(ctx) })
	return &ringwireRole{socket: s, job: j, ctx: ctx, stop: stop}, nil
}

// close delivers what is left and closes the socket, then prints its counters
// if that was asked for. It returns err, if that is what ended the role. It is
// Close with an unlimited linger that ctx can interrupt.
func (r *ringwireRole) close(err error) error {
	r.stop()
	closeErr := r.socket.Shutdown(r.ctx)
	if r.job.stats {
		text, marshalErr := json.Marshal(r.socket.Stats())
		if marshalErr != nil {
			return marshalErr
		}
		fmt.Fprintf(r.job.log, "stats: %s\n", text)
	}
	switch {
	case err != nil && r.ctx.Err() != nil:
		return fmt.Errorf("interrupted: %w", r.ctx.Err())
	case err != nil:
		return err
	}
	return closeErr
}

func (r *ringwireRole) bind() error {
	bound, err := r.socket.Bind(r.job.endpoint)
	if err == nil {
		r.job.bound(bound)
	}
	return err
}

// recv receives message i and looks at its shape.
func (r *ringwireRole) recv(i int, m *ringwire.Message) error {
	if err := r.socket.RecvInto(context.Background(), m); err != nil {
		return err
	}
	if m.Len() != 1 || len(m.Frame(0)) != r.job.size {
		return r.job.wrongMessage(i, m.Len(), len(m.Frame(0)))
	}
	return nil
}

func (l ringwireLibrary) pull(ctx context.Context, j *job) (elapsed time.Duration, err error) {
	r, err := l.open(ctx, pattern.Pull, j)
	if err != nil {
		return 0, err
	}
	err = r.bind()
	if err == nil {
		elapsed, err = r.receiveAll()
	}
	return elapsed, r.close(err)
}

func (r *ringwireRole) receiveAll() (time.Duration, error) {
	var m ringwire.Message
	defer m.Release()
	if err := r.recv(0, &m); err != nil {
		return 0, err
	}
	start := time.Now()
	for i := 1; i < r.job.count; i++ {
		if err := r.recv(i, &m); err != nil {
			return 0, err
		}
	}
	return time.Since(start), nil
}

func (l ringwireLibrary) push(ctx context.Context, j *job) error {
	r, err := l.open(ctx, pattern.Push, j)
	if err != nil {
		return err
	}
	err = r.socket.Connect(j.endpoint)
	buffer := make([]byte, j.size)
	for i := 0; i < j.count && err == nil; i++ {
		err = r.socket.Send(context.Background(), buffer)
	}
	return r.close(err)
}

func (l ringwireLibrary) reply(ctx context.Context, j *job) error {
	r, err := l.open(ctx, pattern.Rep, j)
	if err != nil {
		return err
	}
	err = r.bind()
	if err == nil {
		err = r.echo()
	}
	return r.close(err)
}

func (r *ringwireRole) echo() error {
	var m ringwire.Message
	defer m.Release()
	for i := range r.job.count {
		if err := r.recv(i, &m); err != nil {
			return err
		}
		if err := r.socket.Send(context.Background(), m.Frame(0)); err != nil {
			return err
		}
	}
	return nil
}

func (l ringwireLibrary) request(ctx context.Context, j *job) (elapsed time.Duration, err error) {
	r, err := l.open(ctx, pattern.Req, j)
	if err != nil {
		return 0, err
	}
	err = r.socket.Connect(j.endpoint)
	if err == nil {
		elapsed, err = r.roundTrips()
	}
	return elapsed, r.close(err)
}

func (r *ringwireRole) roundTrips() (time.Duration, error) {
	if err := r.socket.WaitPeers(context.Background(), 1); err != nil {
		return 0, err
	}
	var m ringwire.Message
	defer m.Release()
	buffer := make([]byte, r.job.size)
	start := time.Now()
	for i := range r.job.count {
		if err := r.socket.Send(context.Background(), buffer); err != nil {
			return 0, err
		}
		if err := r.recv(i, &m); err != nil {
			return 0, err
		}
	}
	return time.Since(start), nil
}
