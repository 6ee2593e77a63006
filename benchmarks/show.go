package main

import (
	"context"
	"io"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v3"

	"github.com/ringwire/ringwire/benchmarks/internal/report"
	"github.com/ringwire/ringwire/benchmarks/internal/result"
)

// showCommand shows a result of the suite again, in any form.
func showCommand(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name:            "show",
		Usage:           "show a result of the suite again: as a table, or in the forms that the flags name",
		ArgsUsage:       "<run.json>",
		HideHelpCommand: true,
		OnUsageError:    onUsageError,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "html", Usage: "write the page to `file`"},
			&cli.StringFlag{Name: "csv", Usage: "write every slice to `file`"},
			&cli.StringFlag{Name: "markdown", Usage: "write the ratios as a Markdown table to `file`"},
			&cli.StringFlag{Name: "plots", Usage: "write the plots, as SVG, to `directory`, which is made"},
		},
		Action: func(_ context.Context, c *cli.Command) error {
			if c.Args().Len() != 1 {
				return usagef("show got %d arguments %q, want 1: %s", c.Args().Len(), c.Args().Slice(), c.ArgsUsage)
			}
			run, err := result.Load(c.Args().First())
			if err != nil {
				return &usageError{err}
			}
			return show(stdout, run, c)
		},
	}
}

func show(stdout io.Writer, run *result.Run, c *cli.Command) error {
	forms := []struct {
		flag  string
		write func(io.Writer, *result.Run) error
	}{{"html", report.HTML}, {"csv", report.CSV}, {"markdown", report.Markdown}}
	shown := false
	for _, f := range forms {
		if name := c.String(f.flag); name != "" {
			shown = true
			if err := writeForm(name, run, f.write); err != nil {
				return err
			}
		}
	}
	if directory := c.String("plots"); directory != "" {
		return writePlots(directory, run)
	}
	if shown {
		return nil
	}
	return report.Table(stdout, run)
}

func writeForm(name string, run *result.Run, write func(io.Writer, *result.Run) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := write(f, run); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

func writePlots(directory string, run *result.Run) error {
	plots, err := report.Plots(run)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(directory, 0o777); err != nil {
		return err
	}
	for _, p := range plots {
		if err := os.WriteFile(filepath.Join(directory, p.Name+".svg"), p.SVG, 0o666); err != nil {
			return err
		}
	}
	return nil
}
