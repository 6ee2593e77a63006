package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// built is the program, built once for all tests.
var built string

// guardTime is how long anything may take before it counts as hanging.
const guardTime = 20 * time.Second

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "rw")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	built = filepath.Join(dir, "forwarder")
	if runtime.GOOS == "windows" {
		built += ".exe"
	}
	args := []string{"build", "-o", built}
	if raceEnabled {
		args = append(args, "-race")
	}
	if out, err := exec.Command("go", append(args, ".")...).CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the program: %v\n%s", err, out)
		return 1
	}
	// A program with the race detector sleeps before it ends.
	os.Setenv("GORACE", os.Getenv("GORACE")+" atexit_sleep_ms=0")
	for _, s := range newConfig().settings() {
		os.Unsetenv(envName(s.name))
	}
	os.Unsetenv("RINGWIRE_CONFIG")
	os.Unsetenv("NOTIFY_SOCKET")
	code := m.Run()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, "goroutines are left over:", err)
			return 1
		}
	}
	return code
}
