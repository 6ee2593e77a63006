package main

import (
	"fmt"
	"io"
	"os"
	"regexp"
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

// requirementParts are the row and the labels of what a requirement is written
// as.
var requirementParts = regexp.MustCompile(`^(.+)/[^/:@]+(?::([^@<>=]+))?(?:@([^<>=]+))?\s*[<>]`)

// checkRequirements refuses what can only be missed, because it is about
// something that this run does not measure.
func checkRequirements(requirements []result.Requirement, rows []row) error {
	for _, q := range requirements {
		parts := requirementParts.FindStringSubmatch(q.String())
		if parts == nil {
			continue // written in a way that this does not know: Check decides
		}
		i := slices.IndexFunc(rows, func(r row) bool { return r.name == parts[1] })
		if i < 0 {
			return usagef("requirement %q is about %s, which is no row of this run; --list prints those that are", q, parts[1])
		}
		var labels []string
		for _, c := range rows[i].contenders {
			labels = append(labels, c.label)
		}
		for _, label := range parts[2:] {
			if label = strings.TrimSpace(label); label != "" && !slices.Contains(labels, label) {
				return usagef("requirement %q is about %s, which is no contender in that row of this run; it has %s", q, label, strings.Join(labels, ", "))
			}
		}
	}
	return nil
}

// checkRun prints whether the requirements are met.
func checkRun(run *result.Run, requirements []result.Requirement, stdout io.Writer) error {
	missed := 0
	for i, q := range requirements {
		ok, text := q.Check(run)
		if !ok {
			missed++
		}
		if i == 0 {
			text = "\n" + text
		}
		if _, err := fmt.Fprintln(stdout, text); err != nil {
			return fmt.Errorf("print the requirements: %w", err)
		}
	}
	if missed > 0 {
		return &missedError{missed: missed, total: len(requirements)}
	}
	return nil
}
