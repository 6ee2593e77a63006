package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/ringwire/ringwire/benchmarks/internal/chaos"
)

// calmSeeds are seeds in memory without a fault, with some, and with the one of
// which nothing can be counted, of every pattern.
func calmSeeds(t *testing.T) []uint64 {
	t.Helper()
	var list []uint64
	seen := make(map[string]bool)
	for seed := uint64(1); len(seen) < 2*len(chaos.Patterns) && seed < 10_000; seed++ {
		p := chaos.Draw(seed)
		kind := ""
		if len(p.Faults) == 0 {
			kind = "none"
		} else if f := p.Faults[0].Fault; len(p.Faults) == 1 && (f == chaos.F05 || f == chaos.F14 || f == chaos.F22) {
			kind = "one"
		}
		if kind != "" && !seen[kind+string(p.Pattern)] {
			seen[kind+string(p.Pattern)] = true
			list = append(list, seed)
		}
	}
	return list
}

func TestChaosSeeds(t *testing.T) {
	for _, seed := range calmSeeds(t) {
		o := chaos.RunSeed(t.Context(), seed)
		if len(o.Broken) > 0 {
			t.Errorf("%s: %s: %q; again: %s", o.Name, o.Plan, o.Broken, o.Replay)
		}
		if o.Figures.Delivered == 0 || o.Figures.Unexplained == nil || o.Goroutines == nil || o.Descriptors == nil {
			t.Errorf("%s: got %+v, want messages, and everything counted", o.Name, o)
		}
	}
}

// A seed always draws the same plan.
func TestChaosPlan(t *testing.T) {
	for seed := range uint64(200) {
		if a, b := chaos.Draw(seed), chaos.Draw(seed); a.String() != b.String() || a.Load != b.Load || a.Link != b.Link {
			t.Fatalf("seed %d: got %v and %v", seed, a, b)
		}
	}
}

// The report is written whole, and unknown figures are null.
func TestChaosReport(t *testing.T) {
	seeds := calmSeeds(t)
	file := filepath.Join(t.TempDir(), "chaos.json")
	args := []string{"chaos", "--seeds", "1", "--from", uintText(seeds[0]), "--json", file}
	defer func(saved []string) { os.Args = saved }(os.Args)
	os.Args = append([]string{"benchmarks"}, args...) // what the report records
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), args, &stdout, &stderr)
	if code != exitOK {
		t.Fatalf("got exit code %d, want %d; stderr:\n%s", code, exitOK, &stderr)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	wantCommand(t, file)
	var report chaos.Report
	lines := json.NewDecoder(bytes.NewReader(data))
	lines.DisallowUnknownFields()
	if err := lines.Decode(&report); err != nil {
		t.Fatal(err)
	}
	if report.Version != chaos.ReportVersion || report.Total.Runs != 1 || len(report.Rows) == 0 || report.Total.Figures.Accepted == 0 {
		t.Errorf("got %+v, want one run", report.Total)
	}
	if !strings.Contains(string(data), `"heap_peak_bytes":null`) {
		t.Errorf("got a figure for what is not measured in memory:\n%s", data)
	}
	for _, want := range []string{"fault", "unexplained", "n/a", "F24 forwarder killed: n/a, memory has no processes"} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("got the table\n%s\nwant %q in it", &stdout, want)
		}
	}
}

func uintText(n uint64) string {
	data, _ := json.Marshal(n) // a number always can be
	return string(data)
}

func TestChaosUsage(t *testing.T) {
	for _, args := range [][]string{
		{"chaos", "x"}, {"chaos", "--seeds", "0"}, {"chaos", "--seeds", "many"}, {"chaos", "--seed", "-1"}, {"chaos", "--seed", "1", "--seeds", "2"},
		{"chaos", "--json", ""}, {"chaos", "--scenario", "*"}, {"chaos", "--lib", "libzmq"}, {"chaos", "--real", "--seed", "1"}, {"chaos", "--nothing"},
		{"chaos", "--real", "--lib", "zeromq"}, {"chaos", "--real", "--scenario", "F99/*"}, {"chaos", "--real", "--runs", "0"}, {"chaos", "--forwarder", "x"},
	} {
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), args, &stdout, &stderr); code != exitUsage || stdout.Len() > 0 || !strings.HasPrefix(stderr.String(), "benchmarks: ") {
			t.Errorf("%q: got exit code %d, stdout %q, stderr %q, want %d and an error only", args, code, &stdout, &stderr, exitUsage)
		}
	}
}

