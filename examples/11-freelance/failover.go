package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// failover is model 1: a socket for each server, and one request at a time.
type failover struct {
	config    Config
	servers   []*socket.Socket
	endpoints []string
	preferred int // answered last
}

func newFailover(endpoints []string, config Config) (*failover, error) {
	f := &failover{config: config, endpoints: endpoints}
	for _, endpoint := range endpoints {
		s, err := socket.New(pattern.Req, &config.Socket)
		if err == nil {
			f.servers = append(f.servers, s)
			err = s.Connect(endpoint)
		}
		if err != nil {
			f.Close()
			return nil, err
		}
	}
	return f, nil
}

// ask asks the server that answered last, and then the others, each for Timeout.
func (f *failover) ask(ctx context.Context, question string) (answer string, err error) {
	var failures []error
	for i := range f.servers {
		n := (f.preferred + i) % len(f.servers)
		answer, err := f.try(ctx, f.servers[n], question)
		if err == nil {
			f.preferred = n
			return answer, nil
		}
		failures = append(failures, fmt.Errorf("%s: %w", f.endpoints[n], err))
	}
	return "", errors.Join(failures...)
}

func (f *failover) try(ctx context.Context, s *socket.Socket, question string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, f.config.Timeout)
	defer cancel()
	// Do never returns the reply to an earlier request, so the number says nothing.
	m, err := s.Do(ctx, number(0), []byte(question))
	if err != nil {
		return "", err
	}
	if m.Len() != 2 {
		return "", fmt.Errorf("got %s, want control and body", m)
	}
	return string(m.Frame(1)), nil
}

func (f *failover) Close() error {
	var failures []error
	for _, s := range f.servers {
		failures = append(failures, s.Close())
	}
	return errors.Join(failures...)
}

// number is the control frame of a request.
func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
