package report

import (
	"fmt"
	"maps"
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
	return []fact{
		{"command", known(strings.Join(run.Command, " "))},
		{"processor", known(e.CPU)},
		{"cores", cores},
		{"memory", memory},
		{"system", known(e.OS)},
		{"Go", known(e.Go)},
		{"commit", known(e.Commit)},
		{"libraries", known(strings.Join(versions, ", "))},
	}
}

func known(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}
