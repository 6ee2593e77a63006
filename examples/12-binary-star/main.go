// Binary star: a primary and a backup server, exactly one of which is active.
//
// The problem: when the link between two servers is cut, each takes the other for
// dead; if both then go on alone, their states part, and nobody can join them again
// (split brain). The pattern: a server that does not hear its peer any more does not
// become active by that alone. It also needs a vote, which is a request of a client:
// clients ask the other server only when the one they know does not answer.
//
// This file has the story, star.go the rules (a pure function), server.go and
// client.go those who live by them. Frames:
//
//	state     1 byte, PUB to SUB, both ways, once per heartbeat:
//	          0x01 primary, waits for its peer; 0x02 backup, waits for its peer;
//	          0x03 active; 0x04 passive
//	request   body, REQ to ROUTER; who is not active does not answer
//	reply     body
//
// What it does not do: it replicates nothing between the two, and a backup that never
// heard its primary does not start alone. If both find votes, because their clients
// are cut off from each other too, the first to hear of it ends with an error.
//
// Without arguments, one program has both servers and a client on a network in memory.
// Notice who answers, and that the backup stays passive when only the link between the
// servers is cut.
//
//	go run ./examples/12-binary-star
//	go run ./examples/12-binary-star -role primary
//	go run ./examples/12-binary-star -role backup
//	go run ./examples/12-binary-star -role client hello world
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"strings"
	"sync"
	"time"

	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/sockettest"
	"github.com/ringwire/ringwire/transport"
)

// Config is what servers and clients must know of each other.
type Config struct {
	Heartbeat time.Duration // between two states that a server tells its peer; three without are death
	Timeout   time.Duration // how long a client waits before it asks the other server
	Socket    socket.Options
}

func main() {
	role := flag.String("role", "", "primary, backup or client; empty: all of them, in a story")
	bind := flag.String("bind", "", "where the server waits for clients; empty: the first or second of -connect")
	bindPeer := flag.String("bind-peer", "", "where it tells its state; empty: tcp://127.0.0.1:5712 or 5812")
	connectPeer := flag.String("connect-peer", "", "where its peer does; empty: the other one")
	connect := flag.String("connect", "tcp://127.0.0.1:5512,tcp://127.0.0.1:5612", "primary and backup")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "12-binary-star: argument %q: want flags only, see -help\n", flag.Arg(0))
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	config := Config{Heartbeat: time.Second, Timeout: time.Second}
	out := log.New(os.Stdout, "", 0)
	endpoints := strings.Split(*connect, ",")
	server := func(start state, own, other int) error {
		states := []string{"tcp://127.0.0.1:5712", "tcp://127.0.0.1:5812"}
		return newServer(start, config, out).run(ctx,
			cmp.Or(*bind, endpoints[own]), cmp.Or(*bindPeer, states[own]), cmp.Or(*connectPeer, states[other]))
	}
	var err error
	switch {
	case len(endpoints) != 2:
		err = fmt.Errorf("connect %q: want two endpoints", *connect)
	case *role == "":
		err = run(ctx, 20*time.Millisecond, os.Stdout)
	case *role == "primary":
		err = server(primary, 0, 1)
	case *role == "backup":
		err = server(backup, 1, 0)
	case *role == "client":
		err = askAll(ctx, endpoints, flag.Args(), config, out)
	default:
		err = fmt.Errorf("role %q: want primary, backup or client", *role)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "12-binary-star:", err)
		os.Exit(1)
	}
}

func askAll(ctx context.Context, endpoints, questions []string, config Config, out *log.Logger) error {
	c, err := newClient(endpoints, config)
	if err != nil {
		return err
	}
	defer c.Close()
	for _, question := range questions {
		answer, err := c.ask(ctx, question)
		if err != nil {
			return err
		}
		out.Printf("client: %s", answer)
	}
	return nil
}

// run is the story, with the given interval between heartbeats.
func run(ctx context.Context, interval time.Duration, w io.Writer) error {
	out := log.New(w, "", 0)
	s := newStage(ctx, interval, out)
	defer s.close()
	s.start(primary)
	s.start(backup)
	c, err := newClient([]string{"mem://primary:1", "mem://backup:1"}, s.at("client"))
	if err != nil {
		return err
	}
	defer c.Close()
	tell := func(question string) error {
		answer, err := c.ask(ctx, question)
		if err == nil {
			out.Printf("client: %s", answer)
		}
		return err
	}

	if err := tell("one"); err != nil {
		return err
	}
	out.Print("the link between the two is cut for ten heartbeats")
	s.network.Partition("primary", "backup")
	select {
	case <-time.After(10 * interval):
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := tell("two"); err != nil {
		return err
	}
	s.network.Heal("primary", "backup")

	out.Print("the primary dies")
	s.kill(primary)
	if err := tell("three"); err != nil {
		return err
	}
	out.Print("the primary is started again")
	again := s.start(primary)
	if err := again.wait(ctx, passive); err != nil {
		return err
	}
	return tell("four")
}

// stage has the servers of the story, each on a machine of its own.
type stage struct {
	ctx     context.Context
	cancel  context.CancelFunc
	wg      sync.WaitGroup
	out     *log.Logger
	config  Config
	network *sockettest.Network
	kills   map[state]func()
}

func newStage(ctx context.Context, interval time.Duration, out *log.Logger) *stage {
	ctx, cancel := context.WithCancel(ctx)
	return &stage{
		ctx: ctx, cancel: cancel, out: out,
		config:  Config{Heartbeat: interval, Timeout: 4 * interval},
		network: sockettest.NewNetwork(1),
		kills:   make(map[state]func()),
	}
}

func (s *stage) at(host string) Config {
	config := s.config
	config.Socket = socket.Options{Transports: []transport.Transport{s.network.Host(host)}, NoLinger: true}
	return config
}

// start starts the primary or the backup.
func (s *stage) start(role state) *server {
	own, other := "primary", "backup"
	if role == backup {
		own, other = other, own
	}
	s.network.Return(own)
	server := newServer(role, s.at(own), s.out)
	ctx, cancel := context.WithCancel(s.ctx)
	ended := make(chan struct{})
	s.wg.Go(func() {
		defer close(ended)
		if err := server.run(ctx, "mem://"+own+":1", "mem://"+own+":2", "mem://"+other+":2"); ctx.Err() == nil {
			s.out.Print(err)
		}
	})
	s.kills[role] = func() {
		s.network.Vanish(own)
		cancel()
		<-ended
	}
	return server
}

func (s *stage) kill(role state) { s.kills[role]() }

func (s *stage) close() {
	s.cancel()
	s.wg.Wait()
}
