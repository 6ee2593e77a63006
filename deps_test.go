package ringwire_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The import law: which packages of this module each package may import. A
// message walks down this staircase on send and up on receive. Do not edit
// this table to make a build pass; change the design first.
const law = `
internal/buf:
internal/ring:
internal/park:
internal/msg: internal/buf
: internal/msg
internal/zmtp: internal/msg internal/buf .
internal/pipe: internal/msg internal/ring internal/park internal/zmtp internal/buf .
pattern: internal/pipe internal/msg .
internal/security: internal/zmtp .
internal/session: internal/pipe internal/zmtp internal/security internal/park internal/msg internal/buf .
transport: .
transport/tcp: . transport
transport/ipc: . transport
transport/tlstcp: . transport transport/tcp
transport/transporttest: . transport
transport/inproc: . transport internal/pipe
socket: internal/buf internal/ring internal/park internal/msg . internal/zmtp internal/pipe pattern internal/security internal/session transport transport/tcp transport/ipc transport/inproc
socket/sockettest: . transport
socket/plain: . internal/security
socket/curve: . internal/security
socket/zap: . socket pattern transport
socket/observe: . socket
socket/typed: . socket pattern
device: . socket pattern transport
device/forwarder: . device socket socket/curve pattern transport transport/tcp transport/ipc
internal/interop: . socket pattern
internal/peertest:
benchmarks/internal/result:
benchmarks/internal/report: benchmarks/internal/result
benchmarks/internal/host: benchmarks/internal/result
benchmarks/internal/child:
benchmarks/internal/chaos: . socket socket/curve socket/plain socket/sockettest pattern transport benchmarks/internal/child
benchmarks/internal/attack: . socket socket/curve socket/plain pattern benchmarks/internal/child
benchmarks: . device socket socket/curve pattern transport transport/tcp transport/ipc internal/ring benchmarks/internal/result benchmarks/internal/report benchmarks/internal/host benchmarks/internal/child benchmarks/internal/chaos benchmarks/internal/attack
examples:
examples/01-hello: . socket pattern
examples/02-weather: . socket pattern
examples/03-pipeline: . socket pattern
examples/04-forwarder: . socket pattern device
examples/05-queue: . socket pattern device
examples/06-load-balancing: . socket pattern
examples/07-async: . socket pattern
examples/08-lazy-pirate: . socket pattern
examples/09-paranoid-pirate: . socket socket/sockettest pattern transport
examples/10-majordomo: socket socket/sockettest transport examples/10-majordomo/mdp
examples/10-majordomo/mdp: . socket pattern
examples/11-freelance: . socket socket/sockettest pattern transport
examples/12-binary-star: . socket socket/sockettest pattern transport
examples/13-titanic: socket examples/10-majordomo/mdp
examples/14-clone: . device socket socket/sockettest pattern transport
examples/15-last-value-cache: . device socket pattern
examples/16-espresso: . device socket pattern
examples/17-suicidal-snail: . socket pattern
examples/18-black-box: . socket pattern
examples/19-typed-rpc: . socket socket/typed
examples/20-channels: . socket pattern
examples/21-service: . socket pattern
examples/22-metrics: . socket pattern socket/observe
examples/23-python: . socket pattern
examples/24-slow: . socket pattern
examples/25-file-transfer: . socket pattern
examples/secure: . socket socket/curve pattern
examples/quickstart: . socket pattern transport transport/inproc
`

