package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// workerProcess is a worker, seen from the suite.
type workerProcess struct {
	command *exec.Cmd
	cancel  context.CancelFunc // kills it
	input   io.WriteCloser
	lines   *json.Encoder // to input
	replies chan reply    // closed when it is gone
	done    chan struct{} // likewise
	stderr  *complaint
	gone    error // how it ended; for those who saw done closed
}

// startWorker starts a worker. It is killed when ctx is done.
func startWorker(ctx context.Context) (*workerProcess, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	p := &workerProcess{command: exec.CommandContext(ctx, program, "worker"), cancel: cancel, replies: make(chan reply, 1), done: make(chan struct{}), stderr: &complaint{}}
	p.command.Stderr = p.stderr
	p.command.WaitDelay = closing
	output, err := p.command.StdoutPipe()
	if err == nil {
		p.input, err = p.command.StdinPipe()
	}
	if err == nil {
		err = p.command.Start()
	}
	if err != nil {
		cancel()
		return nil, fmt.Errorf("start worker: %w", err)
	}
	p.lines = json.NewEncoder(p.input)
	go p.listen(output)
	return p, nil
}

// listen passes replies on until there are no more, and waits for the end.
func (p *workerProcess) listen(output io.Reader) {
	defer close(p.done)
	defer close(p.replies)
	lines := json.NewDecoder(output)
	var err error
	for {
		var r reply
		if err = lines.Decode(&r); err != nil {
			break
		}
		p.replies <- r
	}
	if !errors.Is(err, io.EOF) && !errors.Is(err, os.ErrClosed) {
		p.cancel() // it does not speak the protocol
	}
	p.gone = p.command.Wait()
}

// ask sends a request. The answer is for await.
func (p *workerProcess) ask(r request) error {
	if err := p.lines.Encode(r); err != nil {
		return p.ended()
	}
	return nil
}

var errNoAnswer = errors.New("no answer")

// await returns the answer to the last request, or why there is none: also when
// the partner, without which there may never be one, has ended.
func (p *workerProcess) await(ctx context.Context, guard time.Duration, partner *workerProcess) (reply, error) {
	var partnerDone <-chan struct{}
	if partner != nil && partner != p {
		partnerDone = partner.done
	}
	timer := time.NewTimer(guard)
	defer timer.Stop()
	select {
	case r, ok := <-p.replies:
		if !ok {
			return r, p.ended()
		}
		if r.Error != "" {
			return r, errors.New(r.Error)
		}
		return r, nil
	case <-partnerDone:
		return reply{}, fmt.Errorf("other side: %w", partner.ended())
	case <-ctx.Done():
		return reply{}, context.Cause(ctx)
	case <-timer.C:
		return reply{}, fmt.Errorf("%w within %v", errNoAnswer, guard)
	}
}

// ended says how the worker ended, and waits for that.
func (p *workerProcess) ended() error {
	p.cancel()
	p.drain()
	last := p.stderr.String()
	switch {
	case p.gone == nil && last == "":
		return errors.New("worker ended")
	case p.gone == nil:
		return fmt.Errorf("worker ended: %s", last)
	case last == "":
		return fmt.Errorf("worker ended: %w", p.gone)
	}
	return fmt.Errorf("worker ended: %w: %s", p.gone, last)
}

// call is ask and await.
func (p *workerProcess) call(ctx context.Context, guard time.Duration, r request) (reply, error) {
	if err := p.ask(r); err != nil {
		return reply{}, err
	}
	return p.await(ctx, guard, nil)
}

// close ends the worker and waits for its end.
func (p *workerProcess) close() {
	p.input.Close()
	timer := time.AfterFunc(closing+time.Second, p.cancel)
	defer timer.Stop()
	p.drain()
	p.cancel()
}

// drain waits until it is gone.
func (p *workerProcess) drain() {
	for range p.replies {
	}
	<-p.done
}

// kill is close of a worker that may hang.
func (p *workerProcess) kill() {
	p.cancel()
	p.close()
}

// complaint keeps the first lines that are written to it, of which the first says
// what went wrong.
type complaint struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// complaintSize is enough for a message, and keeps a worker that writes without end
// from filling the memory.
const complaintSize = 4 << 10

func (c *complaint) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.text.Write(b[:min(len(b), complaintSize-c.text.Len())])
	return len(b), nil
}

// String is the first line.
func (c *complaint) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	line, _, _ := strings.Cut(c.text.String(), "\n")
	return strings.TrimSpace(line)
}
