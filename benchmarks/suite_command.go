package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/ringwire/ringwire/benchmarks/internal/host"
	"github.com/ringwire/ringwire/benchmarks/internal/report"
	"github.com/ringwire/ringwire/benchmarks/internal/result"
)

// suiteCommand measures libraries against each other.
func suiteCommand(ctx context.Context, stdout, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name:            "suite",
		Usage:           "measure libraries against each other",
		HideHelpCommand: true,
		OnUsageError:    onUsageError,
		// A comma is a part of a name.
		DisableSliceFlagSeparator: true,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "quick", Usage: "five rows in short slices, within three minutes"},
			&cli.BoolFlag{Name: "matrix", Usage: "every library, transport, pattern, size and load instead of the default rows"},
			&cli.StringSliceFlag{Name: "row", Usage: "only rows whose name matches `pattern`, in which * is any text and ? any character"},
			&cli.StringSliceFlag{Name: "lib", Usage: "only contenders of the library `name`"},
			&cli.IntFlag{Name: "pairs", Usage: "slices of each contender in each row: `n`"},
			&cli.DurationFlag{Name: "slice", Usage: "length `d` of a slice, such as 400ms"},
			&cli.StringFlag{Name: "json", Usage: "write all that was measured to `file`"},
			&cli.StringFlag{Name: "csv", Usage: "write a table to `file`"},
			&cli.StringFlag{Name: "html", Usage: "write a report with plots to `file`"},
			&cli.StringSliceFlag{Name: "require", Usage: "exit with code 3 unless `expr` holds, such as tcp/push-pull/64/ratio:libzmq>=2.5"},
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
		Command: append([]string{"benchmarks"}, os.Args[1:]...), Environment: environment(ctx),
	}
	if err := s.run(ctx, run); err != nil {
		return err
	}
	return finish(run, files, requirements, len(s.rows), stdout)
}

// finish reports what was measured.
func finish(run *result.Run, files []destination, requirements []result.Requirement, rows int, stdout io.Writer) error {
	if err := report.Table(stdout, run); err != nil {
		return fmt.Errorf("print the table: %w", err)
	}
	for _, f := range files {
		if err := f.save(run); err != nil {
			return err
		}
	}
	if run.Interrupted {
		return fmt.Errorf("suite: interrupted: %d of %d rows were finished", len(run.Rows), rows)
	}
	return checkRun(run, requirements, stdout)
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
		if s.pairs = c.Int("pairs"); s.pairs < 1 || s.pairs > maxPairs {
			return usagef("--pairs is %d, want a number from 1 to %d", s.pairs, maxPairs)
		}
		s.exactPairs = true
	}
	if c.IsSet("slice") {
		if s.slice = c.Duration("slice"); s.slice < time.Millisecond || s.slice > time.Minute {
			return usagef("--slice is %v, want a time from 1ms to 1m", s.slice)
		}
		s.exactSlice = true
	}
	rows, err := selectRows(builtIn(rows), c.StringSlice("row"))
	if err == nil {
		rows, err = selectLibraries(rows, c.StringSlice("lib"))
	}
	s.rows = rows
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
