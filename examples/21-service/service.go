package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// The status of a reply.
const (
	ok          = "ok"
	failed      = "error"
	unavailable = "unavailable"
)

// config is what a service does, and how it stops.
type config struct {
	workers int
	handle  func(ctx context.Context, request string) (reply string, err error)
	quiet   time.Duration // it has stopped when no request came for so long
	grace   time.Duration // or, whatever is unfinished then, after so long
	options *socket.Options
}

// service answers requests. newService makes it, run runs it, once.
type service struct {
	config
	router *socket.Socket
	at     string

	ready         atomic.Bool
	done, refused atomic.Int64
}

// newService makes a service that listens, so that clients wait until it runs.
func newService(endpoint string, c config) (s *service, err error) {
	s = &service{config: c}
	var options socket.Options
	if c.options != nil {
		options = *c.options
	}
	options.DropUnroutable = true // a client that is gone needs no reply
	if s.router, err = socket.New(pattern.Router, &options); err != nil {
		return nil, err
	}
	if s.at, err = s.router.Bind(endpoint); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *service) close() error { return s.router.Close() }

// run answers requests until ctx is done, then stops within the grace period. The
// error says what it has given up; it is nil if everything was finished.
func (s *service) run(ctx context.Context) error {
	// Requests in hand outlive ctx, until the grace period is over.
	working, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	var workers sync.WaitGroup
	errs := make([]error, s.workers)
	receiving, stop := context.WithCancel(ctx)
	defer stop()
	for i := range errs {
		workers.Go(func() {
			errs[i] = s.work(receiving, working)
			stop() // a worker that fails stops the service
		})
	}
	s.ready.Store(true)
	<-receiving.Done()

	s.ready.Store(false)
	grace := time.AfterFunc(s.grace, giveUp)
	defer grace.Stop()
	workers.Wait()
	err := errors.Join(errs...)
	if err == nil {
		err = s.refuse(working)
	}
	return errors.Join(err, s.router.Shutdown(working))
}

// work answers one request after the other until receiving is done, and the one in
// hand then, until working is done.
func (s *service) work(receiving, working context.Context) error {
	for receiving.Err() == nil { // Recv looks at its context only when it has to wait
		request, err := s.router.Recv(receiving)
		if receiving.Err() != nil && err != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if request.Len() != 3 { // not a REQ with one frame
			request.Release()
			continue
		}
		reply, err := s.handle(working, string(request.Frame(2)))
		status := ok
		switch {
		case err != nil && working.Err() != nil:
			return fmt.Errorf("request %q was given up: %w", request.Frame(2), err)
		case err != nil:
			status, reply = failed, err.Error()
		}
		if err := s.router.Send(working, request.Frame(0), nil, []byte(status), []byte(reply)); err != nil {
			return err
		}
		s.done.Add(1)
		request.Release()
	}
	return nil
}

// refuse answers requests that the service does not do any more, until none has come
// for a while, or ctx is done.
func (s *service) refuse(ctx context.Context) error {
	for ctx.Err() == nil {
		waiting, cancel := context.WithTimeout(ctx, s.quiet)
		request, err := s.router.Recv(waiting)
		if err != nil && waiting.Err() != nil {
			err = nil
		}
		cancel()
		if request == nil || err != nil {
			return err
		}
		if request.Len() == 3 {
			err = s.router.Send(ctx, request.Frame(0), nil, []byte(unavailable), []byte("the service is stopping"))
			if err != nil {
				return err
			}
			s.refused.Add(1)
		}
		request.Release()
	}
	return nil
}

// shout is what this service does: it takes so long to put a text in capitals.
func shout(work time.Duration) func(context.Context, string) (string, error) {
	return func(ctx context.Context, text string) (string, error) {
		select {
		case <-time.After(work):
			return strings.ToUpper(text), nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}
