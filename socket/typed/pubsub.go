package typed

import (
	"context"
	"iter"

	"github.com/ringwire/ringwire/pattern"
)

// Pub sends values of type T to every Sub that has subscribed to their topic. A message
// has two frames: the topic, which subscriptions are matched against, and the value.
type Pub[T any] struct {
	*port
	coder coder[T]
}

// NewPub returns a Pub. nil options are the defaults.
func NewPub[T any](opts *Options) (*Pub[T], error) {
	p, err := newPort(pattern.Pub, opts, nameOf[T]())
	if err != nil {
		return nil, err
	}
	return &Pub[T]{p, coder[T]{codec: p.codec}}, nil
}

// Send publishes a value under a topic, which may be empty. A subscriber that has no
// room misses it, unless Options.Socket say otherwise.
func (p *Pub[T]) Send(ctx context.Context, topic string, v T) error {
	buf := scratch.Get()
	defer scratch.Put(buf)
	var err error
	if buf.B, err = p.coder.append(append(buf.B, topic...), v); err != nil {
		return err
	}
	return p.s.Send(ctx, buf.B[:len(topic)], buf.B[len(topic):])
}

// WaitSubscribers waits until at least n subscribers would get a value of that topic.
func (p *Pub[T]) WaitSubscribers(ctx context.Context, topic string, n int) error {
	return p.s.WaitSubscribers(ctx, topic, n)
}

// Sub receives what Pubs send under the topics that it has subscribed to.
type Sub[T any] struct {
	*port
	coder coder[T]
}

// NewSub returns a Sub, which receives nothing until it subscribes. nil options are the
// defaults.
func NewSub[T any](opts *Options) (*Sub[T], error) {
	p, err := newPort(pattern.Sub, opts, nameOf[T]())
	if err != nil {
		return nil, err
	}
	return &Sub[T]{p, coder[T]{codec: p.codec}}, nil
}

// Subscribe asks for all topics that start with prefix: every topic, if it is empty.
func (s *Sub[T]) Subscribe(prefix string) error { return s.s.Subscribe(prefix) }

// Unsubscribe undoes one Subscribe.
func (s *Sub[T]) Unsubscribe(prefix string) error { return s.s.Unsubscribe(prefix) }

// Recv returns the next value and its topic. Errors are those of [Pull.Recv]; a
// *DecodeError comes with the topic.
func (s *Sub[T]) Recv(ctx context.Context) (topic string, v T, err error) {
	m, err := s.s.Recv(ctx)
	if err != nil {
		return "", v, err
	}
	topic = string(m.Frame(0))
	v, err = s.coder.take(s.s, m, 2)
	return topic, v, err
}

// Values returns the values as they come, without their topics, as [Pull.Values] does.
func (s *Sub[T]) Values(ctx context.Context) iter.Seq2[T, error] {
	return values(ctx, func(ctx context.Context) (T, error) {
		_, v, err := s.Recv(ctx)
		return v, err
	})
}
