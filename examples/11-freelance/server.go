package main

import (
	"context"
	"fmt"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// serve answers clients of all three models until ctx ends.
func serve(ctx context.Context, endpoint string, options socket.Options) error {
	// Clients of model 3 address a server by its endpoint.
	options.Identity = []byte(endpoint)
	// An answer to a client that is gone, or does not read, must hold up nobody.
	options.DropUnroutable = true
	s, err := socket.New(pattern.Router, &options)
	if err != nil {
		return err
	}
	defer s.Close()
	if _, err := s.Bind(endpoint); err != nil {
		return err
	}
	for m, err := range s.Messages(ctx) {
		if err != nil {
			return fmt.Errorf("server %s: %w", endpoint, err)
		}
		if answer := reply(m, endpoint); answer != nil {
			if err := s.Send(ctx, answer...); err != nil {
				return fmt.Errorf("server %s: %w", endpoint, err)
			}
		}
		m.Release()
	}
	return nil
}

// reply is the answer to a message, nil for one that is no request.
func reply(m *ringwire.Message, endpoint string) [][]byte {
	answer := [][]byte{m.Frame(0)} // the client
	next := 1
	if m.Len() > 1 && len(m.Frame(1)) == 0 { // REQ and DEALER
		answer = append(answer, nil)
		next = 2
	}
	switch {
	case m.Len() == next+1 && string(m.Frame(next)) == "PING":
		return append(answer, []byte("PONG"))
	case m.Len() == next+2:
		return append(answer, m.Frame(next), []byte(endpoint))
	}
	return nil
}
