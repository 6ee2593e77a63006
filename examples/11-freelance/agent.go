package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"log"
	"sync"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// agent is model 3: a goroutine that knows which servers are alive. Any number of
// goroutines may ask at the same time.
type agent struct {
	config Config
	socket *socket.Socket
	out    *log.Logger
	calls  chan *call
	cancel context.CancelFunc
	wg     sync.WaitGroup

	// Owned by run.
	servers []*server
	current *server // who is asked, as long as it is alive
	open    map[uint64]*call
	last    uint64
}

type server struct {
	endpoint string // and identity
	alive    bool
	heard    time.Time
}

type call struct {
	ctx      context.Context
	question string
	answer   chan string
	server   *server // who was asked; nil: nobody is alive
}

func newAgent(endpoints []string, config Config, out *log.Logger) (*agent, error) {
	s, err := socket.New(pattern.Router, &config.Socket)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	a := &agent{config: config, socket: s, out: out, calls: make(chan *call), cancel: cancel, open: make(map[uint64]*call)}
	for _, endpoint := range endpoints {
		if err := s.ConnectPeer(endpoint, []byte(endpoint)); err != nil {
			a.Close()
			return nil, err
		}
		a.servers = append(a.servers, &server{endpoint: endpoint})
	}
	a.wg.Go(func() { a.run(ctx) })
	return a, nil
}

// ask waits for an answer as long as ctx allows, whatever servers do.
func (a *agent) ask(ctx context.Context, question string) (answer string, err error) {
	c := &call{ctx: ctx, question: question, answer: make(chan string, 1)}
	select {
	case a.calls <- c:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	select {
	case answer := <-c.answer:
		return answer, nil
	case <-ctx.Done():
		return "", fmt.Errorf("no server answers: %w", ctx.Err())
	}
}

func (a *agent) Close() error {
	a.cancel()
	a.wg.Wait()
	return a.socket.Close()
}

func (a *agent) run(ctx context.Context) {
	messages := make(chan *ringwire.Message)
	a.wg.Go(func() {
		for m, err := range a.socket.Messages(ctx) {
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
	tick := time.NewTicker(a.config.Ping)
	defer tick.Stop()
	a.tick()
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-a.calls:
			a.last++
			a.open[a.last] = c
			a.send(a.last, c)
		case m := <-messages:
			a.take(m)
		case <-tick.C:
			a.tick()
		}
	}
}

// take handles what a server says: any word is a sign of life.
func (a *agent) take(m *ringwire.Message) {
	for _, s := range a.servers {
		if s.endpoint != string(m.Frame(0)) {
			continue
		}
		s.heard = time.Now()
		if !s.alive {
			s.alive = true
			a.out.Printf("  agent: %s is alive", s.endpoint)
			a.resend()
		}
	}
	if m.Len() == 3 && len(m.Frame(1)) == 8 {
		n := binary.BigEndian.Uint64(m.Frame(1))
		if c := a.open[n]; c != nil { // else it was answered by another server
			delete(a.open, n)
			c.answer <- string(m.Frame(2))
		}
	}
	m.Release()
}

// tick asks for signs of life, and takes back what dead servers had.
func (a *agent) tick() {
	for _, s := range a.servers {
		if s.alive && time.Since(s.heard) > 3*a.config.Ping {
			s.alive = false
			a.out.Printf("  agent: %s is silent", s.endpoint)
			for _, c := range a.open {
				if c.server == s {
					c.server = nil
				}
			}
		}
		a.socket.TrySend([]byte(s.endpoint), []byte("PING"))
	}
	a.resend()
}

// resend sends what waits for a server.
func (a *agent) resend() {
	for n, c := range a.open {
		if c.ctx.Err() != nil {
			delete(a.open, n) // nobody waits any more
		} else if c.server == nil {
			a.send(n, c)
		}
	}
}

// send gives a request to the current server or, if that is dead, to the first one
// that is alive, which is the current one from then on.
func (a *agent) send(n uint64, c *call) {
	for _, s := range append([]*server{a.current}, a.servers...) {
		if s != nil && s.alive && a.socket.TrySend([]byte(s.endpoint), number(n), []byte(c.question)) == nil {
			a.current, c.server = s, s
			return
		}
	}
}
