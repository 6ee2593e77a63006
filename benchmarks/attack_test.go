package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ringwire/ringwire/benchmarks/internal/attack"
)

// The command plays attacks of each kind in processes of its own: connections that
// end, that are held, and that go on to send, with each mechanism.
func TestAttack(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes for seconds: not with -short")
	}
	file := filepath.Join(t.TempDir(), "attack.json")
	args := []string{"attack", "--quick", "--json", file}
	cells := []string{"SEC-01-mechanism-downgrade/pull/null/tcp", "SEC-03-replay/router/curve/ipc", "SEC-05-metadata/pull/plain/tcp",
		"SEC-11-declare-and-stall/router/null/tcp", "SEC-09-many-topics/xpub/null/ipc"}
	for _, c := range cells {
		args = append(args, "--attack", c)
	}
	defer func(saved []string) { os.Args = saved }(os.Args)
	os.Args = append([]string{"benchmarks"}, args...) // what the report records
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), args, &stdout, &stderr); code != exitOK {
		t.Fatalf("got exit code %d, want %d; stdout:\n%s\nstderr:\n%s", code, exitOK, &stdout, &stderr)
	}
	wantCommand(t, file)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var report attack.Report
	lines := json.NewDecoder(bytes.NewReader(data))
	lines.DisallowUnknownFields()
	if err := lines.Decode(&report); err != nil {
		t.Fatal(err)
	}
	if len(report.Outcomes) != len(cells) || report.Version != attack.ReportVersion || !report.Quick {
		t.Fatalf("got %+v, want %d outcomes of a quick run", report, len(cells))
	}
	for _, o := range report.Outcomes {
		if len(o.Pairs) != attack.Pairs || o.Raid.Connections == 0 || o.Raid.Bytes == 0 || o.Before <= 0 || o.During <= 0 || o.Newcomer <= 0 || o.NewcomerAfter <= 0 || o.Accepts < o.Raid.Connections {
			t.Errorf("%s: got %+v, want everything measured", o.Name, o)
		}
		if !strings.Contains(stdout.String(), o.Name) || !strings.Contains(stderr.String(), o.Name) {
			t.Errorf("%s: not in the table, or not in the progress", o.Name)
		}
	}
}

// A victim that cannot be started, or dies, is a failure that says so.
func TestAttackOnNothing(t *testing.T) {
	cell := attack.Cells([]string{"SEC-22-junk/pull/null/tcp"})[0]
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, program := range map[string]string{"no program": filepath.Join(t.TempDir(), "none"), "another directory": filepath.Dir(program)} {
		o := attack.Run(t.Context(), program, attack.Keys{}, cell, leastAttack, true)
		if len(o.Broken) != 1 || !strings.Contains(o.Broken[0], "start") {
			t.Errorf("%s: got %q, want that nothing could be started", name, o.Broken)
		}
	}
}

func TestAttackUsage(t *testing.T) {
	for _, args := range [][]string{
		{"attack", "x"}, {"attack", "--json", ""}, {"attack", "--duration", "1"}, {"attack", "--duration", "1ms"}, {"attack", "--duration", "1h"},
		{"attack", "--attack", "SEC-99*"}, {"attack", "--attack", "["}, {"attack", "--nothing"},
	} {
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), args, &stdout, &stderr); code != exitUsage || stdout.Len() > 0 || !strings.HasPrefix(stderr.String(), "benchmarks: ") {
			t.Errorf("%q: got exit code %d, stdout %q, stderr %q, want %d and an error only", args, code, &stdout, &stderr, exitUsage)
		}
	}
}

func TestAttackList(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"attack", "--list", "--attack", "SEC-07*/*/*/tcp"}, &stdout, &stderr); code != exitOK {
		t.Fatalf("got exit code %d, stderr %q", code, &stderr)
	}
	for _, want := range []string{"SEC-07-unfinished: half a message", "    SEC-07-multipart/router/null/tcp\n", "SEC-16: not here: files"} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("got\n%s\nwant %q in it", &stdout, want)
		}
	}
	if strings.Contains(stdout.String(), "/ipc") {
		t.Errorf("got\n%s\nwant tcp alone", &stdout)
	}
}

func TestAttackInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	if code := run(ctx, []string{"attack", "--quick"}, &stdout, &stderr); code != exitFailure || !strings.Contains(stderr.String(), "interrupted") {
		t.Errorf("got exit code %d, stderr %q, want %d and that it was interrupted", code, &stderr, exitFailure)
	}
}

// A requirement that is not met has an exit code of its own.
func TestAttackBroken(t *testing.T) {
	r := &attackRun{report: attack.NewReport(defaultAttack), cells: make([]attack.Cell, 2)}
	r.report.Outcomes = []*attack.Outcome{{Name: "SEC-00-x/pull/null/tcp", Broken: []string{"too late"}}}
	var stdout bytes.Buffer
	err := r.finish(&stdout)
	if err == nil || exitCode(err) != exitMissed || !strings.Contains(stdout.String(), "BROKEN SEC-00-x/pull/null/tcp: too late") {
		t.Errorf("got %v and\n%s\nwant exit code %d and what was broken", err, &stdout, exitMissed)
	}
}
