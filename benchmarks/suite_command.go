package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/ringwire/ringwire/benchmarks/internal/host"
	"github.com/ringwire/ringwire/benchmarks/internal/report"
	"github.com/ringwire/ringwire/benchmarks/internal/result"
)

// goRunCodes is for who starts the program that way.
const goRunCodes = "go run puts 1 in the place of any of these but 0: build the program to have them."

// suiteCommand measures libraries against each other.
func suiteCommand(ctx context.Context, stdout, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name:  "suite",
		Usage: "measure libraries against each other",
		Description: "Exit codes: 0 all was measured and every requirement met; 1 something went wrong, or the run was interrupted; " +
			"2 wrong arguments, nothing was measured; 3 a requirement was missed. " + goRunCodes,
		HideHelpCommand: true,
		OnUsageError:    onUsageError,
		// A comma is a part of a name.
		DisableSliceFlagSeparator: true,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "quick", Usage: "five rows in short slices, within three minutes"},
			&cli.BoolFlag{Name: "matrix", Usage: "every library, transport, pattern, size and load instead of the default rows"},
			&cli.StringSliceFlag{Name: "row", Usage: "only rows whose name matches `pattern`, in which * is any text and ? any character"},
			&cli.StringSliceFlag{Name: "lib", Usage: "only contenders of the library `name`: " + strings.Join(engineNames(), ", ") + "; limit is the raw probe"},
			&cli.StringFlag{Name: "pairs", Usage: fmt.Sprintf("slices of each contender in each row: `n` from 1 to %d; without it %d, with --quick %d, and fewer in rows of 100 messages per second and of connections", maxPairs, defaultPairs, quickPairs)},
			&cli.StringFlag{Name: "slice", Usage: fmt.Sprintf("length `d` of a slice, from 1ms to 1m; without it %v, with --quick %v, and 1s in rows of 100 messages per second", defaultSlice, quickSlice)},
			&cli.StringFlag{Name: "json", Usage: "write all that was measured to `file`"},
			&cli.StringFlag{Name: "csv", Usage: "write a table to `file`"},
			&cli.StringFlag{Name: "html", Usage: "write a report with plots to `file`"},
			&cli.StringSliceFlag{Name: "require", Usage: "exit with code 3 unless `expr` holds, such as tcp/push-pull/64/ratio:libzmq>=2.5: <row>/<quantity>[:<baseline>][@<ours>]<op><number>. The quantity is " +
				"value (in the row's unit, which --list has), cpu (seconds per message), p50 or p99 (seconds), allocs or syscalls (per message), or, to a baseline and without a unit, ratio, cpu-ratio, p50-ratio or p99-ratio; " +
				"ours is ringwire unless it is named; the operators are >=, <=, > and <"},
			&cli.StringFlag{Name: "require-file", Usage: "require what `file` has, one expression per line"},
			&cli.BoolFlag{Name: "list", Usage: "print the rows and their contenders, and measure nothing"},
		},
		Action: func(_ context.Context, c *cli.Command) error {
			s := newSuite(stderr)
			return runSuite(ctx, c, s, stdout)
		},
	}
}

// runSuite does what the command line c asks for. All that can be wrong with
// it is found before anything is measured.
func runSuite(ctx context.Context, c *cli.Command, s *suite, stdout io.Writer) error {
	if c.Args().Present() {
		return usagef("suite got arguments %q, want none: rows are chosen with --row", c.Args().Slice())
	}
	if err := s.choose(c); err != nil {
		return err
	}
	requirements, err := readRequirements(c)
	if err == nil {
		err = checkRequirements(requirements, s.rows)
	}
	if err != nil {
		return err
	}
	files, err := destinations(c)
	if err != nil {
		return err
	}
	if c.Bool("list") {
		return list(stdout, s.rows)
	}
	run := &result.Run{
		Version: result.Version, Started: time.Now().UTC(),
		Command: host.Command(), Environment: environment(ctx),
	}
	if s.notBuilt {
		run.Environment.Missing = "libzmq and pebbe are not part of this build; " + errNotBuilt.Error()
		fmt.Fprintln(s.stderr, run.Environment.Missing)
	}
	if err := s.run(ctx, run); err != nil {
		return err
	}
	return s.finish(run, files, requirements, stdout)
}

// finish reports what was measured. Nothing at all replaces no file.
func (s *suite) finish(run *result.Run, files []destination, requirements []result.Requirement, stdout io.Writer) error {
	missed := 0
	if !run.Interrupted {
		missed = checkRun(run, requirements)
	}
	if err := report.Table(stdout, run); err != nil {
		return fmt.Errorf("print the table: %w", err)
	}
	if run.Interrupted && len(run.Rows) == 0 {
		files = nil
	}
	for _, f := range files {
		if err := f.save(run); err != nil {
			return err
		}
	}
	if run.Interrupted {
		text := fmt.Sprintf("%d of %d rows were finished", len(s.done), len(s.rows))
		switch len(run.Rows) {
		case 0:
			text += ", no file was written"
		case len(s.done):
		default:
			text += ", and a part of one"
		}
		return fmt.Errorf("suite: interrupted: %s", text)
	}
	if err := printRequirements(run, stdout); err != nil {
		return err
	}
	if missed > 0 {
		return &missedError{missed: missed, total: len(requirements)}
	}
	return nil
}

// choose takes from the command line what is to be run, and how.
func (s *suite) choose(c *cli.Command) error {
	quick, matrix := c.Bool("quick"), c.Bool("matrix")
	rows := defaultRows()
	switch {
	case quick && matrix:
		return usagef("--quick and --matrix are different rows, want at most one of them")
	case quick:
		rows, s.pairs, s.slice = quickRows(), quickPairs, quickSlice
	case matrix:
		rows = matrixRows()
	}
	if c.IsSet("pairs") {
		n, err := strconv.Atoi(c.String("pairs"))
		if err != nil || n < 1 || n > maxPairs {
			return usagef("--pairs is %q, want a number from 1 to %d", c.String("pairs"), maxPairs)
		}
		s.pairs = n
		s.exactPairs = true
	}
	if c.IsSet("slice") {
		d, err := time.ParseDuration(c.String("slice"))
		if err != nil || d < time.Millisecond || d > time.Minute {
			return usagef("--slice is %q, want a time from 1ms to 1m, such as 400ms", c.String("slice"))
		}
		s.slice = d
		s.exactSlice = true
	}
	rows, err := selectRows(rows, c.StringSlice("row"))
	if err != nil {
		return err
	}
	s.notBuilt = len(c.StringSlice("lib")) == 0 && needsLibzmq(rows)
	s.rows, err = selectLibraries(supported(builtIn(rows)), c.StringSlice("lib"))
	return err
}

// list prints the rows.
func list(stdout io.Writer, rows []row) error {
	for _, r := range rows {
		var labels []string
		for _, c := range r.contenders {
			labels = append(labels, c.label)
		}
		if _, err := fmt.Fprintf(stdout, "%s: %s: %s\n", r.name, r.metric.unit, strings.Join(labels, ", ")); err != nil {
			return err
		}
	}
	return nil
}

// environment is what the figures depend on, with the versions of libraries
// that are no Go modules.
func environment(ctx context.Context) result.Environment {
	e := host.Environment(ctx)
	for _, engine := range engines() {
		if v, ok := engine.(versioned); ok {
			e.Versions[engine.name()] = v.version()
		}
	}
	return e
}
