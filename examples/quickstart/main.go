// Quickstart shows the three patterns over the three transports in one
// process: request-reply, publish-subscribe and pipeline, over inproc, ipc and
// tcp.
//
//	go run ./examples/quickstart
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	for _, transport := range []struct{ name, endpoint string }{
		{"inproc", "inproc://quickstart"},
		{"ipc", "ipc://*"},           // a socket file of its own
		{"tcp", "tcp://127.0.0.1:*"}, // a free port
	} {
		for _, show := range []struct {
			name string
			run  func(context.Context, string) (string, error)
		}{
			{"request-reply", requestReply},
			{"publish-subscribe", publishSubscribe},
			{"pipeline", pipeline},
		} {
			result, err := show.run(ctx, transport.endpoint)
			if err != nil {
				return fmt.Errorf("%s over %s: %w", show.name, transport.name, err)
			}
			fmt.Fprintf(out, "%-6s %-17s %s\n", transport.name, show.name, result)
		}
	}
	return nil
}

// requestReply asks a server three questions.
func requestReply(ctx context.Context, endpoint string) (string, error) {
	server, client, _, err := pair(pattern.Rep, pattern.Req, endpoint)
	if err != nil {
		return "", err
	}
	defer server.Close()
	defer client.Close()

	done := make(chan error, 1)
	go func() {
		for range 3 {
			question, err := server.Recv(ctx)
			if err == nil {
				err = server.Send(ctx, append([]byte("re: "), question.Bytes()...))
			}
			if err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()

	var last string
	for _, question := range []string{"one", "two", "three"} {
		answer, err := client.Do(ctx, []byte(question))
		if err != nil {
			return "", err
		}
		last = string(answer.Bytes())
		answer.Release()
	}
	return fmt.Sprintf("3 questions answered, the last one %q", last), <-done
}

// publishSubscribe sends on two topics to two subscribers, each of which wants
// one of them.
func publishSubscribe(ctx context.Context, endpoint string) (string, error) {
	publisher, first, at, err := pair(pattern.Pub, pattern.Sub, endpoint)
	if err != nil {
		return "", err
	}
	defer publisher.Close()
	defer first.Close()
	second, err := socket.New(pattern.Sub, nil)
	if err != nil {
		return "", err
	}
	defer second.Close()
	if err := second.Connect(at); err != nil {
		return "", err
	}
	if err := first.Subscribe("weather."); err != nil {
		return "", err
	}
	if err := second.Subscribe("traffic."); err != nil {
		return "", err
	}
	// A publisher drops what nobody has subscribed to: wait for the
	// subscriptions instead of sleeping.
	for _, topic := range []string{"weather.", "traffic."} {
		if err := publisher.WaitSubscribers(ctx, topic, 1); err != nil {
			return "", err
		}
	}

	for _, topic := range []string{"weather.berlin", "traffic.oslo", "sports.rome"} {
		if err := publisher.Send(ctx, []byte(topic), []byte("news")); err != nil {
			return "", err
		}
	}
	weather, err := first.Recv(ctx)
	if err != nil {
		return "", err
	}
	traffic, err := second.Recv(ctx)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("one subscriber got %q, the other %q, nobody sports", weather.Frame(0), traffic.Frame(0)), nil
}

// pipeline spreads work over two workers.
func pipeline(ctx context.Context, endpoint string) (string, error) {
	const tasks = 100
	source, worker, at, err := pair(pattern.Push, pattern.Pull, endpoint)
	if err != nil {
		return "", err
	}
	defer source.Close()
	defer worker.Close()
	other, err := socket.New(pattern.Pull, nil)
	if err != nil {
		return "", err
	}
	defer other.Close()
	if err := other.Connect(at); err != nil {
		return "", err
	}
	if err := source.WaitPeers(ctx, 2); err != nil {
		return "", err
	}

	type result struct {
		n   int
		err error
	}
	results := make(chan result, 2)
	for _, w := range []*socket.Socket{worker, other} {
		go func() {
			for n := 0; ; n++ {
				m, err := w.Recv(ctx)
				if err != nil || string(m.Bytes()) == "stop" {
					results <- result{n, err}
					return
				}
				m.Release()
			}
		}()
	}
	for i := range tasks {
		if err := source.Send(ctx, fmt.Appendf(nil, "task %d", i)); err != nil {
			return "", err
		}
	}
	for range 2 { // one for each worker: they take turns
		if err := source.Send(ctx, []byte("stop")); err != nil {
			return "", err
		}
	}
	a, b := <-results, <-results
	if a.err != nil || b.err != nil {
		return "", fmt.Errorf("workers: %w, %w", a.err, b.err)
	}
	return fmt.Sprintf("%d tasks done, %d and %d by two workers", a.n+b.n, a.n, b.n), nil
}

// pair makes a socket that is bound to the endpoint and one that is connected
// to it, and says where: the endpoint as it really is.
func pair(bound, connected *pattern.Spec, endpoint string) (a, b *socket.Socket, at string, err error) {
	if a, err = socket.New(bound, nil); err != nil {
		return nil, nil, "", err
	}
	if at, err = a.Bind(endpoint); err == nil {
		b, err = socket.New(connected, nil)
	}
	if err == nil {
		err = b.Connect(at)
	}
	if err != nil {
		a.Close()
		return nil, nil, "", err
	}
	return a, b, at, nil
}
