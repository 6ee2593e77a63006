package mdp

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// Handler works on one request and returns the body of the reply, at least one frame.
// Its context ends when the broker is lost or the worker stops: the reply is then not
// wanted any more.
type Handler func(ctx context.Context, body [][]byte) [][]byte

var (
	errSilent       = errors.New("the broker is silent")
	errDisconnected = errors.New("the broker does not know this worker")
)

// RunWorker offers a service until ctx ends, whose error it returns. It works on one
// request at a time, and gives signs of life meanwhile, however long that takes.
func RunWorker(ctx context.Context, endpoint, service string, handle Handler, config Config) error {
	config = config.withDefaults()
	for {
		err := converse(ctx, endpoint, service, handle, config)
		if !errors.Is(err, errSilent) && !errors.Is(err, errDisconnected) {
			return fmt.Errorf("worker for %q: %w", service, err)
		}
		config.Log.Printf("worker: %v: it registers again", err)
		select { // a broker that refuses the service would refuse it again at once
		case <-ctx.Done():
			return fmt.Errorf("worker for %q: %w", service, ctx.Err())
		case <-time.After(config.Heartbeat):
		}
	}
}

// converse is one conversation, from READY on, on a socket of its own: the broker must
// not take it for the one before.
func converse(ctx context.Context, endpoint, service string, handle Handler, config Config) error {
	s, err := socket.New(pattern.Dealer, &config.Socket)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Connect(endpoint); err != nil {
		return err
	}
	if err := s.Send(ctx, command(nil, "", workerHeader, ready, service)...); err != nil {
		return err
	}

	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	messages := inbox(ctx, &wg, s)
	replies := make(chan [][]byte) // of the handler
	busy := false
	tick := time.NewTicker(config.Heartbeat)
	defer tick.Stop()
	silence := time.NewTimer(config.patience())
	defer silence.Stop()
	for {
		select {
		case <-ctx.Done():
			s.TrySend(command(nil, "", workerHeader, disconnect)...) // Close delivers it
			return ctx.Err()
		case <-silence.C:
			return errSilent
		case <-tick.C:
			s.TrySend(command(nil, "", workerHeader, heartbeat)...)
		case m := <-replies:
			busy = false
			if err := s.Send(ctx, m...); err != nil {
				return err
			}
		case m := <-messages:
			if len(m) < 3 || len(m[0]) != 0 || string(m[1]) != workerHeader {
				continue // not from a broker
			}
			silence.Reset(config.patience())
			switch string(m[2]) {
			case disconnect:
				return errDisconnected
			case request:
				if busy || len(m) < 6 || len(m[4]) != 0 {
					continue // no broker sends this
				}
				busy = true
				wg.Go(func() {
					body := handle(ctx, m[5:])
					select {
					case replies <- command(body, "", workerHeader, reply, string(m[3]), ""):
					case <-ctx.Done():
					}
				})
			}
		}
	}
}
