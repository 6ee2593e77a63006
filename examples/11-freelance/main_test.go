package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestEachModelFindsAServer: with all alive, with one less, and with only the one alive
// that was gone before.
func TestEachModelFindsAServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // of the bubble's clock
		defer cancel()
		var out bytes.Buffer
		if err := run(ctx, 20*time.Millisecond, &out); err != nil {
			t.Fatalf("%v after:\n%s", err, out.String())
		}
		models := strings.Split(out.String(), "model ")[1:]
		if len(models) != 3 {
			t.Fatalf("got %d models, want 3:\n%s", len(models), out.String())
		}
		answers := regexp.MustCompile(`is answered "(.*)"`)
		for i, model := range models {
			got := answers.FindAllStringSubmatch(model, -1)
			if len(got) != 3 {
				t.Fatalf("model %d: got %d answers, want 3:\n%s", i+1, len(got), model)
			}
			if first, second, third := got[0][1], got[1][1], got[2][1]; second == first || third != first {
				t.Errorf("model %d: got answers of %s, %s and %s, want the first and the last to be of one server, the second of another", i+1, first, second, third)
			}
		}
	})
}

// TestNoServer: who asks gets an error when its time is over.
func TestNoServer(t *testing.T) {
	for model := 1; model <= 3; model++ {
		synctest.Test(t, func(t *testing.T) {
			config := Config{Timeout: time.Second, Ping: time.Second, Socket: socket.Options{NoLinger: true}}
			client, err := newAsker(model, []string{"inproc://nobody", "inproc://none"}, config, log.New(io.Discard, "", 0))
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if answer, err := client.ask(ctx, "who?"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("model %d: got %q, %v, want a deadline that is over", model, answer, err)
			}
		})
	}
}

// TestAgentManyAtOnce: every one of many goroutines that share an agent gets the answer
// to its own question.
func TestAgentManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const endpoint = "inproc://echo"
		echo, err := socket.New(pattern.Router, &socket.Options{Identity: []byte(endpoint)})
		if err != nil {
			t.Fatal(err)
		}
		defer echo.Close()
		if _, err := echo.Bind(endpoint); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()
		wg.Go(func() {
			for m, err := range echo.Messages(ctx) {
				if err == nil && m.Len() == 2 {
					echo.Send(ctx, m.Frame(0), []byte("PONG"))
				} else if err == nil {
					echo.SendMessage(ctx, m)
				}
			}
		})
		client, err := newAgent([]string{endpoint}, Config{Ping: time.Second}, log.New(io.Discard, "", 0))
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		var asking sync.WaitGroup
		for i := range 100 {
			asking.Go(func() {
				question := strings.Repeat("?", i)
				if answer, err := client.ask(ctx, question); err != nil || answer != question {
					t.Errorf("question %q: got %q, %v", question, answer, err)
				}
			})
		}
		asking.Wait()
	})
}

// TestRFC10Server: the server's frames, to a ROUTER with and a DEALER without a name
// for it.
func TestRFC10Server(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const endpoint = "inproc://server"
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			serve(ctx, endpoint, socket.Options{})
		}()
		defer func() { cancel(); <-ended }()
		router, err := socket.New(pattern.Router, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer router.Close()
		if err := router.Connect(endpoint); err != nil {
			t.Fatal(err)
		}
		if err := router.WaitPeers(ctx, 1); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct{ frames, want string }{
			{endpoint + "|PING", endpoint + "|PONG"},
			{endpoint + "|control|who?", endpoint + "|control|" + endpoint},
			{endpoint + "||control|who?", endpoint + "||control|" + endpoint},
		} {
			if err := router.Send(ctx, bytes.Split([]byte(c.frames), []byte("|"))...); err != nil {
				t.Fatalf("the server is not known by its endpoint: %v", err)
			}
			m, err := router.Recv(ctx)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for i := range m.Len() {
				got = append(got, string(m.Frame(i)))
			}
			if got := strings.Join(got, "|"); got != c.want {
				t.Errorf("%s: got %s, want %s", c.frames, got, c.want)
			}
		}
	})
}
