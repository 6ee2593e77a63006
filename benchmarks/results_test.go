package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ringwire/ringwire/benchmarks/internal/report"
	"github.com/ringwire/ringwire/benchmarks/internal/result"
)

// BENCHMARKS.md has the tables of the results, as "show" writes them.
func TestBenchmarksMDHasTheResults(t *testing.T) {
	text, err := os.ReadFile("../BENCHMARKS.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"run1.json", "run2.json"} {
		run, err := result.Load(filepath.Join("results", name))
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := report.Markdown(&b, run); err != nil {
			t.Fatal(err)
		}
		rows := 0
		for line := range strings.Lines(b.String()) {
			if !strings.HasPrefix(line, "| ") {
				continue
			}
			rows++
			if !bytes.Contains(text, []byte(line)) {
				t.Errorf("BENCHMARKS.md lacks a row of %s: %s", name, line)
			}
		}
		if rows < 30 {
			t.Errorf("got %d rows of %s, want those of the suite", rows, name)
		}
	}
}

// The results that are kept say how they were made, not where on whose machine.
func TestResultsNameNoDirectoryOfAMachine(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("results", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("got %d results and %v, want some", len(files), err)
	}
	for _, file := range files {
		wantCommand(t, file)
	}
}

// wantCommand checks the command line that a result records.
func wantCommand(t *testing.T, file string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var run struct{ Command []string }
	if err := json.Unmarshal(data, &run); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	if len(run.Command) == 0 || run.Command[0] != "benchmarks" {
		t.Errorf("%s: got command %q, want one of benchmarks", file, run.Command)
	}
	for _, arg := range run.Command {
		if filepath.IsAbs(arg) {
			t.Errorf("%s: got command %q, want no absolute path", file, run.Command)
		}
	}
}
