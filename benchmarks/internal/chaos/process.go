package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	_ "embed"

	"github.com/ringwire/ringwire/benchmarks/internal/child"
)

// pythonWorker is a worker that uses libzmq through pyzmq.
//
//go:embed worker.py
var pythonWorker string

// python is where pyzmq is looked for.
const python = "/usr/bin/python3"

// process is a worker, seen from who started it.
type process struct {
	*child.Process[Say]
	job Job // immutable

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
	worker, err := child.Start[Say](ctx, args[0], args[1:]...)
	if err != nil {
		return nil, err
	}
	p := &process{Process: worker, job: job, log: follower{name: job.Log}}
	if _, err := p.await(); err != nil {
		p.Kill()
		return nil, fmt.Errorf("open %s: %w", job.Pattern, err)
	}
	return p, nil
}

// answering is how long a worker may take for anything.
const answering = 20 * time.Second

func (p *process) await() (Say, error) {
	select {
	case s, ok := <-p.Answers:
		if !ok {
			return s, p.Ended()
		}
		if s.Error != "" {
			return s, errors.New(s.Error)
		}
		return s, nil
	case <-time.After(answering):
		return Say{}, fmt.Errorf("the worker has not answered for %v", answering)
	}
}

// do has the worker do something.
func (p *process) do(command string, number int) (Say, error) {
	var s Say
	_, err := fmt.Fprintf(p.Input, "%s %d\n", command, number)
	if err != nil {
		err = p.Ended()
	} else {
		s, err = p.await()
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", command, err)
	}
	return s, err
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
