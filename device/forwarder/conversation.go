package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// cat is one run of the command.
type cat struct {
	socket   *socket.Socket
	trouble  *trouble
	format   *format
	given    [][][]byte    // messages of the command line
	lines    *bufio.Reader // nil: only those
	out      *bufio.Writer
	count    int // 0: all
	interval time.Duration
	timeout  time.Duration
	wait     int
}

func (k *cat) run(ctx context.Context, spec *pattern.Spec) error {
	switch spec {
	case pattern.Pub, pattern.Push:
		return k.send(ctx, k.count)
	case pattern.Sub, pattern.Pull:
		return k.print(ctx)
	case pattern.Req:
		return k.ask(ctx)
	case pattern.Rep:
		return k.reply(ctx)
	}
	if len(k.given) == 0 && k.lines == nil {
		return k.print(ctx)
	}
	sent := make(chan error, 1)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		err := k.send(ctx, 0)
		if err != nil {
			cancel(err)
		}
		sent <- err
	}()
	err := k.print(ctx)
	if sendErr := context.Cause(ctx); sendErr != nil {
		return sendErr
	}
	if err == nil && k.lines == nil {
		return <-sent // what was given is sent, even if enough has come
	}
	return err
}

// next is the message after i others; io.EOF when there is none.
func (k *cat) next(i, count int) ([][]byte, error) {
	switch {
	case count > 0 && i >= count:
		return nil, io.EOF
	case k.lines != nil:
		line, err := k.lines.ReadString('\n')
		if line == "" && err != nil {
			return nil, err
		}
		line = strings.TrimSuffix(line, "\n")
		frames, err := k.format.parse(line)
		if err != nil || len(frames) == 0 {
			return nil, fmt.Errorf("line %d is not %s: %w", i+1, k.format.name, orNoFrames(err))
		}
		return frames, nil
	case len(k.given) == 0, count == 0 && i >= len(k.given):
		return nil, io.EOF
	}
	return k.given[i%len(k.given)], nil
}

func orNoFrames(err error) error {
	if err == nil {
		return errors.New("it has no frame")
	}
	return err
}

// patient bounds one wait. Its error says what was waited for.
func (k *cat) patient(ctx context.Context, what string, wait func(context.Context) error) error {
	if k.timeout == 0 {
		return wait(ctx)
	}
	short, cancel := context.WithTimeout(ctx, k.timeout)
	defer cancel()
	err := wait(short)
	if err != nil && ctx.Err() == nil && short.Err() != nil {
		if why := k.trouble.why(); why != "" {
			return fmt.Errorf("no %s within %v: %s", what, k.timeout, why)
		}
		return fmt.Errorf("no %s within %v", what, k.timeout)
	}
	return err
}

// each calls do for each message to send, an interval apart.
func (k *cat) each(ctx context.Context, count int, do func(frames [][]byte) error) error {
	for i := 0; ; i++ {
		frames, err := k.next(i, count)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if i > 0 && !k.pause(ctx) {
			return ctx.Err()
		}
		if err := do(frames); err != nil {
			return err
		}
	}
}

// pause waits for the interval; false if ctx ended.
func (k *cat) pause(ctx context.Context) bool {
	if k.interval == 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(k.interval)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (k *cat) send(ctx context.Context, count int) error {
	waited := k.wait == 0
	return k.each(ctx, count, func(frames [][]byte) error {
		if !waited {
			waited = true
			switch k.socket.Type() {
			case pattern.Pub, pattern.XPub:
				who := "nobody"
				if k.wait > 1 {
					who = fmt.Sprintf("fewer than %d", k.wait)
				}
				k.trouble.lack(fmt.Sprintf("%s subscribed to %q", who, frames[0]))
				defer k.trouble.lack("")
			}
			if err := k.patient(ctx, "peer", func(ctx context.Context) error {
				switch k.socket.Type() {
				case pattern.Pub, pattern.XPub:
					return k.socket.WaitSubscribers(ctx, string(frames[0]), k.wait)
				case pattern.Router:
					return k.socket.WaitPeers(ctx, k.wait)
				}
				return nil
			}); err != nil {
				return err
			}
		}
		return k.patient(ctx, "room", func(ctx context.Context) error { return k.socket.Send(ctx, frames...) })
	})
}

func (k *cat) print(ctx context.Context) error {
	for i := 0; k.count == 0 || i < k.count; i++ {
		if i > 0 && k.interval > 0 {
			if err := k.out.Flush(); err != nil || !k.pause(ctx) {
				return err
			}
		}
		m, err := k.recv(ctx)
		if err != nil {
			return err
		}
		if err := k.show(m); err != nil {
			return err
		}
	}
	return nil
}

// recv shows what was printed before it waits.
func (k *cat) recv(ctx context.Context) (m *ringwire.Message, err error) {
	if m, err = k.socket.TryRecv(); !errors.Is(err, ringwire.ErrAgain) {
		return m, err
	}
	if err := k.out.Flush(); err != nil {
		return nil, err
	}
	err = k.patient(ctx, "message", func(ctx context.Context) error {
		m, err = k.socket.Recv(ctx)
		return err
	})
	return m, err
}

func (k *cat) show(m *ringwire.Message) error {
	defer m.Release()
	_, err := k.out.Write(append(k.format.show(nil, framesOf(m)), '\n'))
	return err
}

func (k *cat) ask(ctx context.Context) error {
	return k.each(ctx, k.count, func(frames [][]byte) error {
		return k.patient(ctx, "reply", func(ctx context.Context) error {
			m, err := k.socket.Do(ctx, frames...)
			if err != nil {
				return err
			}
			return errors.Join(k.show(m), k.out.Flush())
		})
	})
}

func (k *cat) reply(ctx context.Context) error {
	for i := 0; k.count == 0 || i < k.count; i++ {
		m, err := k.recv(ctx)
		if err != nil {
			return err
		}
		answer := m.Clone()
		if len(k.given) > 0 {
			answer = ringwire.NewMessage(k.given[i%len(k.given)]...)
		}
		if err := k.show(m); err != nil {
			return err
		}
		if !k.pause(ctx) {
			return ctx.Err()
		}
		if err := k.socket.SendMessage(ctx, answer); err != nil {
			return err
		}
	}
	return nil
}

// finishPatience is how long what was sent may take to go out when no timeout
// was given.
const finishPatience = 10 * time.Second

// finish delivers what was sent.
func (k *cat) finish() error {
	limit := k.timeout
	if limit == 0 {
		limit = finishPatience
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return k.socket.Shutdown(ctx)
}
