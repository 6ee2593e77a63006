package typed

import (
	"context"
	"errors"
	"iter"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
)

// Push sends values of type T to the Pulls it is connected with, each to one of them.
// A message has one frame: the value.
type Push[T any] struct {
	*port
	coder coder[T]
}

// NewPush returns a Push. nil options are the defaults.
func NewPush[T any](opts *Options) (*Push[T], error) {
	p, err := newPort(pattern.Push, opts, nameOf[T]())
	if err != nil {
		return nil, err
	}
	return &Push[T]{p, coder[T]{codec: p.codec}}, nil
}

// Send sends a value, waiting as [socket.Socket.Send] does. v can be changed when Send has
// returned. A value that cannot be encoded is an error that says so.
func (p *Push[T]) Send(ctx context.Context, v T) error {
	buf := scratch.Get()
	defer scratch.Put(buf)
	var err error
	if buf.B, err = p.coder.append(buf.B, v); err != nil {
		return err
	}
	return p.s.Send(ctx, buf.B)
}

// Pull receives what Pushes send, fairly from all of them.
type Pull[T any] struct {
	*port
	coder coder[T]
}

// NewPull returns a Pull. nil options are the defaults.
func NewPull[T any](opts *Options) (*Pull[T], error) {
	p, err := newPort(pattern.Pull, opts, nameOf[T]())
	if err != nil {
		return nil, err
	}
	return &Pull[T]{p, coder[T]{codec: p.codec}}, nil
}

// Recv returns the next value, waiting as [socket.Socket.Recv] does. A message that is no
// T is a *DecodeError; other errors are those of the socket.
func (p *Pull[T]) Recv(ctx context.Context) (v T, err error) {
	m, err := p.s.Recv(ctx)
	if err != nil {
		return v, err
	}
	return p.coder.take(p.s, m, 1)
}

// Values returns the values as they come. A *DecodeError does not end the sequence;
// other errors, such as ctx's, do, and Close ends it without an error.
func (p *Pull[T]) Values(ctx context.Context) iter.Seq2[T, error] {
	return values(ctx, p.Recv)
}

func values[T any](ctx context.Context, recv func(context.Context) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			v, err := recv(ctx)
			if errors.Is(err, ringwire.ErrClosed) {
				return
			}
			if !yield(v, err) {
				return
			}
			if _, ok := errors.AsType[*DecodeError](err); err != nil && !ok {
				return
			}
		}
	}
}
