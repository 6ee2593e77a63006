package mdp

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// RunBroker brings clients and workers together at an endpoint until ctx ends, whose
// error it returns. What it knows is in memory only: after a restart, workers register
// again by themselves, and clients ask again.
func RunBroker(ctx context.Context, endpoint string, config Config) error {
	config = config.withDefaults()
	s, err := socket.New(pattern.Router, &config.Socket)
	if err != nil {
		return err
	}
	defer s.Close()
	if _, err := s.Bind(endpoint); err != nil {
		return err
	}
	b := broker{config: config, socket: s, services: make(map[string]*service), workers: make(map[string]*worker)}

	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	messages := inbox(ctx, &wg, s)
	tick := time.NewTicker(config.Heartbeat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("broker: %w", ctx.Err())
		case m := <-messages:
			b.take(m)
		case <-tick.C:
			b.tick()
		}
	}
}

// broker is what the goroutine of RunBroker owns.
type broker struct {
	config   Config
	socket   *socket.Socket
	services map[string]*service
	workers  map[string]*worker // by identity
}

type service struct {
	name     string
	requests []*job    // oldest first
	waiting  []*worker // longest first
	workers  int       // busy ones included
}

type worker struct {
	identity string
	service  *service
	expires  time.Time
	job      *job // nil: it waits
}

// job is a request on its way.
type job struct {
	client  string
	body    [][]byte
	expires time.Time
}

// take handles one message. What is malformed is dropped.
func (b *broker) take(m [][]byte) {
	if len(m) < 4 || len(m[1]) != 0 {
		return
	}
	sender, rest := string(m[0]), m[3:]
	switch string(m[2]) {
	case clientHeader:
		if len(rest) >= 2 {
			b.request(sender, string(rest[0]), rest[1:])
		}
	case workerHeader:
		b.command(sender, string(rest[0]), rest[1:])
	}
}

func (b *broker) request(client, name string, body [][]byte) {
	if strings.HasPrefix(name, "mmi.") {
		b.send(command([][]byte{b.management(name, string(body[0]))}, client, "", clientHeader, name))
		return
	}
	s := b.service(name)
	s.requests = append(s.requests, &job{client, body, time.Now().Add(b.config.Expiry)})
	b.dispatch(s)
}

func (b *broker) management(name, argument string) []byte {
	if name != "mmi.service" {
		return []byte("501")
	}
	if s := b.services[argument]; s != nil && s.workers > 0 {
		return []byte("200")
	}
	return []byte("404")
}

func (b *broker) command(sender, what string, rest [][]byte) {
	w := b.workers[sender]
	if w != nil {
		w.expires = time.Now().Add(b.config.patience())
	}
	switch {
	case what == ready && w == nil && len(rest) == 1 && !strings.HasPrefix(string(rest[0]), "mmi."):
		s := b.service(string(rest[0]))
		w = &worker{identity: sender, service: s, expires: time.Now().Add(b.config.patience())}
		b.workers[sender] = w
		s.workers++
		b.config.Log.Printf("broker: a worker registers, %q now has %d", s.name, s.workers)
		b.release(w)
	case what == heartbeat && w != nil && len(rest) == 0:
	case what == disconnect:
		if w != nil {
			b.remove(w, "has left")
		}
	case what == reply && w != nil && w.job != nil && len(rest) >= 3 && string(rest[0]) == w.job.client && len(rest[1]) == 0:
		b.send(command(rest[2:], w.job.client, "", clientHeader, w.service.name))
		w.job = nil
		b.release(w)
	default: // valid or not, nothing that belongs here
		b.send(command(nil, sender, "", workerHeader, disconnect))
		if w != nil {
			b.remove(w, "does not keep to the protocol")
		}
	}
}

// release makes a worker wait for work.
func (b *broker) release(w *worker) {
	w.service.waiting = append(w.service.waiting, w)
	b.dispatch(w.service)
}

// dispatch gives requests to workers, as long as there are both.
func (b *broker) dispatch(s *service) {
	for len(s.requests) > 0 && len(s.waiting) > 0 {
		j, w := s.requests[0], s.waiting[0]
		s.requests, s.waiting = s.requests[1:], s.waiting[1:]
		w.job = j
		if !b.send(command(j.body, w.identity, "", workerHeader, request, j.client, "")) {
			b.remove(w, "is gone")
		}
	}
}

// remove forgets a worker; another one gets its request.
func (b *broker) remove(w *worker, why string) {
	s := w.service
	delete(b.workers, w.identity)
	s.waiting = slices.DeleteFunc(s.waiting, func(other *worker) bool { return other == w })
	s.workers--
	b.config.Log.Printf("broker: a worker %s, %q now has %d", why, s.name, s.workers)
	if w.job != nil {
		b.config.Log.Printf("broker: its request goes to another worker")
		s.requests = slices.Insert(s.requests, 0, w.job)
		b.dispatch(s)
	}
}

// tick gives signs of life, and forgets workers and requests that are too old.
func (b *broker) tick() {
	now := time.Now()
	for _, w := range b.workers {
		if now.After(w.expires) {
			b.remove(w, "is silent")
		} else {
			b.send(command(nil, w.identity, "", workerHeader, heartbeat))
		}
	}
	for name, s := range b.services {
		s.requests = slices.DeleteFunc(s.requests, func(j *job) bool { return now.After(j.expires) })
		if s.workers == 0 && len(s.requests) == 0 {
			delete(b.services, name) // anybody can make up names
		}
	}
}

// send reports whether the peer is there and takes the message. One that does not
// read must not stop the broker: TrySend does not wait.
func (b *broker) send(m [][]byte) bool { return b.socket.TrySend(m...) == nil }

func (b *broker) service(name string) *service {
	s := b.services[name]
	if s == nil {
		s = &service{name: name}
		b.services[name] = s
	}
	return s
}
