package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/urfave/cli/v3"

	"github.com/ringwire/ringwire/benchmarks/internal/chaos"
)

// chaosWorkerCommand is the process that plays one side of a scenario: hidden,
// because only chaos can talk to it.
func chaosWorkerCommand(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name: "chaos-worker", Usage: "one side of a scenario of chaos", Hidden: true,
		Action: func(_ context.Context, c *cli.Command) error {
			// An interrupt from the keyboard reaches all processes: what it
			// means is decided by the one that started them.
			signal.Ignore(os.Interrupt)
			var job chaos.Job
			if err := json.Unmarshal([]byte(c.Args().First()), &job); err != nil {
				return usagef("chaos-worker: %w", err)
			}
			return chaos.Work(job, os.Stdin, stdout)
		},
	}
}

// scenariosAtOnce is how many scenarios run at once: most of the time each waits.
const scenariosAtOnce = 3

// chooseScenarios is what --scenario and --lib ask for.
func chooseScenarios(libraries, globs []string) ([]chaos.Scenario, error) {
	if len(libraries) == 0 {
		libraries = chaos.Libraries[:1]
	}
	var list []chaos.Scenario
	for _, l := range libraries {
		if !slices.Contains(chaos.Libraries, l) {
			return nil, usagef("--lib is %q, accepted are %s", l, strings.Join(chaos.Libraries, ", "))
		}
		list = append(list, chaos.Scenarios(l, globs)...)
	}
	for _, g := range globs {
		if len(chaos.Scenarios(libraries[0], []string{g})) == 0 {
			return nil, usagef("--scenario is %q, which is the name of none; --list has them", g)
		}
	}
	return list, nil
}

// listScenarios prints the scenarios.
func listScenarios(stdout io.Writer, list []chaos.Scenario) error {
	for _, s := range list {
		if _, err := fmt.Fprintf(stdout, "%s: %s\n", s.Name(), s.What); err != nil {
			return err
		}
	}
	return nil
}

// buildForwarder builds device/forwarder into a directory.
func buildForwarder(ctx context.Context, dir string) (string, error) {
	program := filepath.Join(dir, "forwarder")
	if runtime.GOOS == "windows" {
		program += ".exe"
	}
	const source = "github.com/ringwire/ringwire/device/forwarder"
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, source).CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the forwarder, which is only possible in a clone (--forwarder names one that is built): %w: %s", err, bytes.TrimSpace(out))
	}
	return program, nil
}

// real plays scenarios with processes.
func (r *chaosRun) real(ctx context.Context) error {
	program := chaos.Programs{Worker: r.program, Forwarder: r.forwarder}
	if program.Worker == "" {
		var err error
		if program.Worker, err = os.Executable(); err != nil {
			return fmt.Errorf("chaos: find this program: %w", err)
		}
	}
	if program.Forwarder == "" && slices.ContainsFunc(r.scenarios, func(s chaos.Scenario) bool { return s.Between && s.Skip == "" }) {
		dir, err := os.MkdirTemp("", "chaos")
		if err != nil {
			return fmt.Errorf("chaos: %w", err)
		}
		defer os.RemoveAll(dir)
		if program.Forwarder, err = buildForwarder(ctx, dir); err != nil {
			return fmt.Errorf("chaos: %w", err)
		}
	}
	queue := make(chan chaos.Scenario)
	var workers sync.WaitGroup
	var mu sync.Mutex
	done, total := 0, len(r.scenarios)*r.runs
	for range scenariosAtOnce {
		workers.Go(func() {
			for s := range queue {
				o := chaos.RunReal(ctx, program, s)
				mu.Lock()
				if ctx.Err() == nil {
					done++
					r.report.Add(o)
					state := "ok"
					switch {
					case o.Skipped != "":
						state = "skipped: " + o.Skipped
					case len(o.Broken) > 0:
						state = "BROKEN: " + o.Broken[0]
					}
					fmt.Fprintf(r.stderr, "%d of %d: %s %s: %s\n", done, total, o.Library, o.Name, state)
				}
				mu.Unlock()
			}
		})
	}
loop:
	for range r.runs {
		for _, s := range r.scenarios {
			select {
			case queue <- s:
			case <-ctx.Done():
				break loop
			}
		}
	}
	close(queue)
	workers.Wait()
	return nil
}
