package chaos

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

	_ "embed"
)

// pythonWorker is a worker that uses libzmq through pyzmq.
//
//go:embed worker.py
var pythonWorker string

// python is where pyzmq is looked for.
const python = "/usr/bin/python3"

// process is a worker, seen from who started it.
type process struct {
	// Immutable after startProcess.
	command *exec.Cmd
	input   io.WriteCloser
	says    chan Say      // what it says
	exited  chan struct{} // closed when it is gone
	job     Job

	stderr tail

	// Owned by the goroutine of the run.
	log    follower
	frozen bool
}

// startProcess starts a worker, in one of two namespaces if there are such, and
// returns when its socket is there.
func startProcess(ctx context.Context, program string, job Job, world *islands, which int) (*process, error) {
	data, err := json.Marshal(job)
	if err != nil {
		return nil, err
	}
	args := []string{program, "chaos-worker", string(data)}
	if job.Library == "libzmq" {
		args = []string{python, "-c", pythonWorker, string(data)}
	}
	if world != nil {
		args = world.in(which, args)
	}
	p := &process{command: exec.CommandContext(ctx, args[0], args[1:]...), says: make(chan Say, 4), exited: make(chan struct{}), job: job, log: follower{name: job.Log}}
	p.command.Stderr = &p.stderr
	output, err := p.command.StdoutPipe()
	if err == nil {
		p.input, err = p.command.StdinPipe()
	}
	if err == nil {
		err = p.command.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("start worker: %w", err)
	}
	go func() {
		defer close(p.exited)
		lines := json.NewDecoder(output)
		for {
			var s Say
			if lines.Decode(&s) != nil {
				break
			}
			p.says <- s
		}
		_ = p.command.Wait() // how it ended shows in what it said
	}()
	if _, err := p.await(); err != nil {
		p.kill()
		return nil, fmt.Errorf("open %s: %w", job.Pattern, err)
	}
	return p, nil
}

// answering is how long a worker may take for anything.
const answering = 20 * time.Second

func (p *process) await() (Say, error) {
	select {
	case s := <-p.says:
		if s.Error != "" {
			return s, errors.New(s.Error)
		}
		return s, nil
	case <-p.exited:
		select {
		case s := <-p.says:
			return s, nil
		default:
		}
		return Say{}, fmt.Errorf("the worker ended: %s", p.stderr.String())
	case <-time.After(answering):
		return Say{}, fmt.Errorf("the worker has not answered for %v", answering)
	}
}

// do has the worker do something.
func (p *process) do(command string, number int) (Say, error) {
	if _, err := fmt.Fprintf(p.input, "%s %d\n", command, number); err != nil {
		return Say{}, fmt.Errorf("%s: the worker is gone: %s", command, p.stderr.String())
	}
	s, err := p.await()
	if err != nil {
		err = fmt.Errorf("%s: %w", command, err)
	}
	return s, err
}

// kill ends the worker without a word, and waits for its end.
func (p *process) kill() {
	_ = p.command.Process.Kill() // it may have ended
	<-p.exited
	p.input.Close()
}

func (p *process) pid() int { return p.command.Process.Pid }

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte // guarded by mu
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	if n := len(t.text); n > 4<<10 {
		t.text = t.text[n-4<<10:]
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(string(t.text)), "\n")
	return lines[len(lines)-1]
}

// follower reads a log while it is written. Owned by the goroutine of the run.
type follower struct {
	name   string
	file   *os.File
	buf    bytes.Buffer
	latest int64 // when the newest message received was made
	lanes  map[uint32]int64
	size   int64
}

// look reads what has come.
func (f *follower) look() {
	if f.file == nil {
		file, err := os.Open(f.name)
		if err != nil {
			return // it comes
		}
		f.file, f.lanes = file, make(map[uint32]int64)
	}
	n, _ := io.Copy(&f.buf, f.file)
	f.size += n
	for f.buf.Len() >= recordSize {
		r := decodeRecord(f.buf.Next(recordSize))
		if r.Entry == Received {
			f.latest = max(f.latest, r.Sent)
			f.lanes[r.Lane] = max(f.lanes[r.Lane], r.Sent)
		}
	}
}

func (f *follower) close() {
	if f.file != nil {
		f.file.Close()
		f.file = nil
	}
}
