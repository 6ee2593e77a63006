package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// ready is what a worker says when it comes.
const ready = "READY"

// broker gives each request to the worker that has been idle longest.
type broker struct {
	front, back       *socket.Socket
	askHere, workHere string
	idle              chan []byte // identities of workers, in the order in which they became idle
}

// newBroker makes a broker that clients and workers connect to. opts may be nil.
func newBroker(front, back string, opts *socket.Options) (b *broker, err error) {
	// The queue has room for so many idle workers; with more, the rest waits in
	// the socket.
	b = &broker{idle: make(chan []byte, 10_000)}
	var lenient socket.Options
	if opts != nil {
		lenient = *opts
	}
	lenient.DropUnroutable = true // a client that is gone needs no reply
	if b.front, err = socket.New(pattern.Router, &lenient); err != nil {
		return nil, err
	}
	// Without DropUnroutable a worker that is gone is an error of Send.
	if b.back, err = socket.New(pattern.Router, opts); err != nil {
		return nil, errors.Join(err, b.front.Close())
	}
	if b.askHere, err = b.front.Bind(front); err == nil {
		b.workHere, err = b.back.Bind(back)
	}
	if err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

func (b *broker) close() error { return errors.Join(b.front.Close(), b.back.Close()) }

// run works until ctx is done.
func (b *broker) run(ctx context.Context) error {
	group, stop := context.WithCancelCause(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { stop(b.collect(group)) })
	stop(b.dispatch(group))
	wg.Wait()
	return context.Cause(group)
}

// collect passes replies on, and notes that whoever sent one is idle.
func (b *broker) collect(ctx context.Context) error {
	for m, err := range b.back.Messages(ctx) {
		if err != nil {
			return err
		}
		switch {
		case m.Len() == 3 && string(m.Frame(2)) == ready:
		case m.Len() == 5:
			if err := b.front.Send(ctx, m.Frame(2), nil, m.Frame(4)); err != nil {
				return err
			}
		default: // not a worker
			m.Release()
			continue
		}
		worker := bytes.Clone(m.Frame(0))
		m.Release()
		select {
		case b.idle <- worker:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return ringwire.ErrClosed
}

// dispatch takes a request whenever a worker is idle.
func (b *broker) dispatch(ctx context.Context) error {
	for {
		worker, err := b.nextIdle(ctx)
		if err != nil {
			return err
		}
		request, err := b.nextRequest(ctx)
		if err != nil {
			return err
		}
		client, body := request.Frame(0), request.Frame(2)
		err = b.back.Send(ctx, worker, nil, client, nil, body)
		for errors.Is(err, ringwire.ErrHostUnreachable) { // it left while it was idle
			if worker, err = b.nextIdle(ctx); err == nil {
				err = b.back.Send(ctx, worker, nil, client, nil, body)
			}
		}
		if err != nil {
			return fmt.Errorf("give a request to a worker: %w", err)
		}
		request.Release()
	}
}

func (b *broker) nextRequest(ctx context.Context) (*ringwire.Message, error) {
	for {
		m, err := b.front.Recv(ctx)
		if err != nil || m.Len() == 3 && len(m.Frame(1)) == 0 {
			return m, err
		}
		m.Release() // not a REQ that sends one frame
	}
}

func (b *broker) nextIdle(ctx context.Context) ([]byte, error) {
	select {
	case worker := <-b.idle:
		return worker, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
