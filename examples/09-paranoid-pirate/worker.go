package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"sync"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

var errSilent = errors.New("the queue is silent")

// runWorker works for the queue at an endpoint until ctx ends.
func runWorker(ctx context.Context, endpoint, name string, handle func(context.Context, []byte) []byte, config Config, out *log.Logger) error {
	for {
		err := converse(ctx, endpoint, name, handle, config, out)
		if !errors.Is(err, errSilent) {
			return fmt.Errorf("worker %s: %w", name, err)
		}
		// The new socket backs off by itself while there is nobody to connect to.
		out.Printf("%s: %v, READY again on a new socket", name, err)
	}
}

// converse is one conversation, from READY until the queue is silent.
func converse(ctx context.Context, endpoint, name string, handle func(context.Context, []byte) []byte, config Config, out *log.Logger) error {
	s, err := socket.New(pattern.Dealer, &config.Socket)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Connect(endpoint); err != nil {
		return err
	}
	if err := s.Send(ctx, []byte(ready)); err != nil {
		return err
	}

	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	messages := inbox(ctx, &wg, s)
	replies := make(chan [][]byte)
	tick := time.NewTicker(config.Heartbeat)
	defer tick.Stop()
	silence := time.NewTimer(config.patience())
	defer silence.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-silence.C:
			return errSilent
		case <-tick.C:
			s.TrySend([]byte(heartbeat))
		case m := <-replies:
			if err := s.Send(ctx, m...); err != nil {
				return err
			}
		case m := <-messages:
			silence.Reset(config.patience())
			if len(m) != 3 {
				continue // a heartbeat
			}
			// The queue gives a worker one request at a time. It is worked on beside
			// this loop: a long one is no silence.
			wg.Go(func() {
				out.Printf("%s: request %s", name, m[2])
				body := handle(ctx, m[2])
				select {
				case replies <- [][]byte{m[0], m[1], body}:
				case <-ctx.Done():
				}
			})
		}
	}
}
