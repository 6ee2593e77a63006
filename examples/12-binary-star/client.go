package main

import (
	"context"
	"errors"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// client knows both servers, and asks the other one only when the one that answered
// last does not: that is its vote.
type client struct {
	config  Config
	servers []*socket.Socket
	current int
}

func newClient(endpoints []string, config Config) (*client, error) {
	c := &client{config: config}
	for _, endpoint := range endpoints {
		s, err := socket.New(pattern.Req, &config.Socket)
		if err == nil {
			c.servers = append(c.servers, s)
			err = s.Connect(endpoint)
		}
		if err != nil {
			c.Close()
			return nil, err
		}
	}
	return c, nil
}

// ask asks one server and the other in turn until one answers or ctx ends.
func (c *client) ask(ctx context.Context, question string) (answer string, err error) {
	for {
		try, cancel := context.WithTimeout(ctx, c.config.Timeout)
		m, err := c.servers[c.current].Do(try, []byte(question))
		cancel()
		if err == nil {
			return string(m.Bytes()), nil
		}
		if ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return "", err
		}
		c.current = (c.current + 1) % len(c.servers)
	}
}

func (c *client) Close() error {
	var failures []error
	for _, s := range c.servers {
		failures = append(failures, s.Close())
	}
	return errors.Join(failures...)
}
