package main

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// patience is how long nothing may happen before a tool says that it waits.
const patience = 5 * time.Second

// grace is for what needs a moment to end: a role whose peer has gone may have
// its last answer already, and sockets without linger have files to remove.
const grace = time.Second

// waits says once in a run what is waited for.
func (j *job) waits(what string) {
	j.said.Do(func() { fmt.Fprintf(j.log, "%s: %s; waiting\n", j.tool, what) })
}

// noPeer is what is waited for when nobody has come.
func (j *job) noPeer() string { return fmt.Sprintf("no peer at %s yet", j.endpoint) }

// noMessage is what is waited for when nothing moves.
func (j *job) noMessage() string { return fmt.Sprintf("no message for %g s", j.patience.Seconds()) }

// peerLost is the error for a connection that was lost before all was done.
func (j *job) peerLost(err error) error {
	return fmt.Errorf("the peer at %s is gone before all %d round trips were made: %w", j.endpoint, j.count, err)
}

// watch looks from a timer, outside of the loops, whether anything happens: look
// returns a number that changes when it does, 0 at first, and what is waited for
// when it does not. After stop, look is not called any more.
func (j *job) watch(look func() (moved int64, what string)) (stop func()) {
	if j.patience <= 0 {
		return func() {}
	}
	var mu sync.Mutex
	var timer *time.Timer
	var last int64
	over := false
	mu.Lock()
	defer mu.Unlock()
	timer = time.AfterFunc(j.patience, func() {
		mu.Lock()
		defer mu.Unlock()
		if over {
			return
		}
		moved, what := look()
		if moved == last {
			j.waits(what)
			return
		}
		last = moved
		timer.Reset(j.patience)
	})
	return func() {
		mu.Lock()
		defer mu.Unlock()
		over = true
		timer.Stop()
	}
}

// delivering waits for end, which returns when peers have taken what was sent,
// or for ctx. Nothing else ends it: after ctx it goes on until the process
// ends.
func (j *job) delivering(ctx context.Context, end func() error) error {
	stop := j.watch(func() (int64, string) { return 0, "not everything was delivered yet" })
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- end() }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-ended:
		return err
	case <-time.After(grace):
		return fmt.Errorf("interrupted: %w", ctx.Err())
	}
}

// lostPeer has shut called, a moment after gone was closed, unless the function
// that it returns was called before. That one returns whether shut was called.
func lostPeer(gone <-chan struct{}, shut func()) (done func() (lost bool)) {
	finished, ended := make(chan struct{}), make(chan struct{})
	lost := false
	go func() {
		defer close(ended)
		select {
		case <-gone:
		case <-finished:
			return
		}
		select {
		case <-time.After(grace):
			lost = true
			shut()
		case <-finished:
		}
	}()
	return func() bool {
		close(finished)
		<-ended
		return lost
	}
}
