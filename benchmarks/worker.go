package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"time"

	"github.com/urfave/cli/v3"
)

// request is a line of JSON that a worker reads.
type request struct {
	Do     string     // one of the actions
	Engine string     `json:",omitempty"` // for actionOpen
	Role   *role      `json:",omitempty"` // for actionOpen
	Slice  *sliceSpec `json:",omitempty"` // for actionSlice
	Number byte       `json:",omitempty"` // for actionMark
}

// The actions of a worker, in the order in which they are asked for.
const (
	actionOpen  = "open"
	actionReady = "ready"
	actionSlice = "slice"
	actionMark  = "mark"
	actionUsage = "usage"
	actionTidy  = "tidy"  // give back what Go's collector holds and nobody uses
	actionWatch = "watch" // a device: a slice begins
	actionSpent = "spent" // a device: it has ended
)

// reply is the line of JSON that a worker writes for each request.
type reply struct {
	Error    string       `json:",omitempty"`
	Endpoint string       `json:",omitempty"` // of actionOpen
	Backend  string       `json:",omitempty"` // of actionOpen of a device, whose front is Endpoint
	Result   *sliceResult `json:",omitempty"` // of actionSlice
	Usage    *usage       `json:",omitempty"` // of actionSlice and actionSpent: during it; of actionUsage: so far
}

// workerCommand is the process that plays one side of a row: hidden, because
// only the suite can talk to it.
func workerCommand(ctx context.Context, stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name: "worker", Usage: "one side of a row of the suite", Hidden: true,
		Action: func(context.Context, *cli.Command) error {
			// An interrupt from the keyboard reaches all processes of the
			// suite: what it means is decided by the one that started them.
			signal.Ignore(os.Interrupt)
			// A library that hangs must not keep the process.
			giveUp := func() { time.AfterFunc(closing, func() { os.Exit(exitFailure) }) }
			return work(ctx, &lastInput{Reader: os.Stdin, ended: giveUp}, stdout)
		},
	}
}

// work does what it reads until there is nothing more to read.
func work(ctx context.Context, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	requests := make(chan request)
	go func() {
		defer close(requests)
		lines := json.NewDecoder(in)
		for {
			var r request
			if err := lines.Decode(&r); err != nil {
				cancel() // ends what is being done: nobody waits for it
				return
			}
			select {
			case requests <- r:
			case <-ctx.Done():
				return
			}
		}
	}()
	var w worker
	defer w.close()
	lines := json.NewEncoder(out)
	for r := range requests {
		reply, err := w.do(ctx, r)
		if err != nil {
			reply.Error = err.Error()
		}
		if err := lines.Encode(reply); err != nil {
			return fmt.Errorf("answer %s: %w", r.Do, err)
		}
	}
	return nil
}

// worker is one side of a row. Between requests it waits and uses nothing.
type worker struct {
	station station // nil before actionOpen
	device  between // in place of a station
	before  usage   // of a device, since actionWatch
}

func (w *worker) do(ctx context.Context, r request) (reply, error) {
	if w.station == nil && slices.Contains([]string{actionReady, actionSlice, actionMark}, r.Do) {
		return reply{}, fmt.Errorf("asked for %s before %s", r.Do, actionOpen)
	}
	switch r.Do {
	case actionOpen:
		e := findEngine(r.Engine)
		if e == nil {
			return reply{}, fmt.Errorf("there is no engine %q", r.Engine)
		}
		return w.open(ctx, e, *r.Role)
	case actionReady:
		return reply{}, w.station.ready(ctx)
	case actionSlice:
		before := readUsage()
		got, err := w.station.slice(ctx, *r.Slice)
		used := usedSince(before)
		return reply{Result: &got, Usage: &used}, err
	case actionMark:
		return reply{}, w.station.endMark(r.Number)
	case actionTidy:
		debug.FreeOSMemory()
		return reply{}, nil
	case actionWatch:
		w.before = readUsage()
		return reply{}, nil
	case actionSpent:
		used := usedSince(w.before)
		return reply{Usage: &used}, nil
	case actionUsage:
		return reply{Usage: &usage{CPU: cpuSeconds(), Resident: residentBytes()}}, nil
	}
	return reply{}, fmt.Errorf("cannot %s", r.Do)
}

func (w *worker) open(ctx context.Context, e engine, r role) (reply, error) {
	var answer reply
	var err error
	if r.Side != sideDevice {
		w.station, answer.Endpoint, err = e.open(ctx, r)
		return answer, err
	}
	devices, ok := e.(deviceEngine)
	if !ok {
		return answer, fmt.Errorf("%s has no devices", e.name())
	}
	device, err := devices.openDevice(ctx, r)
	if err == nil {
		w.device = device
		answer.Endpoint, answer.Backend = device.endpoints()
	}
	return answer, err
}

// close ends the station. Its messages are of no use to anybody.
func (w *worker) close() {
	// Nobody is left to hear of an error.
	if w.station != nil {
		_ = w.station.close()
	}
	if w.device != nil {
		_ = w.device.close()
	}
}

// closing is how long a worker may take to end when its input has.
const closing = 2 * time.Second

// lastInput calls ended when nothing more can be read.
type lastInput struct {
	io.Reader
	ended func()
}

func (r *lastInput) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	if err != nil {
		r.ended()
	}
	return n, err
}
