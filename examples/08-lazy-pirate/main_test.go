package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/sockettest"
	"github.com/ringwire/ringwire/transport"
)

// A test of this package runs it once more, as a server that it kills: these say where
// it listens, and which number it takes in hand and never answers.
const (
	serverEndpoint = "LAZY_PIRATE_SERVER"
	serverDeadly   = "LAZY_PIRATE_DEADLY"
)

func TestMain(m *testing.M) {
	if endpoint := os.Getenv(serverEndpoint); endpoint != "" {
		beServer(endpoint, os.Getenv(serverDeadly))
	}
	goleak.VerifyTestMain(m)
}

func beServer(endpoint, deadly string) {
	number, err := strconv.Atoi(deadly)
	if err != nil {
		log.Fatal(err)
	}
	rep, at, err := listen(endpoint, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listens at", at)
	go func() { // not longer than the test lives
		io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	}()
	if err := serve(context.Background(), rep, number, io.Discard); err != nil {
		log.Fatal(err)
	}
	fmt.Println("has it in hand")
	select {} // until it is killed
}

// at is the options of a socket on a host of a network.
func at(network *sockettest.Network, host string) *socket.Options {
	return &socket.Options{Transports: []transport.Transport{network.Host(host)}}
}

func TestDemo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		p := patience{timeout: time.Second, tries: 3}
		if err := demo(t.Context(), "mem://here:1", at(sockettest.NewNetwork(1), "here"), p, &out); err != nil {
			t.Fatal(err)
		}
		const want = `server: gets 1
client: the square of 1 is 1
server: gets 2
client: the square of 2 is 4
server: gets 3
server: dies
client: no reply for 3 in 1s, try 2 of 3
server: gets 3
client: the square of 3 is 9
server: gets 4
client: the square of 4 is 16
server: gets 5
client: the square of 5 is 25
client: gives up: no reply for 6 in 3 tries of 1s each: `
		if !strings.HasPrefix(out.String(), want) || strings.Count(out.String(), "\n") != strings.Count(want, "\n")+1 {
			t.Errorf("got\n%s\nwant\n%s...", out.String(), want)
		}
	})
}

// TestServerKilled: a process is killed with a request in hand, and another one
// started at its endpoint. The client has the square of every number, and of no other
// one.
func TestServerKilled(t *testing.T) {
	first, endpoint, err := startProcess(t, "tcp://127.0.0.1:*", 3)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		if got := first.line(); got != "has it in hand" {
			t.Errorf("the server says %q, want that it has the request in hand", got)
		}
		first.kill()
		if _, _, err := startProcess(t, endpoint, 0); err != nil {
			t.Error(err)
		}
	})
	req, err := dial(endpoint, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer req.Close()
	p, again := patience{timeout: 100 * time.Millisecond, tries: 600}, 0
	for n := 1; n <= 5; n++ {
		square, err := p.ask(t.Context(), req, n, func(int) { again++ })
		if err != nil || square != n*n {
			t.Errorf("the square of %d is %d, %v", n, square, err)
		}
	}
	if again == 0 {
		t.Error("every question had its reply at the first try, want one of a server that was killed")
	}
}

type process struct {
	*exec.Cmd
	stdout *bufio.Reader
}

// startProcess starts a server in a process of its own and returns when it listens.
func startProcess(t *testing.T, endpoint string, deadly int) (p *process, at string, err error) {
	p = &process{Cmd: exec.Command(os.Args[0])}
	p.Env = append(os.Environ(), serverEndpoint+"="+endpoint, serverDeadly+"="+strconv.Itoa(deadly))
	p.Stderr = os.Stderr
	_, errIn := p.StdinPipe()
	stdout, errOut := p.StdoutPipe()
	if err := errors.Join(errIn, errOut, p.Start()); err != nil {
		return nil, "", err
	}
	t.Cleanup(p.kill)
	p.stdout = bufio.NewReader(stdout)
	line := p.line()
	at, ok := strings.CutPrefix(line, "listens at ")
	if !ok {
		return nil, "", fmt.Errorf("the server says %q, want where it listens", line)
	}
	return p, at, nil
}

// line is the next line that the process prints.
func (p *process) line() string {
	line, _ := p.stdout.ReadString('\n')
	return strings.TrimSpace(line)
}

// kill kills the process, if it was not killed before.
func (p *process) kill() {
	p.Process.Kill()
	p.Wait()
}

// TestServerVanishes: the power of the server fails with a request in hand, so that
// the client's connection never ends by itself.
func TestServerVanishes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := sockettest.NewNetwork(1)
		start := func(deadly int) (died chan error) {
			rep, _, err := listen("mem://server:1", at(network, "server"))
			if err != nil {
				t.Fatal(err)
			}
			died = make(chan error, 1)
			t.Cleanup(func() { rep.Close(); <-died })
			go func() {
				err := serve(t.Context(), rep, deadly, t.Output())
				if err == nil {
					network.Vanish("server")
					rep.Close()
				}
				died <- err
				close(died)
			}()
			return died
		}
		start(2)
		req, err := dial("mem://server:1", at(network, "client"))
		if err != nil {
			t.Fatal(err)
		}
		defer req.Close()
		p := patience{timeout: time.Second, tries: 5}
		for n := range 4 {
			square, err := p.ask(t.Context(), req, n, func(try int) {
				if try == 3 {
					network.Return("server")
					start(0)
				}
			})
			if err != nil || square != n*n {
				t.Errorf("the square of %d is %d, %v", n, square, err)
			}
		}
	})
}

// TestGivesUp: after exactly as many tries as were asked for, each of which took as
// long as was asked for.
func TestGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		req, err := dial("mem://nobody:1", at(sockettest.NewNetwork(1), "client"))
		if err != nil {
			t.Fatal(err)
		}
		defer req.Close()
		p, again, began := patience{timeout: time.Second, tries: 4}, 0, time.Now()
		_, err = p.ask(t.Context(), req, 1, func(int) { again++ })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the deadline", err)
		}
		if took := time.Since(began); took != 4*time.Second || again != 3 {
			t.Errorf("gave up after %v and %d more tries, want 4s and 3", took, again)
		}
	})
}
