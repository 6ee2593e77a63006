//go:build unix

package ipc_test

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ringwire/ringwire/transport/ipc"
)

// makeStale leaves what a killed process leaves: a socket nobody listens at.
func makeStale(t *testing.T, path string) {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
}

func identity(t *testing.T, path string) fs.FileInfo {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// refused expects a bind that fails with EADDRINUSE and leaves the file alone.
func refused(t *testing.T, path, why string) {
	t.Helper()
	before := identity(t, path)
	l, err := ipc.Transport{}.Listen(t.Context(), path, nil)
	if err == nil {
		l.Close()
		t.Fatal("the bind succeeded")
	}
	if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), why) {
		t.Errorf("got %v, want EADDRINUSE and %q", err, why)
	}
	if after := identity(t, path); !os.SameFile(before, after) || before.Mode() != after.Mode() {
		t.Errorf("the file became %v, was %v", after.Mode(), before.Mode())
	}
}

func TestStaleSocketIsReplaced(t *testing.T) {
	path := freshPath(t)
	makeStale(t, path)
	l := listen(t, path, nil)
	conn, err := ipc.Transport{}.Dial(t.Context(), path, nil)
	if err != nil {
		t.Fatalf("Dial: %v", err)
	}
	conn.Close()
	l.Close()
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Close left the file: %v", err)
	}
}

func TestKilledProcessIsReplaced(t *testing.T) {
	path := freshPath(t)
	victim := startChild(t, path)
	victim.fire(t)
	if got := victim.verdict(t); got != "won\n" {
		t.Fatalf("child: %s", got)
	}
	refused(t, path, "somebody answers there")
	victim.command.Process.Kill()
	victim.command.Wait()
	identity(t, path) // the file is still there
	listen(t, path, nil)
}

func TestLiveSocketIsRefused(t *testing.T) {
	path := freshPath(t)
	listen(t, path, nil)
	refused(t, path, "somebody answers there")
}

func TestForeignSocketKindsAreRefused(t *testing.T) {
	path := freshPath(t)
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	refused(t, path, "somebody may be there")
}

func TestOtherFilesAreNeverRemoved(t *testing.T) {
	for kind, make := range map[string]func(path string) error{
		"regular file":  func(path string) error { return os.WriteFile(path, []byte("precious"), 0o644) },
		"directory":     func(path string) error { return os.Mkdir(path, 0o755) },
		"symbolic link": func(path string) error { return os.Symlink(path+".target", path) },
		"file of mode p": func(path string) error {
			return unix.Mkfifo(path, 0o644)
		},
	} {
		t.Run(kind, func(t *testing.T) {
			path := freshPath(t)
			if err := make(path); err != nil {
				t.Fatal(err)
			}
			refused(t, path, kind)
		})
	}
	t.Run("symbolic link to a stale socket", func(t *testing.T) {
		path := freshPath(t)
		makeStale(t, path+".target")
		if err := os.Symlink(path+".target", path); err != nil {
			t.Fatal(err)
		}
		refused(t, path, "symbolic link")
		identity(t, path+".target")
	})
}

func TestCloseAfterSomebodyRemovedTheFile(t *testing.T) {
	path := freshPath(t)
	l := listen(t, path, nil)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func TestCloseLeavesAReplacementAlone(t *testing.T) {
	path := freshPath(t)
	for name, replace := range map[string]func(){
		"socket":       func() { listen(t, path, nil) },
		"regular file": func() { os.WriteFile(path, []byte("new"), 0o600) },
	} {
		first := listen(t, path, nil)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		replace()
		replacement := identity(t, path)
		first.Close()
		if now, err := os.Lstat(path); err != nil || !os.SameFile(now, replacement) {
			t.Errorf("Close removed a %s that somebody put there: %v", name, err)
		}
		os.Remove(path)
	}
}

// TestMode looks at the file as often as it can while listeners come and go,
// with the most generous umask there is.
func TestMode(t *testing.T) {
	path := freshPath(t)
	old := unix.Umask(0)
	defer unix.Umask(old)
	var seen, wrong atomic.Int64
	stop := make(chan struct{})
	var watchers sync.WaitGroup
	watchers.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if info, err := os.Lstat(path); err == nil {
				seen.Add(1)
				if info.Mode() != fs.ModeSocket|0o600 {
					wrong.Add(1)
				}
			}
		}
	})
	for rounds := 0; rounds < 500 || seen.Load() < 50; rounds++ {
		l := listen(t, path, nil)
		if mode := identity(t, path).Mode(); mode != fs.ModeSocket|0o600 {
			t.Errorf("the file has mode %v, want a socket of 0600", mode)
		}
		l.Close()
	}
	close(stop)
	watchers.Wait()
	// Elsewhere the file has another mode until it is reachable.
	if wrong.Load() != 0 && onLinux {
		t.Errorf("%d of %d looks saw another mode than 0600", wrong.Load(), seen.Load())
	}
}

func TestModeDespiteUmask(t *testing.T) {
	old := unix.Umask(0o777)
	path := freshPathUnmasked(t)
	l, err := ipc.Transport{}.Listen(t.Context(), path, nil)
	unix.Umask(old)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if mode := identity(t, path).Mode(); mode != fs.ModeSocket|0o600 {
		t.Errorf("the file has mode %v, want a socket of 0600", mode)
	}
}

// freshPathUnmasked undoes the umask for its directory.
func freshPathUnmasked(t *testing.T) string {
	t.Helper()
	path := freshPath(t)
	if err := os.Chmod(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}