// banned lists packages that must not be reachable, each with the reason.
var banned = []struct {
	from   string // package of this module
	direct bool   // only what it imports itself counts
	what   string // import path, or a prefix that ends in /
	why    string
}{
	{"internal/zmtp", true, "net", "the codec is pure"},
	{"internal/zmtp", true, "time", "the codec is pure"},
	{"internal/security", true, "net", "mechanisms are pure state machines"},
	{"internal/security", true, "time", "mechanisms are pure state machines"},
	{"pattern", true, "net", "a pattern knows no network"},
	{"pattern", true, "time", "a pattern knows no time"},
	{"socket", false, "net/http", "a library user must not pay for it"},
	{"socket", false, "crypto/tls", "a library user must not pay for it: transport/tlstcp brings it"},
	{"socket", false, "expvar", "it registers handlers on import"},
	{"socket", false, "runtime/cgo", "pure Go"},
	{"socket", false, "github.com/urfave/", "command lines belong to programs"},
	{"socket", false, "github.com/go-zeromq/", "a peer in tests, never underneath us"},
	{"socket", false, "github.com/vmihailenco/", "typed messages are optional"},
	{"socket", false, "github.com/prometheus/", "metrics belong to programs"},
	{"socket", false, "github.com/HdrHistogram/", "histograms belong to benchmarks"},
	{"socket", false, "gonum.org/", "plots belong to benchmarks"},
	{"socket", false, "go.yaml.in/", "configuration belongs to programs"},
	{"device", false, "net/http", "a library user must not pay for it"},
	{"device", false, "expvar", "it registers handlers on import"},
	{"device", false, "runtime/cgo", "pure Go"},
	{"device", false, "github.com/urfave/", "command lines belong to programs"},
	{"device", false, "github.com/go-zeromq/", "a peer in tests, never underneath us"},
	{"device", false, "github.com/vmihailenco/", "typed messages are optional"},
	{"device", false, "github.com/prometheus/", "metrics belong to programs"},
}

const module = "github.com/ringwire/ringwire"

type goPackage struct {
	ImportPath string
	Doc        string
	Imports    []string
	Deps       []string
}

func listPackages(t *testing.T) map[string]goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Doc,Imports,Deps", "./...")
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	packages := make(map[string]goPackage)
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages[short(p.ImportPath)] = p
	}
}

// short is the path within the module, "." for its root.
func short(path string) string {
	if path == module {
		return "."
	}
	return strings.TrimPrefix(path, module+"/")
}

func TestImportLaw(t *testing.T) {
	allowed := make(map[string][]string)
	for line := range strings.Lines(strings.TrimSpace(law)) {
		from, to, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok {
			t.Fatalf("line %q of the law has no colon", line)
		}
		if from == "" {
			from = "."
		}
		allowed[from] = strings.Fields(to)
	}
	packages := listPackages(t)
	for name, p := range packages {
		may, ok := allowed[name]
		if !ok {
			t.Errorf("package %s has no line in the import law", name)
			continue
		}
		for _, path := range p.Imports {
			if path != module && !strings.HasPrefix(path, module+"/") {
				continue
			}
			if to := short(path); !slices.Contains(may, to) {
				t.Errorf("%s imports %s, the law allows %v", name, to, may)
			}
		}
	}
	for name := range allowed {
		if _, ok := packages[name]; !ok {
			t.Errorf("the import law has a line for %s, which does not exist", name)
		}
	}
}

func TestBannedImports(t *testing.T) {
	packages := listPackages(t)
	for _, ban := range banned {
		p, ok := packages[ban.from]
		if !ok {
			t.Errorf("the ban of %s is about %s, which does not exist", ban.what, ban.from)
			continue
		}
		paths := p.Deps
		if ban.direct {
			paths = p.Imports
		}
		for _, path := range paths {
			if path == ban.what || strings.HasSuffix(ban.what, "/") && strings.HasPrefix(path, ban.what) {
				t.Errorf("%s reaches %s: %s", ban.from, path, ban.why)
			}
		}
	}
}

// TestOnlyObserveReachesHTTP: whoever does not import socket/observe does not pay
// for net/http and expvar, nor serves anything by accident.
func TestOnlyObserveReachesHTTP(t *testing.T) {
	packages := listPackages(t)
	if p := packages["socket/observe"]; !slices.Contains(p.Deps, "net/http") || !slices.Contains(p.Deps, "expvar") {
		t.Error("socket/observe does not reach net/http and expvar: this test looks in the wrong place")
	}
	for name, p := range packages {
		program := strings.HasPrefix(name, "benchmarks") || strings.HasPrefix(name, "examples/") || name == "device/forwarder"
		if name == "socket/observe" || program {
			continue
		}
		for _, path := range []string{"net/http", "expvar"} {
			if slices.Contains(p.Deps, path) {
				t.Errorf("%s reaches %s, which only socket/observe may", name, path)
			}
		}
	}
}

func TestEveryPackageHasAComment(t *testing.T) {
	for name, p := range listPackages(t) {
		if p.Doc == "" {
			t.Errorf("package %s has no comment", name)
		}
	}
}
