package host

import (
	"path/filepath"
	"slices"
	"testing"
)

func TestCommandHasNoDirectoriesOfTheMachine(t *testing.T) {
	root := t.TempDir()
	here, elsewhere := filepath.Join(root, "here"), filepath.Join(root, "elsewhere")
	for _, c := range []struct{ arg, want string }{
		{"suite", "suite"},
		{"--row", "--row"},
		{"*/push-pull/64=x", "*/push-pull/64=x"},
		{"run.json", "run.json"},
		{"../run.json", "../run.json"},
		{filepath.Join(here, "benchmarks", "must.txt"), "benchmarks/must.txt"},
		{"--require-file=" + filepath.Join(here, "benchmarks", "must.txt"), "--require-file=benchmarks/must.txt"},
		{filepath.Join(elsewhere, "run.json"), "run.json"},
		{"--json=" + filepath.Join(elsewhere, "run.json"), "--json=run.json"},
		{"--json=", "--json="},
		{here, "."},
	} {
		got := withoutDirectories([]string{"--list", c.arg}, here)
		if want := []string{"--list", c.want}; !slices.Equal(got, want) {
			t.Errorf("%q in %q: got %q, want %q", c.arg, here, got, want)
		}
	}
}
