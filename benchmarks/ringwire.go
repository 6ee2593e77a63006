package main

import (
	"cmp"
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

// close has nothing to do: each role delivers before it ends.
func (ringwireLibrary) close(context.Context, *job) error { return nil }

// ringwireRole is one socket at work.
type ringwireRole struct {
	socket *socket.Socket
	job    *job
	ctx    context.Context // ends the role early
	stop   func() bool     // ends watching ctx
	calm   func()          // ends watching for when nothing happens
}

// open makes a socket that is closed when ctx is done. This keeps the context
// out of the loops, which run with a background context: what they cost does
// not depend on how the tool is interrupted.
func (ringwireLibrary) open(ctx context.Context, spec *pattern.Spec, j *job) (*ringwireRole, error) {
	return openRingwire(ctx, spec, j, &socket.Options{Linger: -1})
}

// openRingwire is open with options to start from.
func openRingwire(ctx context.Context, spec *pattern.Spec, j *job, opts *socket.Options) (*ringwireRole, error) {
	if j.spinOff {
		opts.Spin = -1
	}
	if j.curve {
		if err := encrypt(opts, j.binds); err != nil {
			return nil, err
		}
	}
	if j.size > socket.DefaultMaxMessageSize {
		opts.MaxMessageSize = int64(j.size)
	}
	s, err := socket.New(spec, opts)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { s.Shutdown(ctx) })
	calm := j.watch(func() (int64, string) { return looked(j, s.Stats()) })
	return &ringwireRole{socket: s, job: j, ctx: ctx, stop: stop, calm: calm}, nil
}

// looked is what a socket's counters say to watch.
func looked(j *job, st socket.Stats) (moved int64, what string) {
	switch {
	case st.Peers > 0:
		what = j.noMessage()
	case st.Disconnects > 0:
		what = j.noMessage() + ", and the peer is gone"
	default:
		what = j.noPeer()
	}
	return st.Written + st.Arrived, what
}

// close delivers what is left and closes the socket, then prints its counters
// if that was asked for. It returns err, if that is what ended the role. It is
// Close with an unlimited linger that ctx can interrupt.
func (r *ringwireRole) close(err error) error {
	defer r.calm()
	r.stop()
	err = interrupted(r.ctx, err)
	closeErr := r.socket.Shutdown(r.ctx)
	if err == nil && closeErr != nil {
		err = closeErr
		if r.ctx.Err() != nil {
			err = fmt.Errorf("interrupted: %w: %w", r.ctx.Err(), closeErr)
		}
	}
	if statsErr := r.printStats(); err == nil {
		err = statsErr
	}
	return err
}

// printStats prints the socket's counters, if that was asked for.
func (r *ringwireRole) printStats() error {
	if !r.job.stats {
		return nil
	}
	text, err := json.Marshal(r.socket.Stats())
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(r.job.log, "stats: %s\n", text)
	return err
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

func (l ringwireLibrary) request(ctx context.Context, j *job) (*roundTrips, error) {
	r, err := l.open(ctx, pattern.Req, j)
	if err != nil {
		return nil, err
	}
	trips := newRoundTrips()
	lost := r.watchPeer()
	err = r.socket.Connect(j.endpoint)
	if err == nil {
		err = r.ask(trips)
	}
	if gone := lost(); err != nil && gone != nil && ctx.Err() == nil {
		err = j.peerLost(gone)
	}
	return trips, r.close(err)
}

// watchPeer ends the role when its peer goes, until the function that it
// returns is called, which says why it was ended, if it was. A request that a
// peer took with it is never answered.
func (r *ringwireRole) watchPeer() (done func() error) {
	ctx, cancel := context.WithCancel(r.ctx)
	gone, ended := make(chan struct{}), make(chan struct{})
	var why error
	events := r.socket.Events(ctx)
	go func() {
		defer close(ended)
		for e := range events {
			if e.Kind == socket.Disconnected {
				why = cmp.Or(e.Err, errLinkClosed)
				close(gone)
				return
			}
		}
	}()
	lost := lostPeer(gone, func() {
		now, cancel := context.WithCancel(context.Background())
		cancel()
		r.socket.Shutdown(now)
	})
	return func() error {
		shut := lost()
		cancel()
		<-ended
		if !shut {
			return nil
		}
		return why
	}
}

func (r *ringwireRole) ask(trips *roundTrips) error {
	if err := r.socket.WaitPeers(context.Background(), 1); err != nil {
		return err
	}
	var m ringwire.Message
	defer m.Release()
	buffer := make([]byte, r.job.size)
	return trips.measure(r.job.count, func(i int) error {
		if err := r.socket.Send(context.Background(), buffer); err != nil {
			return err
		}
		return r.recv(i, &m)
	})
}
