package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// work is to count the primes up to a number, in so many tasks.
type work struct{ upTo, tasks int }

// ventilate tells the sink how many tasks there are and gives them to the workers
// that connect to push, when so many are there.
func ventilate(ctx context.Context, push *socket.Socket, results string, w work, workers int) error {
	toSink, err := dial(pattern.Push, results)
	if err != nil {
		return err
	}
	defer toSink.Close()
	if err := toSink.Send(ctx, []byte("batch"), decimal(w.tasks)); err != nil {
		return err
	}
	if err := push.WaitPeers(ctx, workers); err != nil {
		return err
	}
	for i := range w.tasks {
		first, last := i*w.upTo/w.tasks+1, (i+1)*w.upTo/w.tasks
		if err := push.Send(ctx, decimal(first), decimal(last)); err != nil {
			return fmt.Errorf("task %d: %w", i, err)
		}
	}
	return toSink.Flush(ctx)
}

// worker does tasks until ctx is done.
func worker(ctx context.Context, name, tasks, results string) error {
	in, err := dial(pattern.Pull, tasks)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := dial(pattern.Push, results)
	if err != nil {
		return err
	}
	defer out.Close()
	for task, err := range in.Messages(ctx) {
		if err != nil {
			return err
		}
		numbers, err := integers(task, 0, 2)
		if err != nil {
			return fmt.Errorf("task %v: %w", task, err)
		}
		task.Release()
		first, last := numbers[0], numbers[1]
		if err := out.Send(ctx, []byte("result"), []byte(name), decimal(first), decimal(primes(first, last))); err != nil {
			return err
		}
	}
	return nil
}

// report is what the sink knows at the end of a batch.
type report struct {
	done   map[int]bool   // by a task's first number
	shares map[string]int // tasks by worker
	primes int
}

// collect receives the results of one batch.
func collect(ctx context.Context, pull *socket.Socket) (report, error) {
	r := report{done: make(map[int]bool), shares: make(map[string]int)}
	// The two kinds of messages come by different connections, in any order.
	for tasks := -1; len(r.done) != tasks; {
		m, err := pull.Recv(ctx)
		if err != nil {
			return r, fmt.Errorf("after %d results: %w", len(r.done), err)
		}
		switch kind := string(m.Frame(0)); kind {
		case "batch":
			numbers, err := integers(m, 1, 1)
			if err != nil {
				return r, fmt.Errorf("batch %v: %w", m, err)
			}
			tasks = numbers[0]
		case "result":
			numbers, err := integers(m, 2, 2)
			if err != nil {
				return r, fmt.Errorf("result %v: %w", m, err)
			}
			if r.done[numbers[0]] {
				return r, fmt.Errorf("the task that begins at %d was done twice", numbers[0])
			}
			r.done[numbers[0]] = true
			r.shares[string(m.Frame(1))]++
			r.primes += numbers[1]
		default:
			return r, fmt.Errorf("a message of kind %q, want batch or result", kind)
		}
		m.Release()
	}
	return r, nil
}

// primes counts the prime numbers from first to last.
func primes(first, last int) (count int) {
	for n := max(first, 2); n <= last; n++ {
		prime := true
		for d := 2; d*d <= n && prime; d++ {
			prime = n%d != 0
		}
		if prime {
			count++
		}
	}
	return count
}

// listen makes a socket that others connect to.
func listen(spec *pattern.Spec, endpoint string) (s *socket.Socket, at string, err error) {
	if s, err = socket.New(spec, nil); err != nil {
		return nil, "", err
	}
	if at, err = s.Bind(endpoint); err != nil {
		return nil, "", errors.Join(err, s.Close())
	}
	return s, at, nil
}

// dial makes a socket that connects to an endpoint.
func dial(spec *pattern.Spec, endpoint string) (*socket.Socket, error) {
	s, err := socket.New(spec, nil)
	if err != nil {
		return nil, err
	}
	if err := s.Connect(endpoint); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func decimal(n int) []byte { return strconv.AppendInt(nil, int64(n), 10) }

// integers reads the n frames of m from frame i on, which must be its last.
func integers(m *ringwire.Message, i, n int) ([]int, error) {
	if m.Len() != i+n {
		return nil, fmt.Errorf("%d frames, want %d", m.Len(), i+n)
	}
	numbers := make([]int, n)
	for k := range numbers {
		var err error
		if numbers[k], err = strconv.Atoi(string(m.Frame(i + k))); err != nil {
			return nil, fmt.Errorf("frame %d: %w", i+k, err)
		}
	}
	return numbers, nil
}
