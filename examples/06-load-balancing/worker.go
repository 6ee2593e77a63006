package main

import (
	"context"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// worker asks the broker for work, takes that long for each request, and replies
// with its name, until ctx is done.
func worker(ctx context.Context, endpoint, name string, work time.Duration, opts *socket.Options) error {
	req, err := dial(pattern.Req, endpoint, opts)
	if err != nil {
		return err
	}
	defer req.Close()
	if err := req.Send(ctx, []byte(ready)); err != nil {
		return err
	}
	for request, err := range req.Messages(ctx) {
		if err != nil {
			return err
		}
		select { // the work
		case <-time.After(work):
		case <-ctx.Done():
			return ctx.Err()
		}
		// The envelope goes back as it came.
		if err := req.Send(ctx, request.Frame(0), nil, []byte(name)); err != nil {
			return err
		}
		request.Release()
	}
	return ringwire.ErrClosed
}
