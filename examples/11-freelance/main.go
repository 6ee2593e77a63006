// Freelance: clients and servers without a broker between them, in three models.
//
// The problem: a broker is one more machine that can die. If clients know a few
// servers that can replace each other, they can find one that lives by themselves.
//
//  1. failover.go: ask one server after the other. Simple; a dead server costs each
//     client a time-out.
//  2. shotgun.go: ask all at once and take the first answer. Nobody notices a death;
//     all work is done as often as there are servers.
//  3. agent.go: keep track of who is alive by signs of life, and ask one that is
//     (ZeroMQ RFC 10). Work is done once, and only the requests that a server had
//     when it died are late.
//
// Frames between a client and a server, whose identity is its endpoint:
//
//	"PING"            is answered "PONG"
//	control body...   is answered control body...
//
// control is what the client likes, here a number of 8 bytes, most significant first;
// it comes back as it was. These servers answer any question with their endpoint.
// Clients of models 1 and 2 are REQ and DEALER, and have an empty frame in front of
// this; those of model 3 are ROUTERs and have none.
//
// Without arguments, one program has three servers and a client of each model on a
// network in memory, whose plugs can be pulled. Notice who answers.
//
//	go run ./examples/11-freelance
//	go run ./examples/11-freelance -role server -bind tcp://127.0.0.1:5511
//	go run ./examples/11-freelance -role server -bind tcp://127.0.0.1:5611
//	go run ./examples/11-freelance -role client -model 3 hello world
package main

import (
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

// Config is how patient the clients are.
type Config struct {
	Timeout time.Duration // models 1 and 2: for an answer
	Ping    time.Duration // model 3: between signs of life; three without are death
	Socket  socket.Options
}

// asker is a client of any model.
type asker interface {
	ask(ctx context.Context, question string) (answer string, err error)
	Close() error
}

func newAsker(model int, servers []string, config Config, out *log.Logger) (asker, error) {
	switch model {
	case 1:
		return newFailover(servers, config)
	case 2:
		return newShotgun(servers, config)
	case 3:
		return newAgent(servers, config, out)
	}
	return nil, fmt.Errorf("model %d: want 1, 2 or 3", model)
}

func main() {
	role := flag.String("role", "", "server or client; empty: all of them, in a story")
	bind := flag.String("bind", "tcp://127.0.0.1:5511", "where the server is, as clients know it")
	connect := flag.String("connect", "tcp://127.0.0.1:5511,tcp://127.0.0.1:5611", "the servers that the client knows")
	model := flag.Int("model", 3, "the client's: 1 failover, 2 shotgun, 3 agent")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "11-freelance: argument %q: want flags only, see -help\n", flag.Arg(0))
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	config := Config{Timeout: time.Second, Ping: 500 * time.Millisecond, Socket: socket.Options{NoLinger: true}}
	out := log.New(os.Stdout, "", 0)
	var err error
	switch *role {
	case "":
		err = run(ctx, 20*time.Millisecond, os.Stdout)
	case "server":
		err = serve(ctx, *bind, config.Socket)
	case "client":
		err = askAll(ctx, *model, strings.Split(*connect, ","), flag.Args(), config, out)
	default:
		err = fmt.Errorf("role %q: want server or client", *role)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "11-freelance:", err)
		os.Exit(1)
	}
}

func askAll(ctx context.Context, model int, servers, questions []string, config Config, out *log.Logger) error {
	client, err := newAsker(model, servers, config, out)
	if err != nil {
		return err
	}
	defer client.Close()
	for _, question := range questions {
		answer, err := client.ask(ctx, question)
		if err != nil {
			return err
		}
		out.Printf("%q is answered %q", question, answer)
	}
	return nil
}

// run is the story, with the given interval between signs of life.
func run(ctx context.Context, interval time.Duration, w io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	out := log.New(w, "", 0)
	network := sockettest.NewNetwork(1)
	at := func(host string) socket.Options {
		return socket.Options{Transports: []transport.Transport{network.Host(host)}, NoLinger: true}
	}
	config := Config{Timeout: 10 * interval, Ping: interval, Socket: at("client")}

	hosts := []string{"one", "two", "three"}
	var servers []string
	for _, host := range hosts {
		endpoint := "mem://" + host + ":1"
		servers = append(servers, endpoint)
		wg.Go(func() { serve(ctx, endpoint, at(host)) }) // ends with ctx
	}

	pull := func(host string) {
		out.Printf("  somebody pulls the plug of %s", host)
		network.Vanish(host)
	}
	for model := 1; model <= 3; model++ {
		client, err := newAsker(model, servers, config, out)
		if err != nil {
			return err
		}
		defer client.Close()
		tell := func(question string) (host string, err error) {
			answer, err := client.ask(ctx, question)
			if err != nil {
				return "", fmt.Errorf("model %d: %w", model, err)
			}
			out.Printf("  %q is answered %q", question, answer)
			return strings.TrimSuffix(strings.TrimPrefix(answer, "mem://"), ":1"), nil
		}

		out.Printf("model %d", model)
		first, err := tell("who?")
		if err != nil {
			return err
		}
		pull(first)
		if _, err := tell("who else?"); err != nil {
			return err
		}
		for _, host := range hosts {
			if host != first {
				pull(host)
			}
		}
		out.Printf("  %s comes back", first)
		network.Return(first)
		if _, err := tell("and now?"); err != nil {
			return err
		}
		for _, host := range hosts {
			network.Return(host)
		}
	}
	return nil
}
