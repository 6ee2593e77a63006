package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

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
