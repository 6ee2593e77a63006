package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ringwire/ringwire/examples/10-majordomo/mdp"
)

var (
	errUnknown = errors.New("titanic does not know this id")
	errTrouble = errors.New("titanic is in trouble")
)

// client talks to Titanic by way of the broker.
type client struct{ *mdp.Client }

func newClient(endpoint string, config mdp.Config) (client, error) {
	c, err := mdp.NewClient(endpoint, config)
	return client{c}, err
}

// request has a request for a service stored, and returns its id. When it returns an
// error, the request may be stored nevertheless: ask again only what may be done twice.
func (c client) request(ctx context.Context, service string, body ...[]byte) (id string, err error) {
	answer, err := c.call(ctx, "titanic.request", append([][]byte{[]byte(service)}, body...)...)
	if err != nil {
		return "", err
	}
	if len(answer) != 1 {
		return "", fmt.Errorf("got %q, want an id", answer)
	}
	return string(answer[0]), nil
}

// reply returns the reply to a request, or errPending, or errUnknown.
func (c client) reply(ctx context.Context, id string) ([][]byte, error) {
	return c.call(ctx, "titanic.reply", []byte(id))
}

// wait asks for the reply at an interval until it is there.
func (c client) wait(ctx context.Context, id string, interval time.Duration) ([][]byte, error) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		body, err := c.reply(ctx, id)
		if !errors.Is(err, errPending) {
			return body, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// forget tells Titanic that the reply is not needed any more.
func (c client) forget(ctx context.Context, id string) error {
	_, err := c.call(ctx, "titanic.close", []byte(id))
	return err
}

func (c client) call(ctx context.Context, service string, body ...[]byte) ([][]byte, error) {
	answer, err := c.Request(ctx, service, body...)
	if err != nil {
		return nil, err
	}
	switch code := string(answer[0]); code {
	case statusOK:
		return answer[1:], nil
	case statusPending:
		return nil, errPending
	case statusUnknown:
		return nil, errUnknown
	default:
		return nil, fmt.Errorf("%w: status %q", errTrouble, code)
	}
}
