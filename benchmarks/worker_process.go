package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/ringwire/ringwire/benchmarks/internal/child"
)

// workerProcess is a worker, seen from the suite.
type workerProcess struct {
	*child.Process[reply]
	lines *json.Encoder // to its input
}

// startWorker starts a worker. It is killed when ctx is done.
func startWorker(ctx context.Context) (*workerProcess, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	p, err := child.Start[reply](ctx, program, "worker")
	if err != nil {
		return nil, err
	}
	return &workerProcess{p, json.NewEncoder(p.Input)}, nil
}

// ask sends a request. The answer is for await.
func (p *workerProcess) ask(r request) error {
	if err := p.lines.Encode(r); err != nil {
		return p.Ended()
	}
	return nil
}

var errNoAnswer = errors.New("no answer")

// await returns the answer to the last request, or why there is none: also when
// the partner, without which there may never be one, has ended.
func (p *workerProcess) await(ctx context.Context, guard time.Duration, partner *workerProcess) (reply, error) {
	var partnerDone <-chan struct{}
	if partner != nil && partner != p {
		partnerDone = partner.Done
	}
	timer := time.NewTimer(guard)
	defer timer.Stop()
	select {
	case r, ok := <-p.Answers:
		if !ok {
			return r, p.Ended()
		}
		if r.Error != "" {
			return r, errors.New(r.Error)
		}
		return r, nil
	case <-partnerDone:
		return reply{}, fmt.Errorf("other side: %w", partner.Ended())
	case <-ctx.Done():
		return reply{}, context.Cause(ctx)
	case <-timer.C:
		return reply{}, fmt.Errorf("%w within %v", errNoAnswer, guard)
	}
}

// call is ask and await.
func (p *workerProcess) call(ctx context.Context, guard time.Duration, r request) (reply, error) {
	if err := p.ask(r); err != nil {
		return reply{}, err
	}
	return p.await(ctx, guard, nil)
}

// close ends the worker and waits for its end.
func (p *workerProcess) close() { p.Close(closing + time.Second) }
