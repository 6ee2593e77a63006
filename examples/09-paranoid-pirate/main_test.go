package main

import (
	"bytes"
	"context"
	"io"
	"log"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestEveryRequestIsAnswered: although a worker vanishes with one, and the queue too.
func TestEveryRequestIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // of the bubble's clock
		defer cancel()
		var out bytes.Buffer
		if err := run(ctx, 20*time.Millisecond, &out); err != nil {
			t.Fatalf("%v after:\n%s", err, out.String())
		}
		rest := out.String()
		for _, want := range []string{
			"client: reply 1\n", "client: reply 2\n",
			"has request 3 when somebody pulls its plug\n",
			"client: reply 3\n", "client: reply 4\n",
			"the queue dies",
			"the queue is silent, READY again on a new socket\n",
			"client: reply 5\n", "client: reply 6\n",
		} {
			_, after, found := strings.Cut(rest, want)
			if !found {
				t.Fatalf("got no %q, in this order, in:\n%s", want, out.String())
			}
			rest = after
		}
		if !strings.Contains(out.String(), "queue: a worker is silent, there are 1\n") {
			t.Errorf("the queue did not notice the vanished worker in:\n%s", out.String())
		}
	})
}

// TestRFC6Frames: what a worker sends and gets, byte by byte; and no work goes to one
// that is silent.
func TestRFC6Frames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := Config{Heartbeat: time.Second, Liveness: 3, Timeout: 10 * time.Second}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			runQueue(ctx, "inproc://front", "inproc://back", config, log.New(io.Discard, "", 0))
		}()
		defer func() { cancel(); <-ended }()
		client, worker := dealer(t, "inproc://front"), dealer(t, "inproc://back")
		send := func(s *socket.Socket, frames ...string) {
			t.Helper()
			var list [][]byte
			for _, frame := range frames {
				list = append(list, []byte(frame))
			}
			if err := s.Send(ctx, list...); err != nil {
				t.Fatal(err)
			}
		}
		// recv returns the next message, which must come within ten intervals.
		recv := func(s *socket.Socket) string {
			ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
			defer cancel()
			m, err := s.Recv(ctx)
			if err != nil {
				return err.Error()
			}
			return m.String()
		}

		send(worker, "\x01")
		if got, want := recv(worker), `["\x02"]`; got != want {
			t.Errorf("a worker that is ready got %s, want a heartbeat %s", got, want)
		}
		send(client, "", "hello")
		m, err := worker.Recv(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if m.Len() != 3 || len(m.Frame(1)) != 0 || string(m.Frame(2)) != "hello" {
			t.Fatalf("got %s, want an address, an empty frame, hello", m)
		}
		send(worker, string(m.Frame(0)), "", "world")
		if got, want := recv(client), `["" "world"]`; got != want {
			t.Errorf("the client got %s, want %s", got, want)
		}

		time.Sleep(4 * config.Heartbeat) // the worker is silent
		for {
			if _, err := worker.TryRecv(); err != nil {
				break // it has read all heartbeats that there were
			}
		}
		send(client, "", "anybody?")
		if got := recv(worker); !strings.Contains(got, "deadline") {
			t.Errorf("a worker that was silent got %s, want nothing", got)
		}
		send(worker, "\x01")
		if got := recv(worker); !strings.Contains(got, "anybody?") {
			t.Errorf("a worker that is ready again got %s, want the request that waited", got)
		}
	})
}

func dealer(t *testing.T, endpoint string) *socket.Socket {
	s, err := socket.New(pattern.Dealer, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := s.Connect(endpoint); err != nil {
		t.Fatal(err)
	}
	return s
}
