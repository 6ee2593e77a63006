package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// errUnavailable is what a service says that stops: nothing was done, ask another one.
var errUnavailable = errors.New("unavailable")

// ask sends a request and returns its reply.
func ask(ctx context.Context, req *socket.Socket, text string) (string, error) {
	reply, err := req.Do(ctx, []byte(text))
	if err != nil {
		return "", err
	}
	defer reply.Release()
	if reply.Len() != 2 {
		return "", fmt.Errorf("a reply of %d frames, want 2: %v", reply.Len(), reply)
	}
	result := string(reply.Frame(1))
	switch status := string(reply.Frame(0)); status {
	case ok:
		return result, nil
	case unavailable:
		return "", fmt.Errorf("%w: %s", errUnavailable, result)
	default:
		return "", fmt.Errorf("%s: %s", status, result)
	}
}

// dial makes a client's socket. opts may be nil.
func dial(endpoint string, opts *socket.Options) (*socket.Socket, error) {
	req, err := socket.New(pattern.Req, opts)
	if err != nil {
		return nil, err
	}
	if err := req.Connect(endpoint); err != nil {
		return nil, errors.Join(err, req.Close())
	}
	return req, nil
}

// askUntilRefused asks until the first error, and says how many replies it had before.
func askUntilRefused(ctx context.Context, endpoint string, opts *socket.Options) (replies int, err error) {
	req, err := dial(endpoint, opts)
	if err != nil {
		return 0, err
	}
	defer req.Close()
	for {
		if _, err := ask(ctx, req, "hello"); err != nil {
			return replies, err
		}
		replies++
	}
}

// client asks every so often until ctx is done, whether there is a service or not.
func client(ctx context.Context, endpoint string, every time.Duration, out io.Writer) error {
	req, err := dial(endpoint, nil)
	if err != nil {
		return err
	}
	defer req.Close()
	for {
		attempt, cancel := context.WithTimeout(ctx, every)
		reply, err := ask(attempt, req, "hello")
		if err != nil {
			fmt.Fprintln(out, "client:", err)
		} else {
			fmt.Fprintf(out, "client: %q\n", reply)
		}
		<-attempt.Done()
		cancel()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}
