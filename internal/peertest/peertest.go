// Package peertest finds the foreign programs that tests run as peers: a Python
// with libzmq in it, a browser. Where one is missing, the test is skipped and says
// why; with RINGWIRE_INTEROP=require it fails. Only tests import it.
package peertest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Python is the path of an interpreter that can import the modules: /usr/bin/python3,
// which is the one that the packages of a distribution serve, or else the python3 of
// the PATH.
func Python(t testing.TB, modules ...string) string {
	t.Helper()
	return need(t, func() (string, error) { return python(modules) })
}

// Chromium is the path of a browser that chromedp can drive.
func Chromium(t testing.TB) string {
	t.Helper()
	return need(t, func() (string, error) {
		return chromium("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
	})
}

// need is what find finds, or the end of the test.
func need(t testing.TB, find func() (string, error)) string {
	t.Helper()
	path, err := find()
	if err == nil {
		return path
	}
	if os.Getenv("RINGWIRE_INTEROP") == "require" {
		t.Fatalf("%v, and RINGWIRE_INTEROP=require", err)
	}
	t.Skipf("%v", err)
	return ""
}

// importable remembers what python has found, by the interpreter and the modules:
// starting one costs more than most tests do.
var importable sync.Map

func python(modules []string) (string, error) {
	path := "/usr/bin/python3"
	if _, err := os.Stat(path); err != nil {
		if path, err = exec.LookPath("python3"); err != nil {
			return "", errors.New("there is no python3")
		}
	}
	if len(modules) == 0 {
		return path, nil
	}
	list := strings.Join(modules, ", ")
	if _, ok := importable.Load(path + list); ok {
		return path, nil
	}
	if out, err := exec.Command(path, "-c", "import "+list).CombinedOutput(); err != nil {
		packages := slices.Clone(modules)
		for i, m := range packages {
			packages[i] = "python3-" + m
		}
		lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
		return "", fmt.Errorf("%s cannot import %s (Debian has %s): %w: %s", path, list, strings.Join(packages, ", "), err, lines[len(lines)-1])
	}
	importable.Store(path+list, true)
	return path, nil
}

func chromium(names ...string) (string, error) {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("there is no browser: Debian has %s", names[0])
}
