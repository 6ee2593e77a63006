// Package child runs a program as a process that is told what to do on its standard
// input and answers in values of JSON. It starts it, hears it out and waits for its
// end; what is said is up to the two. Start at Start.
package child

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// Process is a child process whose answers are of type T.
type Process[T any] struct {
	Input   io.WriteCloser
	Answers <-chan T        // closed when it is gone
	Done    <-chan struct{} // likewise

	command *exec.Cmd
	cancel  context.CancelFunc // kills it
	stderr  complaint
	end     error // for those who saw Done closed
}

// lingering is how long what a process that is gone has started may hold its output.
const lingering = 2 * time.Second

// Start starts a program. It is killed when ctx is done, and when it answers with
// anything but a T.
func Start[T any](ctx context.Context, name string, args ...string) (*Process[T], error) {
	ctx, cancel := context.WithCancel(ctx)
	p := &Process[T]{command: exec.CommandContext(ctx, name, args...), cancel: cancel}
	p.command.Stderr = &p.stderr
	p.command.WaitDelay = lingering
	output, err := p.command.StdoutPipe()
	if err == nil {
		p.Input, err = p.command.StdinPipe()
	}
	if err == nil {
		err = p.command.Start()
	}
	if err != nil {
		cancel()
		return nil, fmt.Errorf("start worker: %w", err)
	}
	answers, done := make(chan T, 1), make(chan struct{})
	p.Answers, p.Done = answers, done
	go func() {
		defer close(done)
		defer close(answers)
		p.listen(output, answers)
	}()
	return p, nil
}

// listen passes answers on until there are no more, and waits for the end.
func (p *Process[T]) listen(output io.Reader, answers chan<- T) {
	values := json.NewDecoder(output)
	for {
		var a T
		if err := values.Decode(&a); err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, os.ErrClosed) {
				p.cancel() // it does not speak the protocol
			}
			break
		}
		answers <- a
	}
	p.end = p.command.Wait()
}

// Pid is its number.
func (p *Process[T]) Pid() int { return p.command.Process.Pid }

// End is how it ended: nil if in order. It waits for that.
func (p *Process[T]) End() error {
	for range p.Answers {
	}
	<-p.Done
	return p.end
}

// Ended says how it ended, which somebody who missed an answer wants to know: it is
// killed if it has not, and what it complained of comes with it.
func (p *Process[T]) Ended() error {
	p.cancel()
	end, said := p.End(), p.stderr.String()
	switch {
	case end == nil && said == "":
		return errors.New("worker ended")
	case end == nil:
		return fmt.Errorf("worker ended: %s", said)
	case said == "":
		return fmt.Errorf("worker ended: %w", end)
	}
	return fmt.Errorf("worker ended: %w: %s", end, said)
}

// Complaint is the line that says best what it has complained of, or nothing.
func (p *Process[T]) Complaint() string { return p.stderr.String() }

// Close ends its input, waits for its end, and kills it if that takes too long.
func (p *Process[T]) Close(patience time.Duration) {
	p.Input.Close()
	timer := time.AfterFunc(patience, p.cancel)
	defer timer.Stop()
	p.End()
	p.cancel()
}

// Kill ends it without a word, and waits for its end.
func (p *Process[T]) Kill() {
	p.cancel()
	p.End()
	p.Input.Close()
}
