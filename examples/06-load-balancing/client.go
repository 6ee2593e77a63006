package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// client sends n requests, one after the other, and says how many of them each
// worker did.
func client(ctx context.Context, endpoint string, n int, opts *socket.Options) (shares map[string]int, err error) {
	req, err := dial(pattern.Req, endpoint, opts)
	if err != nil {
		return nil, err
	}
	defer req.Close()
	shares = make(map[string]int)
	for i := range n {
		reply, err := req.Do(ctx, fmt.Append(nil, i))
		if err != nil {
			return nil, fmt.Errorf("request %d: %w", i, err)
		}
		shares[string(reply.Bytes())]++
		reply.Release()
	}
	return shares, nil
}

// crowd runs clients at the same time and says how many requests each worker did.
func crowd(ctx context.Context, endpoint string, clients, requests int, opts *socket.Options) (map[string]int, error) {
	type result struct {
		shares map[string]int
		err    error
	}
	results := make(chan result)
	for range clients {
		go func() {
			shares, err := client(ctx, endpoint, requests, opts)
			results <- result{shares, err}
		}()
	}
	all := make(map[string]int)
	var errs []error
	for range clients {
		r := <-results
		errs = append(errs, r.err)
		for name, n := range r.shares {
			all[name] += n
		}
	}
	return all, errors.Join(errs...)
}

// dial makes a socket that connects to an endpoint.
func dial(spec *pattern.Spec, endpoint string, opts *socket.Options) (*socket.Socket, error) {
	s, err := socket.New(spec, opts)
	if err != nil {
		return nil, err
	}
	if err := s.Connect(endpoint); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}
