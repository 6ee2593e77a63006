package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/ringwire/ringwire/device"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// queue runs a queue until ctx is done.
func queue(ctx context.Context, front, back string, out io.Writer) error {
	q, askHere, workHere, err := newQueue(front, back)
	if err != nil {
		return err
	}
	defer q.Close()
	fmt.Fprintf(out, "queue: ask at %s, work for %s\n", askHere, workHere)
	return q.Run(ctx)
}

// newQueue makes a queue and says where it is.
func newQueue(front, back string) (q *device.Device, askHere, workHere string, err error) {
	if q, err = device.NewQueue(nil, nil, nil); err != nil {
		return nil, "", "", err
	}
	if askHere, err = q.Front().Bind(front); err == nil {
		workHere, err = q.Back().Bind(back)
	}
	if err != nil {
		return nil, "", "", errors.Join(err, q.Close())
	}
	return q, askHere, workHere, nil
}

// worker puts words in capitals until ctx is done. That it connects instead of
// binding is all that makes it a worker of a queue.
func worker(ctx context.Context, endpoint, name string) error {
	rep, err := dial(pattern.Rep, endpoint)
	if err != nil {
		return err
	}
	defer rep.Close()
	for word, err := range rep.Messages(ctx) {
		if err != nil {
			return err
		}
		if err := rep.Send(ctx, bytes.ToUpper(word.Bytes()), []byte(name)); err != nil {
			return err
		}
		word.Release()
	}
	return nil
}

// client sends n requests, one after the other, and says how many of them each
// worker did.
func client(ctx context.Context, endpoint string, n int) (shares map[string]int, err error) {
	req, err := dial(pattern.Req, endpoint)
	if err != nil {
		return nil, err
	}
	defer req.Close()
	shares = make(map[string]int)
	for i := range n {
		reply, err := req.Do(ctx, fmt.Appendf(nil, "word %d", i))
		if err != nil {
			return nil, err
		}
		if reply.Len() != 2 || string(reply.Frame(0)) != fmt.Sprintf("WORD %d", i) {
			return nil, fmt.Errorf("the reply to word %d is %v", i, reply)
		}
		shares[string(reply.Frame(1))]++
		reply.Release()
	}
	return shares, nil
}

// dial makes a socket that connects to an endpoint.
func dial(spec *pattern.Spec, endpoint string) (*socket.Socket, error) {
	s, err := socket.New(spec, nil)
	if err != nil {
		return nil, err
	}
	if err := s.Connect(endpoint); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}
