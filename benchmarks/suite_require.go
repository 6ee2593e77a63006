package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/ringwire/ringwire/benchmarks/internal/result"
)

// missedError says that a figure was not reached.
type missedError struct{ missed, total int }

func (e *missedError) Error() string {
	return fmt.Sprintf("suite: %d of %d requirements were missed", e.missed, e.total)
}

// readRequirements reads what the command line requires.
func readRequirements(c *cli.Command) ([]result.Requirement, error) {
	var all []result.Requirement
	for _, text := range c.StringSlice("require") {
		r, err := result.ParseRequirement(text)
		if err != nil {
			return nil, usagef("--require: %w", err)
		}
		all = append(all, r)
	}
	if !c.IsSet("require-file") {
		return all, nil
	}
	file, err := os.Open(c.String("require-file"))
	if err != nil {
		return nil, usagef("--require-file: %w, want a file with one requirement per line", err)
	}
	defer file.Close()
	more, err := result.ReadRequirements(file)
	if err != nil {
		return nil, usagef("--require-file %s: %w", file.Name(), err)
	}
	return append(all, more...), nil
}

// checkRequirements refuses what can only be missed, because it is about
// something that this run does not measure.
func checkRequirements(requirements []result.Requirement, rows []row) error {
	for _, q := range requirements {
		i := slices.IndexFunc(rows, func(r row) bool { return r.name == q.Row() })
		if i < 0 {
			return usagef("requirement %q is about %s, which is no row of this run; --list prints those that are", q, q.Row())
		}
		var labels []string
		for _, c := range rows[i].contenders {
			labels = append(labels, c.label)
		}
		for _, label := range q.Labels() {
			at := slices.Index(labels, label)
			if at < 0 {
				hint := ""
				if base, _, _ := strings.Cut(label, "-"); worksInC(base) && findEngine(base) == nil {
					hint = "; " + errNotBuilt.Error()
				}
				return usagef("requirement %q is about %s, which is no contender in that row of this run; it has %s%s", q, label, strings.Join(labels, ", "), hint)
			}
			if why := rows[i].lacks(rows[i].contenders[at], q.Quantity()); why != "" {
				return usagef("requirement %q cannot be met: %s has no %s in that row, %s", q, label, q.Quantity(), why)
			}
		}
	}
	return nil
}

// lacks says why a contender of the row has no figure of that quantity; empty:
// it has.
func (r row) lacks(c contender, q result.Quantity) string {
	counted := true
	switch q {
	case result.Value:
		return ""
	case result.P50, result.P99:
		if r.rate == 0 && !r.half && r.role.Pattern != reqRep {
			return "which only rows of latency have"
		}
		return ""
	case result.CPU:
		counted = cpuSeconds() != nil
	case result.Allocs:
		counted = !worksInC(c.engine)
	case result.Syscalls:
		counted = !worksInC(c.engine) && syscalls() != nil
	}
	switch {
	case r.role.Pattern == connections:
		return "which rows of connections do not have"
	case !counted:
		return "which cannot be counted here"
	}
	return ""
}

// checkRun looks whether the requirements are met, and keeps that in the run.
func checkRun(run *result.Run, requirements []result.Requirement) (missed int) {
	for _, q := range requirements {
		ok, text := q.Check(run)
		if !ok {
			missed++
		}
		run.Requirements = append(run.Requirements, result.Checked{Text: text, OK: ok})
	}
	return missed
}

// printRequirements prints what checkRun found.
func printRequirements(run *result.Run, stdout io.Writer) error {
	for i, q := range run.Requirements {
		text := q.Text
		if i == 0 {
			text = "\n" + text
		}
		if _, err := fmt.Fprintln(stdout, text); err != nil {
			return fmt.Errorf("print the requirements: %w", err)
		}
	}
	return nil
}
