package main

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// tries is how often a client asks before it gives up.
const tries = 10

// ask asks a question after the other, each until it is answered.
func ask(ctx context.Context, endpoint string, questions []string, config Config, out *log.Logger) error {
	s, err := socket.New(pattern.Req, &config.Socket)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Connect(endpoint); err != nil {
		return err
	}
	for _, question := range questions {
		answer, err := insist(ctx, s, question, config)
		if err != nil {
			return fmt.Errorf("client: request %s: %w", question, err)
		}
		out.Printf("client: reply %s", answer)
	}
	return nil
}

// insist asks until there is an answer. Do returns by its deadline, and never the late
// reply to an earlier request.
func insist(ctx context.Context, s *socket.Socket, question string, config Config) (answer string, err error) {
	for range tries {
		try, cancel := context.WithTimeout(ctx, config.Timeout)
		m, err := s.Do(try, []byte(question))
		cancel()
		if err == nil {
			return string(m.Bytes()), nil
		}
		if ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return "", err
		}
	}
	return "", fmt.Errorf("no reply after %d tries", tries)
}
