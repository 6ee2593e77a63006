package mdp

import (
	"context"
	"errors"
	"fmt"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// ErrNoReply is returned by Request when no reply came, however often it asked.
var ErrNoReply = errors.New("no reply")

// Client asks for services. It is safe for any number of goroutines, whose requests
// are made one after the other.
type Client struct {
	config Config
	socket *socket.Socket
}

// NewClient returns a client of the broker at an endpoint. It does not wait for the
// broker. Close ends it.
func NewClient(endpoint string, config Config) (*Client, error) {
	config = config.withDefaults()
	s, err := socket.New(pattern.Req, &config.Socket)
	if err != nil {
		return nil, err
	}
	if err := s.Connect(endpoint); err != nil {
		s.Close()
		return nil, err
	}
	return &Client{config, s}, nil
}

// Request sends a request of at least one frame and returns the reply's body. It asks
// Config.Tries times before it returns ErrNoReply; other errors are those of ctx and
// of the socket.
func (c *Client) Request(ctx context.Context, service string, body ...[]byte) ([][]byte, error) {
	for range c.config.Tries {
		m, err := c.try(ctx, service, body)
		if err == nil {
			if len(m) < 3 || string(m[0]) != clientHeader || string(m[1]) != service {
				return nil, fmt.Errorf("request %q: got %q, want %s, the service and a body", service, m, clientHeader)
			}
			return m[2:], nil
		}
		if ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return nil, fmt.Errorf("request %q: %w", service, err)
		}
	}
	return nil, fmt.Errorf("request %q: %w after %d tries", service, ErrNoReply, c.config.Tries)
}

// try asks once. Do never returns the late reply to an earlier request.
func (c *Client) try(ctx context.Context, service string, body [][]byte) ([][]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	m, err := c.socket.Do(ctx, command(body, clientHeader, service)...)
	if err != nil {
		return nil, err
	}
	return frames(m), nil
}

// Close closes the client's socket.
func (c *Client) Close() error { return c.socket.Close() }
