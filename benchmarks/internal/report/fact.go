package report

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/ringwire/ringwire/benchmarks/internal/result"
)

// fact is one line of the environment block.
type fact struct{ Name, Text string }

// facts are what the figures depend on. What is not known is said to be
// unknown: a reader must not take it for the default.
func facts(run *result.Run) []fact {
	e := run.Environment
	cores, memory := "unknown", "unknown"
	if e.Cores > 0 {
		cores = fmt.Sprintf("%d, GOMAXPROCS %d", e.Cores, e.GOMAXPROCS)
	}
	if e.Memory > 0 {
		memory = amount(float64(e.Memory), "bytes")
	}
	var versions []string
	for _, name := range slices.Sorted(maps.Keys(e.Versions)) {
		versions = append(versions, name+" "+e.Versions[name])
	}
	all := []fact{
		{"command", known(shell(run.Command))},
		{"processor", known(e.CPU)},
		{"cores", cores},
		{"memory", memory},
		{"system", known(e.OS)},
		{"Go", known(e.Go)},
		{"commit", known(e.Commit)},
		{"libraries", known(strings.Join(versions, ", "))},
	}
	if e.Missing != "" {
		all = append(all, fact{"not built", e.Missing})
	}
	return all
}

// plain is a word that a shell takes as it is.
var plain = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// shell is a command as a shell needs it.
func shell(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		if quoted[i] = w; !plain.MatchString(w) {
			quoted[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}

func known(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}
