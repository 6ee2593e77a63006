package main

import (
	"context"
	"fmt"
	"log"
	"sync"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// server is one of the two.
type server struct {
	name   string
	config Config
	out    *log.Logger

	mu      sync.Mutex // guards the rest
	state   state
	changed chan struct{} // closed when state changes
	heard   time.Time     // when the peer last told its state
}

func newServer(role state, config Config, out *log.Logger) *server {
	name := "primary"
	if role == backup {
		name = "backup"
	}
	return &server{name: name, config: config, out: out, state: role, changed: make(chan struct{})}
}

// run serves clients at one endpoint, tells its state at another and listens to the
// peer at a third, until ctx ends or both servers are active.
func (s *server) run(ctx context.Context, clients, states, peer string) error {
	options := s.config.Socket
	options.DropUnroutable = true // a client that is gone holds up nobody
	front, err := socket.New(pattern.Router, &options)
	if err != nil {
		return err
	}
	defer front.Close()
	pub, err := socket.New(pattern.Pub, &s.config.Socket)
	if err != nil {
		return err
	}
	defer pub.Close()
	sub, err := socket.New(pattern.Sub, &s.config.Socket)
	if err != nil {
		return err
	}
	defer sub.Close()
	if _, err := front.Bind(clients); err != nil {
		return err
	}
	if _, err := pub.Bind(states); err != nil {
		return err
	}
	if err := sub.Subscribe(""); err != nil {
		return err
	}
	if err := sub.Connect(peer); err != nil {
		return err
	}

	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	requests, heard := inbox(ctx, &wg, front), inbox(ctx, &wg, sub)
	tick := time.NewTicker(s.config.Heartbeat)
	defer tick.Stop()
	s.mu.Lock()
	s.heard = time.Now() // the peer has this long to make itself heard
	s.mu.Unlock()
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", s.name, ctx.Err())
		case <-tick.C:
			pub.TrySend([]byte{byte(s.current())})
		case m := <-heard:
			if err := s.hear(m); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
		case m := <-requests:
			if m.Len() != 3 || !s.vote() {
				continue
			}
			answer := fmt.Appendf(nil, "%s is answered by the %s", m.Frame(2), s.name)
			if err := front.Send(ctx, m.Frame(0), nil, answer); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
		}
	}
}

func (s *server) hear(m *ringwire.Message) error {
	if len(m.Bytes()) != 1 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = time.Now()
	next, err := hear(s.state, state(m.Bytes()[0]))
	s.become(next, "its peer is "+state(m.Bytes()[0]).String())
	return err
}

// vote counts a client's request and reports whether to answer it.
func (s *server) vote() (answers bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	silent := time.Since(s.heard) > 3*s.config.Heartbeat
	next, answers := vote(s.state, silent)
	s.become(next, "its peer is silent and a client votes for it")
	return answers
}

// become is called with mu held.
func (s *server) become(next state, why string) {
	if next == s.state {
		return
	}
	s.out.Printf("%s: %s, because %s", s.name, next, why)
	s.state = next
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *server) current() state {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// wait waits until the server is in a state.
func (s *server) wait(ctx context.Context, want state) error {
	for {
		s.mu.Lock()
		got, changed := s.state, s.changed
		s.mu.Unlock()
		if got == want {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%s is %s, want %s: %w", s.name, got, want, ctx.Err())
		}
	}
}

// inbox hands on what s receives, so that a select can wait for it next to timers.
func inbox(ctx context.Context, wg *sync.WaitGroup, s *socket.Socket) <-chan *ringwire.Message {
	messages := make(chan *ringwire.Message)
	wg.Go(func() {
		for m, err := range s.Messages(ctx) {
			if err != nil {
				return
			}
			select {
			case messages <- m:
			case <-ctx.Done():
				return
			}
		}
	})
	return messages
}
