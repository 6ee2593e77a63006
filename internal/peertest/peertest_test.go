package peertest

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// judge is a test whose end is looked at.
type judge struct {
	testing.TB
	skipped, failed string
}

func (j *judge) Helper() {}

func (j *judge) Skipf(format string, args ...any) {
	j.skipped = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func (j *judge) Fatalf(format string, args ...any) {
	j.failed = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// ask runs a finder as a test of its own would.
func ask(find func(testing.TB) string) (path string, j *judge) {
	j = new(judge)
	done := make(chan struct{})
	go func() {
		defer close(done)
		path = find(j)
	}()
	<-done
	return path, j
}

func TestMissingPeerSkipsOrFails(t *testing.T) {
	for name, find := range map[string]func(testing.TB) string{
		"module":  func(t testing.TB) string { return Python(t, "no_such_module") },
		"browser": Chromium,
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("PATH", t.TempDir()) // nothing is there
			t.Setenv("RINGWIRE_INTEROP", "")
			path, j := ask(find)
			if path != "" || j.skipped == "" || j.failed != "" {
				t.Errorf("got path %q, skip %q, failure %q, want a skip with a reason", path, j.skipped, j.failed)
			}
			t.Setenv("RINGWIRE_INTEROP", "require")
			path, j = ask(find)
			if path != "" || j.skipped != "" || !strings.Contains(j.failed, "RINGWIRE_INTEROP") {
				t.Errorf("got path %q, skip %q, failure %q, want a failure that names RINGWIRE_INTEROP", path, j.skipped, j.failed)
			}
		})
	}
}

func TestMissingModuleIsNamed(t *testing.T) {
	Python(t)
	t.Setenv("RINGWIRE_INTEROP", "")
	_, j := ask(func(t testing.TB) string { return Python(t, "sys", "no_such_module") })
	for _, want := range []string{"sys, no_such_module", "python3-no_such_module", "ModuleNotFoundError"} {
		if !strings.Contains(j.skipped, want) {
			t.Errorf("got reason %q, want %q in it", j.skipped, want)
		}
	}
}

func TestPythonRuns(t *testing.T) {
	path := Python(t, "sys", "json")
	out, err := exec.Command(path, "-c", "import sys, json; print(json.dumps(sys.version_info[0]))").CombinedOutput()
	if got := strings.TrimSpace(string(out)); err != nil || got != "3" {
		t.Errorf("got %q, %v from %s, want 3", got, err, path)
	}
}

func TestChromiumIsThere(t *testing.T) {
	path := Chromium(t)
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}
