package attack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/ringwire/ringwire/benchmarks/internal/child"
	"github.com/ringwire/ringwire/socket"
)

// Job is what a process of a run is to do. It comes as the first line of its input:
// it has keys in it, and arguments can be read by everybody.
type Job struct {
	Role     string // victim, peers or attacker
	Attack   string
	Target   Target
	Endpoint string // of the peers
	Rate     int    // of the attacker's connections
}

// request is what a process is told to do next.
type request struct {
	Do     string // load, collect, look, attack, release or close
	Slice  uint32 // of load and collect
	Millis int    // of load and attack
	Count  int64  // of collect: messages that were sent
	Settle bool   // of look: collect garbage first
	Come   bool   // of load: a newcomer comes, too
	AtOnce bool   // it does not wait until the middle
}

// reply is the answer to a request, or to the job.
type reply struct {
	Error     string        `json:",omitempty"`
	Endpoint  string        `json:",omitempty"` // of a victim, at first
	Sent      int64         // of load
	Received  int64         // of collect
	Latencies []byte        `json:",omitempty"` // likewise
	Newcomer  time.Duration // of load
	Usage     *usage        `json:",omitempty"` // of look
	Raid      *raid         `json:",omitempty"` // of attack
	CPU       time.Duration // that the process has used so far
	Stats     *socket.Stats `json:",omitempty"` // of look
	Events    map[string]int64
	Lost      int64  // events
	Leak      string // a secret in an event
}

// role is what a process does about requests.
type role interface {
	do(r request) reply
	close() error
}

// Work is a process of a run: it answers to what it reads, until it is told to
// close or nothing more can be read. now is the time that all processes share.
func Work(now func() int64, in io.Reader, out io.Writer) error {
	input, lines := json.NewDecoder(in), json.NewEncoder(out)
	var job Job
	if err := input.Decode(&job); err != nil {
		return fmt.Errorf("read the job: %w", err)
	}
	warmUp()
	worker, endpoint, err := open(&job, now)
	if err != nil {
		return lines.Encode(reply{Error: err.Error()})
	}
	if err := lines.Encode(reply{Endpoint: endpoint}); err != nil {
		return err
	}
	for {
		var r request
		if err := input.Decode(&r); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read a request: %w", err)
		}
		if r.Do == "close" {
			answer := reply{}
			if err := worker.close(); err != nil {
				answer.Error = err.Error()
			}
			return lines.Encode(answer)
		}
		answer := worker.do(r)
		answer.CPU = processorTime()
		if err := lines.Encode(answer); err != nil {
			return err
		}
	}
}

func open(job *Job, now func() int64) (worker role, endpoint string, err error) {
	a := find(job.Attack)
	if a == nil {
		return nil, "", fmt.Errorf("there is no attack %q", job.Attack)
	}
	switch job.Role {
	case "victim":
		return openVictim(job, a, now)
	case "peers":
		worker, err = openPeers(job, now)
	case "attacker":
		worker = openRaider(job, a)
	default:
		err = fmt.Errorf("there is no role %q", job.Role)
	}
	return worker, "", err
}

// process is a worker, seen from who started it.
type process struct {
	*child.Process[reply]
	lines    *json.Encoder
	role     string
	patience time.Duration
}

// start starts a program in a role, in which nothing that it is told to do lasts longer
// than longest. It is killed when ctx is done.
func start(ctx context.Context, program string, job *Job, longest time.Duration) (*process, string, error) {
	p, err := child.Start[reply](ctx, program, "attack-worker")
	if err != nil {
		return nil, "", err
	}
	w := &process{p, json.NewEncoder(p.Input), job.Role, longest + answering}
	if err := w.lines.Encode(job); err != nil {
		return nil, "", fmt.Errorf("%s: %w", job.Role, p.Ended())
	}
	answer, err := w.await(ctx)
	if err != nil {
		p.Kill()
		return nil, "", err
	}
	return w, answer.Endpoint, nil
}

// answering is how long a worker may take beside what it was told to do: an attacker
// waits for connections that end late.
const answering = 4 * guard

func (p *process) ask(r request) error {
	if err := p.lines.Encode(r); err != nil {
		return fmt.Errorf("%s: %w", p.role, p.Ended())
	}
	return nil
}

func (p *process) await(ctx context.Context) (reply, error) {
	timer := time.NewTimer(p.patience)
	defer timer.Stop()
	select {
	case r, ok := <-p.Answers:
		if !ok {
			return r, fmt.Errorf("%s: %w", p.role, p.Ended())
		}
		if r.Error != "" {
			return r, fmt.Errorf("%s: %s", p.role, r.Error)
		}
		return r, nil
	case <-ctx.Done():
		return reply{}, context.Cause(ctx)
	case <-timer.C:
		return reply{}, fmt.Errorf("%s: %w", p.role, os.ErrDeadlineExceeded)
	}
}

func (p *process) call(ctx context.Context, r request) (reply, error) {
	if err := p.ask(r); err != nil {
		return reply{}, err
	}
	return p.await(ctx)
}
