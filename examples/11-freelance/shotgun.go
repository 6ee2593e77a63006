package main

import (
	"bytes"
	"context"
	"fmt"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// shotgun is model 2: one socket for all servers, and one request at a time.
type shotgun struct {
	config  Config
	socket  *socket.Socket
	servers int
	last    uint64 // request
}

func newShotgun(endpoints []string, config Config) (*shotgun, error) {
	s, err := socket.New(pattern.Dealer, &config.Socket)
	if err != nil {
		return nil, err
	}
	for _, endpoint := range endpoints {
		if err := s.Connect(endpoint); err != nil {
			s.Close()
			return nil, err
		}
	}
	return &shotgun{config: config, socket: s, servers: len(endpoints)}, nil
}

// ask asks all servers. A DEALER sends to its peers in turn, so as many messages as
// there are peers go to each of them; what is meant for one that is dead waits in its
// queue, and is answered, too late, when it comes back.
func (s *shotgun) ask(ctx context.Context, question string) (answer string, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	s.last++
	for range s.servers {
		if err := s.socket.Send(ctx, nil, number(s.last), []byte(question)); err != nil {
			return "", err
		}
	}
	for {
		m, err := s.socket.Recv(ctx)
		if err != nil {
			return "", fmt.Errorf("no server answers: %w", err)
		}
		// Late answers to earlier requests are told by their number.
		if m.Len() == 3 && bytes.Equal(m.Frame(1), number(s.last)) {
			return string(m.Frame(2)), nil
		}
		m.Release()
	}
}

func (s *shotgun) Close() error { return s.socket.Close() }