// Every fault of the list has a scenario, if only one that says why not.
func TestChaosScenarios(t *testing.T) {
	reasons := make(map[chaos.Fault]string)
	names := make(map[string]bool)
	for _, s := range chaos.Scenarios("ringwire", nil) {
		reasons[s.Fault] = s.Skip
		if names[s.Name()] {
			t.Errorf("%s is there twice", s.Name())
		}
		names[s.Name()] = true
	}
	for _, f := range chaos.FaultNames {
		if why, ok := reasons[f.Fault]; !ok || why != "" {
			t.Errorf("%s: got scenarios %t, skipped because %q, want them, and no reason", f.Fault, ok, why)
		}
	}
}

// An interrupted run says what it has finished.
func TestChaosInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	if code := run(ctx, []string{"chaos", "--seeds", "100"}, &stdout, &stderr); code != exitFailure || !strings.Contains(stderr.String(), "interrupted") {
		t.Errorf("got exit code %d, stderr %q, want %d and that it was interrupted", code, &stderr, exitFailure)
	}
	if !strings.Contains(stdout.String(), "unexplained") {
		t.Errorf("got stdout %q, want a table", &stdout)
	}
}

// A broken run fails the command, which tells how to play it again.
func TestChaosBroken(t *testing.T) {
	r := &chaosRun{report: &chaos.Report{}}
	r.report.Add(&chaos.Outcome{Name: "seed 7", Replay: "chaos --seed 7", Library: "ringwire", Where: "memory", Faults: []chaos.Fault{chaos.F05}, Broken: []string{"1 unexplained"}})
	var stdout bytes.Buffer
	err := r.finish(&stdout)
	if err == nil || !strings.Contains(err.Error(), "chaos --seed 7") || !strings.Contains(stdout.String(), "1 unexplained") {
		t.Errorf("got %v and\n%s\nwant the command that plays it again, and what was broken", err, &stdout)
	}
	// What another library does not promise is told, and no failure of ours.
	r = &chaosRun{report: &chaos.Report{}}
	r.report.Add(&chaos.Outcome{Name: "F05/pair/tcp", Library: "libzmq", Where: "tcp", Faults: []chaos.Fault{chaos.F05}, Broken: []string{"1 unexplained"}})
	stdout.Reset()
	if err := r.finish(&stdout); err != nil || !strings.Contains(stdout.String(), "WITH libzmq F05/pair/tcp") {
		t.Errorf("got %v and\n%s\nwant it told only", err, &stdout)
	}
}

// The program plays scenarios with processes of its own.
func TestChaosReal(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program: not with -short")
	}
	dir := t.TempDir()
	forwarder, err := buildForwarder(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "benchmarks")
	if runtime.GOOS == "windows" {
		program += ".exe"
	}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	for _, name := range []string{"none/*/tcp", "F05/push-pull/tcp", "F01-receiver/pub-sub/tcp", "F16/req-rep/tcp", "F18*/push-pull/tcp", "F24/*/tcp", "F01-b*/push-pull/tcp"} {
		scenarios, err := chooseScenarios(nil, []string{name})
		if err != nil {
			t.Fatal(err)
		}
		var stdout, stderr bytes.Buffer
		r := &chaosRun{scenarios: scenarios, runs: 1, program: program, forwarder: forwarder, report: &chaos.Report{}, stderr: &stderr}
		if err := r.real(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(r.report.Skipped) > 0 {
			t.Errorf("%s: got %d scenarios skipped, the first because %s, want none", name, len(r.report.Skipped), r.report.Skipped[0].Skipped)
		}
		if err := r.finish(&stdout); err != nil || r.report.Total.Runs != len(scenarios) || r.report.Total.Figures.Delivered == 0 {
			t.Errorf("%s: got %v, stderr\n%s\nand\n%s", name, err, &stderr, &stdout)
		}
	}
	// A worker that cannot do its job says why.
	out, err := exec.CommandContext(t.Context(), program, "chaos-worker", `{"Library":"none"}`).CombinedOutput()
	if err != nil && !strings.Contains(string(out), "log") || err == nil && !strings.Contains(string(out), "error") {
		t.Errorf("got %v, %s, want an error in words", err, out)
	}
}
