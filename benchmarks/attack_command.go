package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/ringwire/ringwire/benchmarks/internal/attack"
	"github.com/ringwire/ringwire/benchmarks/internal/host"
)

// The time of an attack in a cell, in all its slices.
const (
	defaultAttack = 3 * time.Second
	quickAttack   = 300 * time.Millisecond
	leastAttack   = 150 * time.Millisecond
	mostAttack    = 10 * time.Minute
)

// attackCommand sends hostile input while others are served.
func attackCommand(ctx context.Context, stdout, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name:  "attack",
		Usage: "send hostile input to sockets that serve others, and measure what those notice",
		Description: "Exit codes: 0 all requirements hold; 1 something went wrong, or the run was interrupted; 2 wrong arguments, nothing was run; " +
			"3 a requirement is not met. " + goRunCodes,
		HideHelpCommand: true,
		OnUsageError:    onUsageError,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "duration", Usage: fmt.Sprintf("the `time` that each attack lasts, from %v to %v; without it %v", leastAttack, mostAttack, defaultAttack)},
			&cli.BoolFlag{Name: "quick", Usage: fmt.Sprintf("for seconds, or a machine with other work: %v each, and neither p99 nor that there was time for every input is required", quickAttack)},
			&cli.StringSliceFlag{Name: "attack", Usage: "only attacks, or attacks on victims, whose name matches `pattern`, in which * is any text but a slash"},
			&cli.BoolFlag{Name: "list", Usage: "print the attacks, and make none"},
			&cli.StringFlag{Name: "json", Usage: "write all that was measured to `file`"},
		},
		Action: func(_ context.Context, c *cli.Command) error { return runAttacks(ctx, c, stdout, stderr) },
	}
}

// attackWorkerCommand is a process of an attack: hidden, because only attack can
// talk to it.
func attackWorkerCommand(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name: "attack-worker", Usage: "a process of attack", Hidden: true,
		Action: func(context.Context, *cli.Command) error {
			// An interrupt from the keyboard reaches all processes: what it
			// means is decided by the one that started them.
			signal.Ignore(os.Interrupt)
			return attack.Work(newClock().now, os.Stdin, stdout)
		},
	}
}

// attackRun is what the command line asks for.
type attackRun struct {
	cells   []attack.Cell
	length  time.Duration
	quick   bool
	file    string
	program string // that has the worker; empty: this one
	report  *attack.Report
}

// parse takes the command line apart. Its errors are usage errors.
func (r *attackRun) parse(c *cli.Command) error {
	if c.Args().Present() {
		return usagef("attack got arguments %q, want none", c.Args().Slice())
	}
	if r.file = c.String("json"); c.IsSet("json") && r.file == "" {
		return usagef("--json is empty, want the name of a file to write")
	}
	r.length = defaultAttack
	if r.quick = c.Bool("quick"); r.quick {
		r.length = quickAttack
	}
	if c.IsSet("duration") {
		var err error
		if r.length, err = time.ParseDuration(c.String("duration")); err != nil || r.length < leastAttack || r.length > mostAttack {
			return usagef("--duration is %q, want a time from %v to %v, such as 3s", c.String("duration"), leastAttack, mostAttack)
		}
	}
	patterns := c.StringSlice("attack")
	for _, p := range patterns {
		if _, err := path.Match(p, ""); err != nil {
			return usagef("--attack is %q: %w", p, err)
		}
		if len(attack.Cells([]string{p})) == 0 {
			return usagef("--attack is %q, which is the name of none; --list has them", p)
		}
	}
	r.cells = attack.Cells(patterns)
	return nil
}

func runAttacks(ctx context.Context, c *cli.Command, stdout, stderr io.Writer) error {
	r := &attackRun{}
	if err := r.parse(c); err != nil {
		return err
	}
	if c.Bool("list") {
		return r.list(stdout)
	}
	started := time.Now()
	r.report = attack.NewReport(r.length)
	r.report.Quick = r.quick
	r.report.Started, r.report.Command, r.report.Environment = started.UTC(), host.Command(), host.Environment(ctx)
	if err := r.play(ctx, stderr); err != nil {
		return err
	}
	r.report.Seconds = time.Since(started).Seconds()
	return r.finish(stdout)
}

// list prints the attacks, each with the victims that are its own.
func (r *attackRun) list(stdout io.Writer) error {
	var b strings.Builder
	title := ""
	for _, c := range r.cells {
		if c.Attack.Title() != title {
			title = c.Attack.Title()
			fmt.Fprintf(&b, "%s: %s\n", title, c.Attack.What)
		}
		fmt.Fprintf(&b, "    %s\n", c.Name())
	}
	for _, e := range attack.Elsewhere {
		fmt.Fprintf(&b, "%s: not here: %s\n", e.SEC, e.Why)
	}
	_, err := io.WriteString(stdout, b.String())
	return err
}

// play runs one cell after the other: two at once would be each other's load.
func (r *attackRun) play(ctx context.Context, stderr io.Writer) error {
	program := r.program
	if program == "" {
		var err error
		if program, err = os.Executable(); err != nil {
			return fmt.Errorf("attack: find this program: %w", err)
		}
	}
	keys, err := attack.NewKeys()
	if err != nil {
		return fmt.Errorf("attack: %w", err)
	}
	for i, cell := range r.cells {
		o := attack.Run(ctx, program, keys, cell, r.length, r.quick)
		if ctx.Err() != nil {
			r.report.Interrupted = true
			return nil
		}
		r.report.Outcomes = append(r.report.Outcomes, o)
		fmt.Fprintf(stderr, "%d of %d: %s\n", i+1, len(r.cells), o.Progress())
	}
	return nil
}

// finish reports what was run.
func (r *attackRun) finish(stdout io.Writer) error {
	if err := r.report.Table(stdout); err != nil {
		return fmt.Errorf("print the table: %w", err)
	}
	if r.file != "" {
		data, err := json.Marshal(r.report)
		if err == nil {
			err = os.WriteFile(r.file, append(data, '\n'), 0o666)
		}
		if err != nil {
			return fmt.Errorf("attack: write the report: %w", err)
		}
	}
	if r.report.Interrupted {
		return fmt.Errorf("attack: interrupted: %d of %d attacks were made", len(r.report.Outcomes), len(r.cells))
	}
	if n := r.report.Failed(); n > 0 {
		return &brokenError{n, len(r.cells)}
	}
	return nil
}

// brokenError says that requirements were not met.
type brokenError struct{ broken, total int }

func (e *brokenError) Error() string {
	return fmt.Sprintf("attack: %d of %d attacks broke a requirement", e.broken, e.total)
}
