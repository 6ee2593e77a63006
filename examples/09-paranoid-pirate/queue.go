package main

import (
	"context"
	"fmt"
	"log"
	"slices"
	"sync"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// runQueue gives requests that come in at front to the workers at back, each to the
// one that has waited longest, until ctx ends.
func runQueue(ctx context.Context, front, back string, config Config, out *log.Logger) error {
	clients, err := bind(front, config)
	if err != nil {
		return err
	}
	defer clients.Close()
	workers, err := bind(back, config)
	if err != nil {
		return err
	}
	defer workers.Close()
	q := queue{config: config, clients: clients, socket: workers, workers: make(map[string]*worker), out: out}

	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	requests, commands := inbox(ctx, &wg, clients), inbox(ctx, &wg, workers)
	tick := time.NewTicker(config.Heartbeat)
	defer tick.Stop()
	for {
		// Without a worker no request is taken: it waits in the socket, and when
		// that is full, with the clients.
		takeable := requests
		if len(q.waiting) == 0 {
			takeable = nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("queue: %w", ctx.Err())
		case m := <-takeable:
			q.dispatch(m)
		case m := <-commands:
			q.command(m)
		case <-tick.C:
			q.tick()
		}
	}
}

func bind(endpoint string, config Config) (*socket.Socket, error) {
	s, err := socket.New(pattern.Router, &config.Socket)
	if err != nil {
		return nil, err
	}
	if _, err := s.Bind(endpoint); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// queue is what the goroutine of runQueue owns.
type queue struct {
	config  Config
	clients *socket.Socket
	socket  *socket.Socket     // of the workers
	workers map[string]*worker // by identity
	waiting []*worker          // longest first
	out     *log.Logger
}

type worker struct {
	identity []byte
	expires  time.Time
}

// dispatch gives a request to a worker. One that is gone is skipped; if it is only
// dead, the request is lost, and the client asks again.
func (q *queue) dispatch(request [][]byte) {
	for len(q.waiting) > 0 {
		w := q.waiting[0]
		q.waiting = q.waiting[1:]
		if q.socket.TrySend(append([][]byte{w.identity}, request...)...) == nil {
			return
		}
		q.remove(w, "gone")
	}
}

// command handles what a worker says.
func (q *queue) command(m [][]byte) {
	identity, rest := m[0], m[1:]
	w := q.workers[string(identity)]
	switch {
	case len(rest) == 1 && string(rest[0]) == ready && w == nil:
		w = &worker{identity: identity}
		q.workers[string(identity)] = w
		q.waiting = append(q.waiting, w)
		q.out.Printf("queue: a worker is ready, there are %d", len(q.workers))
	case w == nil: // it was taken for dead, and will find out
		return
	case len(rest) > 2:
		q.clients.TrySend(rest...) // the client may be gone
		q.waiting = append(q.waiting, w)
	}
	w.expires = time.Now().Add(q.config.patience())
}

// tick gives signs of life, and forgets who gave none.
func (q *queue) tick() {
	now := time.Now()
	for _, w := range q.workers {
		if now.After(w.expires) {
			q.remove(w, "silent")
		} else {
			q.socket.TrySend(w.identity, []byte(heartbeat))
		}
	}
}

func (q *queue) remove(w *worker, why string) {
	delete(q.workers, string(w.identity))
	q.waiting = slices.DeleteFunc(q.waiting, func(other *worker) bool { return other == w })
	q.out.Printf("queue: a worker is %s, there are %d", why, len(q.workers))
}

// inbox hands on what s receives, so that a select can wait for it next to timers. A
// message is taken from the socket when the one before it has been taken from here.
func inbox(ctx context.Context, wg *sync.WaitGroup, s *socket.Socket) <-chan [][]byte {
	messages := make(chan [][]byte)
	wg.Go(func() {
		for m, err := range s.Messages(ctx) {
			if err != nil {
				return
			}
			select {
			case messages <- frames(m):
			case <-ctx.Done():
				return
			}
		}
	})
	return messages
}

// frames are the frames of a message, which is not released and so stays theirs.
func frames(m *ringwire.Message) [][]byte {
	list := make([][]byte, m.Len())
	for i := range list {
		list[i] = m.Frame(i)
	}
	return list
}
