package host

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

func TestEnvironment(t *testing.T) {
	e := Environment(t.Context())
	if e.Cores < 1 || e.GOMAXPROCS < 1 || e.Versions == nil || e.OS == "" {
		t.Errorf("got %+v, want cores, GOMAXPROCS, versions and a system", e)
	}
	if want := runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH; e.Go != want {
		t.Errorf("got Go %q, want %q", e.Go, want)
	}
	if e.Commit != "" && !regexp.MustCompile(`^[0-9a-f]{40,64}(-dirty)?$`).MatchString(e.Commit) {
		t.Errorf("got commit %q, want a hash, perhaps with -dirty", e.Commit)
	}
	if runtime.GOOS == "linux" && (e.Memory < 1<<20 || !strings.Contains(e.OS, "Linux ")) {
		t.Errorf("got memory %d and system %q, want megabytes and the kernel", e.Memory, e.OS)
	}
}

func TestBuiltFrom(t *testing.T) {
	for _, test := range []struct {
		settings []debug.BuildSetting
		want     string
	}{
		{nil, ""},
		{[]debug.BuildSetting{{Key: "vcs.modified", Value: "true"}}, ""},
		{[]debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.modified", Value: "false"}}, "abc"},
		{[]debug.BuildSetting{{Key: "vcs.modified", Value: "true"}, {Key: "vcs.revision", Value: "abc"}}, "abc-dirty"},
	} {
		if got := builtFrom(test.settings); got != test.want {
			t.Errorf("%v: got %q, want %q", test.settings, got, test.want)
		}
	}
}

func TestMadeByGoRun(t *testing.T) {
	hash := strings.Repeat("3f", 32)
	for program, want := range map[string]bool{
		"/tmp/go-build123/b001/exe/benchmarks":                 true,
		"/home/x/.cache/go-build/31/" + hash + "-d/benchmarks": true,
		"/cache/31/" + hash + "-d/benchmarks":                  true,
		"/tmp/go-build123/b001/host.test":                      false,
		"/home/x/benchmarks":                                   false,
		"/home/x/exe/benchmarks":                               false,
	} {
		if got := madeByGoRun(filepath.FromSlash(program)); got != want {
			t.Errorf("%s: got %v, want %v", program, got, want)
		}
	}
}

func TestVersion(t *testing.T) {
	m := &debug.Module{Path: "a", Version: "v1"}
	if got := version(m); got != "v1" {
		t.Errorf("got %q, want v1", got)
	}
	m.Replace = &debug.Module{Path: "b", Version: "v2"}
	if got, want := version(m), "v1 replaced by b v2"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// The commit is that of this module's tree, and never another's.
func TestCheckedOut(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skipf("no git here: %v", err)
	}
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("GIT_CEILING_DIRECTORIES", filepath.Dir(dir))
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(args ...string) string {
		t.Helper()
		identity := []string{"-c", "user.name=test", "-c", "user.email=test@example.invalid", "-c", "commit.gpgsign=false", "-c", "core.hooksPath="}
		out, err := git(t.Context(), append(identity, args...)...)
		if err != nil {
			t.Fatalf("git %v: %v", args, err)
		}
		return out
	}
	want := func(step, want string) {
		t.Helper()
		if got := checkedOut(t.Context()); got != want {
			t.Errorf("%s: got %q, want %q", step, got, want)
		}
	}
	want("no repository", "")
	run("init", "-q")
	want("no go.mod", "")
	write("go.mod", "module "+module+"\n")
	want("no commit", "")
	run("add", "go.mod")
	run("commit", "-q", "-m", "test")
	head := run("rev-parse", "HEAD")
	want("clean", head)
	write("new.go", "package x\n")
	want("a new file", head)
	run("add", ".")
	want("a staged file", head+"-dirty")
	write("go.mod", "module example.invalid/other\n")
	want("another module", "")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	write("go.mod", "module "+module+"\n")
	if got := checkedOut(ctx); got != "" {
		t.Errorf("cancelled: got %q, want nothing", got)
	}
}
