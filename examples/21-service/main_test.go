package main

import (
	"bufio"
	"context"
	"errors"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/sockettest"
	"github.com/ringwire/ringwire/transport"
)

// A test of this package runs it once more, as a service that it stops.
const serviceProcess = "SERVICE_PROCESS"

func TestMain(m *testing.M) {
	if os.Getenv(serviceProcess) != "" {
		beService()
		return
	}
	goleak.VerifyTestMain(m)
}

// beService is a service that has its first request in hand until it is told to stop.
func beService() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	c := config{workers: 1, quiet: 10 * time.Millisecond, grace: time.Minute, handle: func(context.Context, string) (string, error) {
		os.Stdout.WriteString("in hand\n")
		<-ctx.Done()
		return "finished", nil
	}}
	if err := run(ctx, "tcp://127.0.0.1:*", "127.0.0.1:0", c, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// TestSIGTERM: a process that gets SIGTERM with a request in hand replies to it, and
// ends with exit code 0.
func TestSIGTERM(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot send SIGTERM to another one on Windows")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	process := exec.CommandContext(ctx, os.Args[0])
	// A program with the race detector would sleep a second before it ends.
	process.Env = append(os.Environ(), serviceProcess+"=1", "GORACE=atexit_sleep_ms=0")
	process.Stderr = os.Stderr
	stdout, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	lines.Scan()
	_, at, _ := strings.Cut(lines.Text(), "ready at ")
	endpoint, _, _ := strings.Cut(at, ",")
	req, err := dial(endpoint, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer req.Close()
	replied := make(chan error, 1)
	go func() {
		reply, err := ask(ctx, req, "hello")
		if err == nil && reply != "finished" {
			err = errors.New(reply)
		}
		replied <- err
	}()
	if lines.Scan(); lines.Text() != "in hand" {
		t.Errorf("the service says %q, want that it has the request in hand", lines.Text())
	}
	if err := process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if err := <-replied; err != nil {
		t.Errorf("the request that was in hand: %v", err)
	}
	lines.Scan()
	if got, want := lines.Text(), "service: 1 requests done, 0 refused"; got != want {
		t.Errorf("the service says %q, want %q", got, want)
	}
	if err := process.Wait(); err != nil {
		t.Errorf("the service ended with %v, want exit code 0", err)
	}
}

// start makes a service in a network of the test's.
func start(t *testing.T, c config) *service {
	network := sockettest.NewNetwork(1)
	c.options = &socket.Options{Transports: []transport.Transport{network.Host("here")}}
	s, err := newService("mem://here:1", c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.close() })
	return s
}

// TestEveryRequestHasAReply: clients that ask all the time have a reply to each request,
// those that were in hand when the service was stopped included, and then a refusal.
func TestEveryRequestHasAReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		test, cancel := context.WithTimeout(t.Context(), time.Hour) // of the bubble
		defer cancel()
		const clients = 8
		var inHand, atStop atomic.Int64
		c := config{workers: 3, quiet: 50 * time.Millisecond, grace: time.Minute}
		c.handle = func(ctx context.Context, text string) (string, error) {
			defer inHand.Add(-1)
			inHand.Add(1)
			return shout(100*time.Millisecond)(ctx, text)
		}
		s := start(t, c)
		ctx, stop := context.WithCancel(test)
		var total atomic.Int64
		var asking sync.WaitGroup
		for range clients {
			asking.Go(func() {
				replies, err := askUntilRefused(test, s.at, s.options)
				if !errors.Is(err, errUnavailable) {
					t.Errorf("a client ended with %v, want %v", err, errUnavailable)
				}
				total.Add(int64(replies))
			})
		}
		time.AfterFunc(1050*time.Millisecond, func() {
			atStop.Store(inHand.Load())
			stop()
		})
		if err := s.run(ctx); err != nil {
			t.Error(err)
		}
		asking.Wait()
		if got := atStop.Load(); got != 3 {
			t.Errorf("%d requests were in hand when the service was stopped, want 3", got)
		}
		if got, done := total.Load(), s.done.Load(); got != done || done != 33 {
			t.Errorf("clients have %d replies, the service did %d requests, want 33 both", got, done)
		}
		if got := s.refused.Load(); got != clients {
			t.Errorf("%d requests were refused, want the last one of each of %d clients", got, clients)
		}
	})
}

// TestGivesUpAfterGrace: a request that does not end does not keep the service.
func TestGivesUpAfterGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, config{workers: 2, quiet: time.Second, grace: 5 * time.Second, handle: shout(time.Hour)})
		ctx, stop := context.WithCancel(t.Context())
		asking, cancel := context.WithCancel(t.Context())
		var client sync.WaitGroup
		defer client.Wait()
		defer cancel()
		client.Go(func() { askUntilRefused(asking, s.at, s.options) })
		time.AfterFunc(time.Second, stop)
		began := time.Now()
		err := s.run(ctx)
		if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), `"hello" was given up`) {
			t.Errorf("got %v, want that the request was given up", err)
		}
		if took := time.Since(began); took != 6*time.Second {
			t.Errorf("the service ended after %v, want 1s and 5s of grace", took)
		}
	})
}

// TestRefusesNoLongerThanGrace: neither do clients that take no refusal.
func TestRefusesNoLongerThanGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, config{workers: 1, quiet: time.Second, grace: 5 * time.Second, handle: shout(time.Millisecond)})
		ctx, stop := context.WithCancel(t.Context())
		asking, cancel := context.WithCancel(t.Context())
		var client sync.WaitGroup
		defer client.Wait()
		defer cancel()
		client.Go(func() {
			req, err := dial(s.at, s.options)
			if err != nil {
				t.Error(err)
				return
			}
			defer req.Close()
			for asking.Err() == nil {
				ask(asking, req, "hello")
				time.Sleep(10 * time.Millisecond) // of the bubble: without it, no time passes at all
			}
		})
		time.AfterFunc(time.Second, stop)
		began := time.Now()
		if err := s.run(ctx); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != 6*time.Second {
			t.Errorf("the service ended after %v, want 1s and 5s of grace", took)
		}
	})
}

// TestHealth: ready while it runs, and healthy all the time.
func TestHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, config{workers: 1, quiet: time.Second, grace: time.Second, handle: shout(0)})
		check := func(when string, ready int) {
			t.Helper()
			for path, want := range map[string]int{"/healthz": 200, "/readyz": ready} {
				answer := httptest.NewRecorder()
				s.health().ServeHTTP(answer, httptest.NewRequest("GET", path, nil))
				if answer.Code != want {
					t.Errorf("%s, %s says %d, want %d", when, path, answer.Code, want)
				}
			}
		}
		check("before it runs", 503)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.run(ctx) }()
		synctest.Wait()
		check("while it runs", 200)
		stop()
		synctest.Wait()
		check("while it stops", 503)
		if err := <-ended; err != nil {
			t.Error(err)
		}
		check("when it has stopped", 503)
	})
}
