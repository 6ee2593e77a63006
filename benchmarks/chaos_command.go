package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/ringwire/ringwire/benchmarks/internal/chaos"
	"github.com/ringwire/ringwire/benchmarks/internal/host"
)

const (
	defaultSeeds = 50
	maxSeeds     = 10_000_000
	// seedsAtOnce is how many seeds are played at once for each processor:
	// most of the time a seed waits.
	seedsAtOnce = 4
)

// chaosCommand sends messages while something goes wrong.
func chaosCommand(ctx context.Context, stdout, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name:  "chaos",
		Usage: "account for every message while faults are injected",
		Description: "Exit codes: 0 every message was accounted for; 1 it was not, or the run was interrupted; 2 wrong arguments, nothing was run. " +
			goRunCodes,
		HideHelpCommand: true,
		OnUsageError:    onUsageError,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "seeds", Usage: fmt.Sprintf("play `n` seeds in memory, from 1 to %d; without it %d", maxSeeds, defaultSeeds)},
			&cli.StringFlag{Name: "from", Usage: "the first `seed` of them; without it 1"},
			&cli.StringFlag{Name: "seed", Usage: "play one `seed` in memory"},
			&cli.BoolFlag{Name: "real", Usage: "play scenarios with processes over tcp and ipc instead"},
			&cli.StringSliceFlag{Name: "scenario", Usage: "with --real: only scenarios whose name matches `pattern`, in which * is any text but a slash"},
			&cli.StringSliceFlag{Name: "lib", Usage: "with --real: the library `name`: " + strings.Join(chaos.Libraries, ", ") + "; without it ringwire"},
			&cli.StringFlag{Name: "runs", Usage: "with --real: play each scenario `n` times, from 1 to 1000"},
			&cli.StringFlag{Name: "forwarder", Usage: "with --real: the `file` of device/forwarder, built; without it that is built"},
			&cli.BoolFlag{Name: "list", Usage: "with --real: print the scenarios, and play none"},
			&cli.StringFlag{Name: "json", Usage: "write all that was counted to `file`"},
		},
		Action: func(_ context.Context, c *cli.Command) error {
			return runChaos(ctx, c, stdout, stderr)
		},
	}
}

// chaosRun is what the command line asks for.
type chaosRun struct {
	first  uint64
	count  int
	file   string
	report *chaos.Report
	stderr io.Writer
	shown  time.Time

	scenarios []chaos.Scenario // of --real, else nil
	runs      int              // of each
	program   string           // that has the worker; empty: this one
	forwarder string           // likewise of device/forwarder; empty: it is built
}

func runChaos(ctx context.Context, c *cli.Command, stdout, stderr io.Writer) error {
	r := &chaosRun{file: c.String("json"), stderr: stderr}
	if err := r.parse(c); err != nil {
		return err
	}
	if c.Bool("list") {
		return listScenarios(stdout, r.scenarios)
	}
	started := time.Now()
	r.report = &chaos.Report{
		Version: chaos.ReportVersion, Started: started.UTC(), Command: host.Command(), Environment: host.Environment(ctx),
	}
	if c.Bool("real") {
		if err := r.real(ctx); err != nil {
			return err
		}
	} else {
		r.seeds(ctx)
	}
	r.report.Seconds = time.Since(started).Seconds()
	r.report.Interrupted = ctx.Err() != nil
	return r.finish(stdout)
}

// parse takes the command line apart. Its errors are usage errors.
func (r *chaosRun) parse(c *cli.Command) error {
	if c.Args().Present() {
		return usagef("chaos got arguments %q, want none", c.Args().Slice())
	}
	if c.IsSet("json") && r.file == "" {
		return usagef("--json is empty, want the name of a file to write")
	}
	number := func(name string, def, least, most uint64) (uint64, error) {
		if !c.IsSet(name) {
			return def, nil
		}
		n, err := strconv.ParseUint(c.String(name), 10, 64)
		if err != nil || n < least || n > most {
			return 0, usagef("--%s is %q, want a number from %d to %d", name, c.String(name), least, most)
		}
		return n, nil
	}
	const most = 1<<63 - 1
	if c.Bool("real") {
		for _, name := range []string{"seed", "seeds", "from"} {
			if c.IsSet(name) {
				return usagef("--%s is for runs in memory, and --real is not, want one or the other", name)
			}
		}
		runs, err := number("runs", 1, 1, 1000)
		if err != nil {
			return err
		}
		r.runs, r.forwarder = int(runs), c.String("forwarder")
		r.scenarios, err = chooseScenarios(c.StringSlice("lib"), c.StringSlice("scenario"))
		return err
	}
	for _, name := range []string{"scenario", "lib", "runs", "forwarder", "list"} {
		if c.IsSet(name) {
			return usagef("--%s is for --real, which is missing", name)
		}
	}
	if c.IsSet("seed") && (c.IsSet("seeds") || c.IsSet("from")) {
		return usagef("--seed is one seed, --seeds and --from are many, want one or the other")
	}
	count, err := number("seeds", defaultSeeds, 1, maxSeeds)
	if err == nil {
		r.first, err = number("from", 1, 0, most)
	}
	if err == nil && c.IsSet("seed") {
		count = 1
		r.first, err = number("seed", 0, 0, most)
	}
	r.count = int(count)
	return err
}

// finish reports what was run.
func (r *chaosRun) finish(stdout io.Writer) error {
	r.report.Sort()
	if err := r.report.Table(stdout); err != nil {
		return fmt.Errorf("print the table: %w", err)
	}
	if r.file != "" {
		data, err := json.Marshal(r.report)
		if err == nil {
			err = os.WriteFile(r.file, append(data, '\n'), 0o666)
		}
		if err != nil {
			return fmt.Errorf("chaos: write the report: %w", err)
		}
	}
	interrupted := ""
	if r.report.Interrupted {
		interrupted = "interrupted: "
	}
	if n := len(r.report.Failures); n > 0 {
		return fmt.Errorf("chaos: "+interrupted+"%d of %d runs broke an invariant; the first again: benchmarks %s", n, r.report.Total.Runs, r.report.Failures[0].Replay)
	}
	if r.report.Interrupted {
		return fmt.Errorf("chaos: "+interrupted+"%d runs were finished", r.report.Total.Runs)
	}
	return nil
}
