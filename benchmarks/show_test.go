package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ringwire/ringwire/benchmarks/internal/result"
)

// A saved result can be shown in every form.
func TestShow(t *testing.T) {
	dir := t.TempDir()
	saved := filepath.Join(dir, "run.json")
	found := &result.Run{Version: result.Version, Rows: []result.Row{{
		Name: "tcp/push-pull/64", Transport: "tcp", Pattern: "push-pull", Size: 64, Metric: "msg/s",
		Contenders: []result.Contender{
			{Label: "ringwire", Slices: []result.Slice{{Value: 3, Messages: 3, Seconds: 1}, {Value: 4, Messages: 4, Seconds: 1}}},
			{Label: "libzmq", Slices: []result.Slice{{Value: 1, Messages: 1, Seconds: 1}, {Value: 2, Messages: 2, Seconds: 1}}},
		},
	}}}
	if err := found.Save(saved); err != nil {
		t.Fatal(err)
	}
	show := func(args ...string) (int, string, string) {
		var out, errs strings.Builder
		code := run(t.Context(), append([]string{"show"}, args...), &out, &errs)
		return code, out.String(), errs.String()
	}
	if code, out, errs := show(saved); code != exitOK || !strings.Contains(out, "tcp/push-pull/64") {
		t.Errorf("got exit code %d, stdout %q and stderr %q, want %d and the row", code, out, errs, exitOK)
	}
	forms := []string{"page.html", "slices.csv", "table.md"}
	code, out, errs := show("--html", filepath.Join(dir, forms[0]), "--csv", filepath.Join(dir, forms[1]), "--markdown", filepath.Join(dir, forms[2]), "--plots", filepath.Join(dir, "plots"), saved)
	if code != exitOK || out != "" {
		t.Errorf("got exit code %d, stdout %q and stderr %q, want %d and nothing", code, out, errs, exitOK)
	}
	for _, name := range forms {
		if text, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !strings.Contains(string(text), "tcp/push-pull/64") {
			t.Errorf("%s: got %d bytes and %v, want the row", name, len(text), err)
		}
	}
	if plots, err := filepath.Glob(filepath.Join(dir, "plots", "*.svg")); err != nil || len(plots) == 0 {
		t.Errorf("got plots %q and %v, want some", plots, err)
	}
	if code, _, errs := show(filepath.Join(dir, "missing.json")); code != exitUsage || !strings.Contains(errs, "missing.json") {
		t.Errorf("got exit code %d and stderr %q, want %d and the name", code, errs, exitUsage)
	}
	if code, _, errs := show(); code != exitUsage || !strings.Contains(errs, "want 1: <run.json>") {
		t.Errorf("got exit code %d and stderr %q, want %d and what is wanted", code, errs, exitUsage)
	}
}
