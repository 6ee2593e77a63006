package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/device"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// The endpoints of the forwarder.
const (
	proxyFrontend = "inproc://perf_pub"
	proxyBackend  = "inproc://perf_backend"
)

// forward has package device as the forwarder.
func (ringwireLibrary) forward(ctx context.Context, j *job) (elapsed time.Duration, err error) {
	inner, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	p := &ringwireProxy{job: j, ctx: inner}
	frontend, err := p.open(pattern.XSub, proxyFrontend, true)
	if err != nil {
		return 0, p.close(err)
	}
	backend, err := p.open(pattern.XPub, proxyBackend, true)
	if err != nil {
		return 0, p.close(err)
	}
	subscriber, err := p.open(pattern.Sub, proxyBackend, false)
	if err == nil {
		err = subscriber.socket.Subscribe("")
	}
	if err != nil {
		return 0, p.close(err)
	}
	var work sync.WaitGroup
	start := func(run func() error) {
		work.Go(func() {
			// What the end of the others brings is no error.
			if err := run(); err != nil && inner.Err() == nil {
				cancel(err)
			}
		})
	}
	start(func() error { return device.Run(inner, frontend.socket, backend.socket, nil) })
	for range proxyPublishers {
		publisher, err := p.open(pattern.XPub, proxyFrontend, false)
		if err != nil {
			cancel(err)
			break
		}
		start(func() error { return publisher.publish(j.size) })
	}
	elapsed, err = subscriber.receiveAll()
	if err == nil && inner.Err() == nil {
		cancel(errProxyDone)
	} else {
		cancel(err)
	}
	work.Wait()
	err = context.Cause(inner)
	if errors.Is(err, errProxyDone) {
		err = nil
	}
	return elapsed, p.close(interrupted(ctx, err))
}

// errProxyDone is the cause of an end without an error.
var errProxyDone = errors.New("received everything")

// ringwireProxy is the sockets of forward, which end with ctx.
type ringwireProxy struct {
	job   *job
	ctx   context.Context
	roles []*ringwireRole
}

// open makes a socket that waits where it could drop, and binds or connects it.
func (p *ringwireProxy) open(spec *pattern.Spec, endpoint string, bind bool) (*ringwireRole, error) {
	opts := &socket.Options{SendHWM: proxyHWM, RecvHWM: proxyHWM, NoLinger: true}
	opts.XPubNoDrop = spec == pattern.XPub
	r, err := openRingwire(p.ctx, spec, p.job, opts)
	if err != nil {
		return nil, err
	}
	p.roles = append(p.roles, r)
	if bind {
		_, err = r.socket.Bind(endpoint)
	} else {
		err = r.socket.Connect(endpoint)
	}
	return r, err
}

// publish sends until the socket is closed, from when somebody has subscribed.
func (r *ringwireRole) publish(size int) error {
	var m ringwire.Message
	defer m.Release()
	if err := r.socket.RecvInto(context.Background(), &m); err != nil {
		return err
	}
	if b := m.Frame(0); len(b) != 1 || b[0] != 1 {
		return fmt.Errorf("got %q, want a subscription to everything", b)
	}
	buffer := make([]byte, size)
	for {
		if err := r.socket.Send(context.Background(), buffer); err != nil {
			return err
		}
	}
}

// close closes all sockets. It returns err, if that is what ended them.
func (p *ringwireProxy) close(err error) error {
	var closeErrs []error
	for _, r := range p.roles {
		closeErrs = append(closeErrs, r.end())
	}
	if err != nil {
		return err
	}
	return errors.Join(closeErrs...)
}

// end closes the socket without delivering what is left, and prints its
// counters if that was asked for.
func (r *ringwireRole) end() error {
	r.stop()
	err := r.socket.Close()
	if _, unsent := errors.AsType[*ringwire.UnsentError](err); unsent {
		err = nil // the publishers are ahead
	}
	return errors.Join(err, r.printStats())
}
