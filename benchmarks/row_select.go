package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// quickRows are the default rows that say most.
func quickRows() []row {
	names := []string{
		"tcp/push-pull/64", "tcp/req-rep/64", "ipc/push-pull/64", "inproc/push-pull/16", "tcp/pub-sub-1x8/64",
		"tcp/device-xsub-xpub/64", "tcp/device-pull-push/64",
	}
	return slices.DeleteFunc(defaultRows(), func(r row) bool { return !slices.Contains(names, r.name) })
}

// matrixRows are all libraries at everything.
func matrixRows() []row {
	libraries := contend("ringwire", "libzmq", "pebbe", "go-zeromq", "mangos")
	var rows []row
	for _, transport := range []string{"inproc", "ipc", "tcp"} {
		for _, size := range []int{16, 64, 1024, 16384, 65536, 1048576} {
			publish := fanOutRow(transport, 1, size, libraries)
			publish.name = fmt.Sprintf("%s/pub-sub/%d", transport, size)
			rows = append(rows,
				throughputRow(transport, size, libraries),
				openLoopRow(transport, pushPull, size, 10000, libraries),
				publish,
				openLoopRow(transport, pubSub, size, 10000, libraries),
				roundTripsRow(transport, size, libraries),
				outstandingRow(transport, size, libraries),
			)
		}
	}
	return rows
}

// selectRows keeps the rows whose names match one of the patterns; none keeps
// all.
func selectRows(rows []row, patterns []string) ([]row, error) {
	if len(patterns) == 0 {
		return rows, nil
	}
	wanted := make([]bool, len(rows))
	for _, p := range patterns {
		found, glob := false, globPattern(p)
		for i, r := range rows {
			if glob.MatchString(r.name) {
				wanted[i], found = true, true
			}
		}
		if !found {
			return nil, usagef("--row is %q, which is no row of this run; accepted are the names that --list prints, and patterns with * and ?", p)
		}
	}
	var selected []row
	for i, r := range rows {
		if wanted[i] {
			selected = append(selected, r)
		}
	}
	return selected, nil
}

// globPattern is a pattern in which * is any text, slashes too, and ? is one
// character.
func globPattern(glob string) *regexp.Regexp {
	quoted := regexp.QuoteMeta(glob)
	return regexp.MustCompile("^" + strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(quoted) + "$")
}

// needsLibzmq reports whether rows have contenders of libzmq, which this
// program was built without.
func needsLibzmq(rows []row) bool {
	return slices.ContainsFunc(rows, func(r row) bool {
		return slices.ContainsFunc(r.contenders, func(c contender) bool { return worksInC(c.engine) && findEngine(c.engine) == nil })
	})
}

// supported keeps the contenders that can play the row's role.
func supported(rows []row) []row {
	for i, r := range rows {
		rows[i].contenders = slices.DeleteFunc(slices.Clone(r.contenders), func(c contender) bool { return r.refused(c) != nil })
	}
	return slices.DeleteFunc(rows, func(r row) bool { return len(r.contenders) == 0 })
}

// refused says why the contender cannot play the row's role.
func (r row) refused(c contender) error {
	e := findEngine(c.engine)
	for _, side := range sidesOf(r.role) {
		role := r.roleOf(c)
		role.Side, role.Bind = side, side == role.binder()
		if err := e.supports(role); err != nil {
			return err
		}
	}
	return nil
}

// builtIn keeps the contenders whose libraries this program has.
func builtIn(rows []row) []row {
	for i := range rows {
		rows[i].contenders = slices.DeleteFunc(slices.Clone(rows[i].contenders), func(c contender) bool {
			return findEngine(c.engine) == nil
		})
	}
	return slices.DeleteFunc(rows, func(r row) bool { return len(r.contenders) == 0 })
}

// selectLibraries keeps the contenders of some libraries, and the rows that
// still have one; no names keep all.
func selectLibraries(rows []row, names []string) ([]row, error) {
	if len(names) == 0 {
		return rows, nil
	}
	known := engineNames()
	for _, name := range names {
		if slices.Contains(known, name) {
			continue
		}
		if worksInC(name) {
			return nil, usagef("--lib %s is not part of this build, accepted are %s; %w", name, strings.Join(known, ", "), errNotBuilt)
		}
		return nil, usagef("--lib is %q, accepted are %s", name, strings.Join(known, ", "))
	}
	for i := range rows {
		rows[i].contenders = slices.DeleteFunc(slices.Clone(rows[i].contenders), func(c contender) bool {
			return !slices.Contains(names, c.engine)
		})
	}
	rows = slices.DeleteFunc(rows, func(r row) bool { return len(r.contenders) == 0 })
	if len(rows) == 0 {
		return nil, usagef("--lib %s leaves nothing to run: no row that was asked for has such a contender", strings.Join(names, " --lib "))
	}
	return rows, nil
}

// engineNames are those of this build.
func engineNames() []string {
	var names []string
	for _, e := range engines() {
		names = append(names, e.name())
	}
	return names
}

// findEngine returns the engine of that name, or nil.
func findEngine(name string) engine {
	for _, e := range engines() {
		if e.name() == name {
			return e
		}
	}
	return nil
}
