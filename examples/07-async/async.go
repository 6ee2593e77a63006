package main

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"sync"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/socket"
)

// The second frame of a reply.
const (
	part = "part" // there will be more
	end  = "end"  // the last one: an error, or empty
)

// A handler does a job and may reply any number of times.
type handler func(ctx context.Context, job string, reply func(text string) error) error

// serve does jobs, so many at a time, until ctx is done. Further ones wait in the
// socket, and when that is full, with the clients.
func serve(ctx context.Context, router *socket.Socket, workers int, handle handler) error {
	group, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for request, err := range router.Messages(group) {
				if err != nil {
					stop(err)
					return
				}
				if request.Len() == 3 { // anything else is no request
					number, job := request.Frame(1), string(request.Frame(2))
					send := func(kind, text string) error {
						return router.Send(group, request.Frame(0), number, []byte(kind), []byte(text))
					}
					text := ""
					if err := handle(group, job, func(text string) error { return send(part, text) }); err != nil {
						text = err.Error()
					}
					if err := send(end, text); err != nil {
						stop(err)
						return
					}
				}
				request.Release()
			}
		})
	}
	wg.Wait()
	return context.Cause(group)
}

// answer is one reply to one of several jobs.
type answer struct {
	job    int    // the number of the job
	text   string // unless it is the last
	last   bool
	failed string // what went wrong, if it is the last and something did
}

// ask sends all jobs at once and returns the replies as they come, until all jobs
// have ended.
func ask(ctx context.Context, dealer *socket.Socket, jobs []string) iter.Seq2[answer, error] {
	return func(yield func(answer, error) bool) {
		for i, job := range jobs {
			if err := dealer.Send(ctx, strconv.AppendInt(nil, int64(i), 10), []byte(job)); err != nil {
				yield(answer{}, fmt.Errorf("send job %d: %w", i, err))
				return
			}
		}
		open := len(jobs)
		for open > 0 {
			m, err := dealer.Recv(ctx)
			if err != nil {
				yield(answer{}, fmt.Errorf("%d jobs have not ended: %w", open, err))
				return
			}
			a, err := parse(m, len(jobs))
			m.Release()
			if a.last {
				open--
			}
			if !yield(a, err) || err != nil {
				return
			}
		}
	}
}

// parse makes an answer to one of n jobs of a message.
func parse(m *ringwire.Message, n int) (a answer, err error) {
	if m.Len() != 3 {
		return a, fmt.Errorf("a reply of %d frames, want 3: %v", m.Len(), m)
	}
	if a.job, err = strconv.Atoi(string(m.Frame(0))); err != nil || a.job < 0 || a.job >= n {
		return a, fmt.Errorf("a reply to %q, which was not asked", m.Frame(0))
	}
	switch kind := string(m.Frame(1)); kind {
	case part:
		a.text = string(m.Frame(2))
	case end:
		a.last, a.failed = true, string(m.Frame(2))
	default:
		return a, fmt.Errorf("a reply of kind %q, want %s or %s", kind, part, end)
	}
	return a, nil
}
