package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// patience is how long a client waits for a reply, and how often it asks for it.
type patience struct {
	timeout time.Duration
	tries   int
}

// ask asks for the square of n until there is a reply, at most so many times. After
// each try that failed it calls again, unless that was the last one.
func (p patience) ask(ctx context.Context, req *socket.Socket, n int, again func(try int)) (square int, err error) {
	for try := 1; ; try++ {
		attempt, cancel := context.WithTimeout(ctx, p.timeout)
		reply, err := req.Do(attempt, strconv.AppendInt(nil, int64(n), 10))
		cancel()
		switch {
		case err == nil:
			defer reply.Release()
			return strconv.Atoi(string(reply.Bytes()))
		case ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded):
			return 0, err // not the server's fault
		case try == p.tries:
			return 0, fmt.Errorf("no reply for %d in %d tries of %v each: %w", n, p.tries, p.timeout, err)
		}
		again(try)
	}
}

// dial makes a client's socket. opts may be nil.
func dial(endpoint string, opts *socket.Options) (*socket.Socket, error) {
	var quick socket.Options
	if opts != nil {
		quick = *opts
	}
	// A server that comes back is found soon, however long it was away.
	quick.ReconnectMin, quick.ReconnectMax = 10*time.Millisecond, 100*time.Millisecond
	req, err := socket.New(pattern.Req, &quick)
	if err != nil {
		return nil, err
	}
	if err := req.Connect(endpoint); err != nil {
		return nil, errors.Join(err, req.Close())
	}
	return req, nil
}

// client asks for one square after the other until ctx is done.
func client(ctx context.Context, endpoint string, every time.Duration, p patience, out io.Writer) error {
	req, err := dial(endpoint, nil)
	if err != nil {
		return err
	}
	defer req.Close()
	ticks := time.NewTicker(every)
	defer ticks.Stop()
	for n := 1; ; n++ {
		square, err := p.ask(ctx, req, n, func(try int) {
			fmt.Fprintf(out, "client: no reply for %d in %v, try %d of %d\n", n, p.timeout, try+1, p.tries)
		})
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "client: the square of %d is %d\n", n, square)
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// listen makes a server's socket. opts may be nil.
func listen(endpoint string, opts *socket.Options) (rep *socket.Socket, at string, err error) {
	if rep, err = socket.New(pattern.Rep, opts); err != nil {
		return nil, "", err
	}
	if at, err = rep.Bind(endpoint); err != nil {
		return nil, "", errors.Join(err, rep.Close())
	}
	return rep, at, nil
}

// server squares numbers until ctx is done.
func server(ctx context.Context, endpoint string, out io.Writer) error {
	rep, at, err := listen(endpoint, nil)
	if err != nil {
		return err
	}
	defer rep.Close()
	fmt.Fprintln(out, "server: listens at", at)
	return serve(ctx, rep, 0, out)
}

// serve squares numbers until ctx is done, or until it gets the one that it dies of, if
// that is not 0: then it returns nil, with the request in hand.
func serve(ctx context.Context, rep *socket.Socket, deadly int, out io.Writer) error {
	for request, err := range rep.Messages(ctx) {
		if err != nil {
			return err
		}
		reply := []byte("not a number")
		n, err := strconv.Atoi(string(request.Bytes()))
		if err == nil {
			fmt.Fprintf(out, "server: gets %d\n", n)
			reply = strconv.AppendInt(reply[:0], int64(n)*int64(n), 10)
			if n == deadly && deadly != 0 {
				return nil
			}
		}
		request.Release()
		if err := rep.Send(ctx, reply); err != nil {
			return err
		}
	}
	return ringwire.ErrClosed
}
