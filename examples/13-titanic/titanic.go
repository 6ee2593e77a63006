package main

import (
	"context"
	"errors"
	"io/fs"
	"sync"
	"time"

	"github.com/ringwire/ringwire/examples/10-majordomo/mdp"
)

// Status frames of RFC 9.
const (
	statusOK      = "200"
	statusPending = "300"
	statusUnknown = "400"
	statusError   = "500"
)

// runTitanic offers the three services at the broker at an endpoint, and executes what
// is stored in a directory, until ctx ends, whose error it returns.
func runTitanic(ctx context.Context, endpoint, dir string, config mdp.Config) error {
	s, err := openStore(dir)
	if err != nil {
		return err
	}
	client, err := mdp.NewClient(endpoint, config)
	if err != nil {
		return err
	}
	defer client.Close()
	t := titanic{store: s, client: client, stored: make(chan struct{}, 1)}

	ctx, cancel := context.WithCancel(ctx)
	errs := make(chan error, 4)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	for service, handle := range map[string]mdp.Handler{
		"titanic.request": t.request,
		"titanic.reply":   t.reply,
		"titanic.close":   t.close,
	} {
		wg.Go(func() { errs <- mdp.RunWorker(ctx, endpoint, service, handle, config) })
	}
	wg.Go(func() { errs <- t.dispatch(ctx, config.Heartbeat) })
	return <-errs // whichever ends first ends the others
}

type titanic struct {
	store  *store
	client *mdp.Client
	stored chan struct{} // has something when there is a new request
}

func status(code string, body ...[]byte) [][]byte { return append([][]byte{[]byte(code)}, body...) }

// request answers when the request is on disk, and not before.
func (t *titanic) request(_ context.Context, body [][]byte) [][]byte {
	if len(body) < 2 {
		return status(statusUnknown)
	}
	id, err := t.store.add(body)
	if err != nil {
		return status(statusError)
	}
	select {
	case t.stored <- struct{}{}:
	default:
	}
	return status(statusOK, []byte(id))
}

func (t *titanic) reply(_ context.Context, body [][]byte) [][]byte {
	reply, err := t.store.reply(string(body[0]))
	switch {
	case err == nil:
		return status(statusOK, reply...)
	case errors.Is(err, errPending):
		return status(statusPending)
	case errors.Is(err, fs.ErrNotExist):
		return status(statusUnknown)
	}
	return status(statusError)
}

func (t *titanic) close(_ context.Context, body [][]byte) [][]byte {
	if err := t.store.remove(string(body[0])); err != nil {
		return status(statusError)
	}
	return status(statusOK)
}

// dispatch executes what is stored and was not executed yet, the oldest first: at
// once, after a request has come, and now and then, because a worker may have come.
func (t *titanic) dispatch(ctx context.Context, interval time.Duration) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		ids, err := t.store.pending()
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := t.execute(ctx, id); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.stored:
		case <-tick.C:
		}
	}
}

// execute asks the service that a request is for. Its errors are those of the disk: a
// service without a worker, or without an answer, is tried again later.
func (t *titanic) execute(ctx context.Context, id string) error {
	request, err := t.store.request(id)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // closed meanwhile
	} else if err != nil {
		return err
	}
	// A service without a worker must not hold up the others.
	found, err := t.client.Request(ctx, "mmi.service", request[0])
	if err != nil || string(found[0]) != "200" {
		return nil
	}
	reply, err := t.client.Request(ctx, string(request[0]), request[1:]...)
	if err != nil {
		return nil
	}
	return t.store.complete(id, reply)
}
