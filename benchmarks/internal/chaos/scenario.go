package chaos

import (
	"bytes"
	"os/exec"
	"path"
	"slices"
	"strings"
	"time"
)

// Scenario is a fault that is done to real processes.
type Scenario struct {
	Fault     Fault
	Variant   string
	What      string // what is done
	Pattern   Pattern
	Where     string // tcp or ipc
	Library   string
	Skip      string // why it cannot be run
	Settings  Settings
	Load      Load
	Peers     int  // sockets of the connecting side, 0: 1
	Islands   bool // each process in a network namespace of its own
	Moves     bool // the connecting side knows a name only
	Encrypted bool // under CURVE, with keys of its own
	Between   bool // a forwarder is between the two, which both connect to it

	Begin  func(*stage) error // in place of starting both
	Inject func(*stage) error // returns when the fault is over
}

// Name is such as "F05/push-pull/tcp" or "F01-sender/pair/ipc".
func (s *Scenario) Name() string {
	name := string(s.Fault)
	if s.Variant != "" {
		name += "-" + s.Variant
	}
	return name + "/" + string(s.Pattern) + "/" + s.Where
}

// Replay is the arguments that run it again.
func (s *Scenario) Replay() string {
	line := "chaos --real --scenario " + s.Name()
	if s.Library != "ringwire" {
		line += " --lib " + s.Library
	}
	return line
}

// Libraries are what can play scenarios.
var Libraries = []string{"ringwire", "libzmq", "go-zeromq"}

// Scenarios are those of a library whose name matches one of the patterns, in
// which * is any text; without patterns all.
func Scenarios(library string, globs []string) (list []Scenario) {
	why := unavailable(library)
	for _, r := range recipes() {
		for _, p := range Patterns {
			if len(r.only) > 0 && !slices.Contains(r.only, p) || slices.Contains(r.not, p) {
				continue
			}
			for _, where := range []string{"tcp", "ipc"} {
				if where == "ipc" && !r.ipc || where == "tcp" && r.fault == F21 {
					continue
				}
				s := r.scenario(library, p, where)
				if why != "" {
					s.Skip = why
				}
				if len(globs) == 0 || slices.ContainsFunc(globs, func(g string) bool { return matches(g, s.Name()) }) {
					list = append(list, s)
				}
			}
		}
	}
	return list
}

// matches has * match any text, also a slash.
func matches(glob, name string) bool {
	flat := func(s string) string { return strings.ReplaceAll(s, "/", ":") }
	ok, err := path.Match(flat(glob), flat(name))
	return ok && err == nil
}

func (r *recipe) scenario(library string, p Pattern, where string) Scenario {
	s := Scenario{
		Fault: r.fault, Variant: r.variant, What: r.what, Pattern: p, Where: where, Library: library, Begin: r.begin, Inject: r.inject,
		Settings: Settings{SendHWM: 1000, RecvHWM: 1000, ReconnectMin: 10 * time.Millisecond, ReconnectMax: 200 * time.Millisecond},
		Load:     Load{Burst: 5, Pause: time.Millisecond, Frames: 3, Body: 200, Seed: 1},
	}
	if p == ReqRep {
		s.Load.Patience = 300 * time.Millisecond
	}
	if r.change != nil {
		r.change(&s)
	}
	if r.ours != "" && library != "ringwire" {
		s.Skip = library + ": " + r.ours
	}
	if library == "go-zeromq" && where == "ipc" {
		s.Skip = "go-zeromq: not over ipc here"
	}
	return s
}

// unavailable is why a library cannot be run.
func unavailable(library string) string {
	if library != "libzmq" {
		return ""
	}
	out, err := exec.Command(python, "-c", "import zmq").CombinedOutput()
	if err != nil {
		lines := strings.Split(strings.TrimSpace(string(bytes.TrimSpace(out))), "\n")
		return "libzmq: " + python + " has no pyzmq: " + lines[len(lines)-1]
	}
	return ""
}
