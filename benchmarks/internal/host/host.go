// Package host finds out what a run's figures depend on: the machine, the
// system, the Go version, the commit and the versions of the libraries. It
// measures nothing. Start at Environment.
package host

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/ringwire/ringwire/benchmarks/internal/result"
)

// libraries are the labels of the modules whose versions are reported.
var libraries = map[string]string{
	"github.com/go-zeromq/zmq4": "go-zeromq",
	"go.nanomsg.org/mangos/v3":  "mangos",
	"github.com/pebbe/zmq4":     "pebbe",
}

// Environment returns what can be found out, and leaves the rest empty. It
// starts git when the build does not know its commit and go run made it.
func Environment(ctx context.Context) result.Environment {
	e := result.Environment{
		Cores:      runtime.NumCPU(),
		GOMAXPROCS: runtime.GOMAXPROCS(0),
		OS:         system(),
		CPU:        processor(),
		Memory:     memory(),
		Go:         runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH,
		Versions:   make(map[string]string),
	}
	info, ok := debug.ReadBuildInfo()
	if ok {
		e.Commit = builtFrom(info.Settings)
		for _, m := range info.Deps {
			if label, ok := libraries[m.Path]; ok {
				e.Versions[label] = version(m)
			}
		}
	}
	if program, err := os.Executable(); e.Commit == "" && err == nil && madeByGoRun(program) {
		e.Commit = checkedOut(ctx)
	}
	return e
}

// version of a module as it was built: a replacement is what was compiled.
func version(m *debug.Module) string {
	if m.Replace == nil {
		return m.Version
	}
	return m.Version + " replaced by " + m.Replace.Path + " " + m.Replace.Version
}

// builtFrom returns the commit that go build has stamped, or nothing: go run
// and go test do not stamp.
func builtFrom(settings []debug.BuildSetting) string {
	var commit, suffix string
	for _, s := range settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			suffix = "-dirty"
		}
	}
	if commit == "" {
		return ""
	}
	return commit + suffix
}
