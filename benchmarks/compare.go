package main

import (
	"context"
	"io"

	"github.com/urfave/cli/v3"

	"github.com/ringwire/ringwire/benchmarks/internal/report"
	"github.com/ringwire/ringwire/benchmarks/internal/result"
)

// compareCommand puts two results of the suite side by side.
func compareCommand(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name:      "compare",
		Usage:     "say what changed between two results of the suite",
		ArgsUsage: "<old.json> <new.json>",
		Description: "Exit codes: 0 the comparison was printed, whatever it says; 1 it could not be printed; " +
			"2 wrong arguments, or a file that is no result. " + goRunCodes,
		HideHelpCommand: true,
		OnUsageError:    onUsageError,
		Action: func(_ context.Context, c *cli.Command) error {
			args := c.Args().Slice()
			if len(args) != 2 {
				return usagef("compare got %d arguments %q, want 2: %s", len(args), args, c.ArgsUsage)
			}
			old, err := result.Load(args[0])
			if err != nil {
				return &usageError{err}
			}
			current, err := result.Load(args[1])
			if err != nil {
				return &usageError{err}
			}
			return report.Comparison(stdout, result.Compare(old, current))
		},
	}
}
