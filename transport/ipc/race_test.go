//go:build unix

package ipc_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ringwire/ringwire/transport"
	"github.com/ringwire/ringwire/transport/ipc"
)

// TestRacingBinders lets goroutines find the same stale file at once: flock
// does not care whether they are in one process.
func TestRacingBinders(t *testing.T) {
	rounds := 300
	if testing.Short() {
		rounds = 30
	}
	path := freshPath(t)
	for round := range rounds {
		makeStale(t, path)
		const binders = 8
		won := make(chan transport.Listener, binders)
		start := make(chan struct{})
		var group sync.WaitGroup
		for range binders {
			group.Go(func() {
				<-start
				l, err := ipc.Transport{}.Listen(t.Context(), path, nil)
				if err == nil {
					won <- l
				} else if !errors.Is(err, syscall.EADDRINUSE) {
					t.Errorf("round %d: %v", round, err)
				}
			})
		}
		close(start)
		group.Wait()
		close(won)
		if len(won) != 1 {
			t.Fatalf("round %d: %d of %d binders won, want 1", round, len(won), binders)
		}
		l := <-won
		conn, err := ipc.Transport{}.Dial(t.Context(), path, nil)
		if err != nil {
			t.Fatalf("round %d: the winner cannot be reached: %v", round, err)
		}
		conn.Close()
		l.Close()
	}
}

func TestRacingProcesses(t *testing.T) {
	rounds := 5
	if testing.Short() {
		rounds = 1
	}
	for round := range rounds {
		path := freshPath(t)
		makeStale(t, path)
		children := make([]*process, 6)
		for i := range children {
			children[i] = startChild(t, path)
		}
		for _, child := range children {
			child.fire(t)
		}
		winners := 0
		for _, child := range children {
			if verdict := child.verdict(t); verdict == "won\n" {
				winners++
			} else if !strings.Contains(verdict, "in use") {
				t.Errorf("round %d: child: %s", round, verdict)
			}
		}
		if winners != 1 {
			t.Errorf("round %d: %d of %d processes won, want 1", round, winners, len(children))
		}
		for _, child := range children {
			child.stdin.Close()
		}
		for _, child := range children {
			if err := child.command.Wait(); err != nil {
				t.Errorf("round %d: child: %v", round, err)
			}
		}
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("round %d: the winner left its file: %v", round, err)
		}
	}
}

// TestLockedDirectory: somebody sits on the lock. A bind waits as long as its
// context allows, and once that lock is gone it goes on.
func TestLockedDirectory(t *testing.T) {
	path := freshPath(t)
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if err := unix.Flock(int(dir.Fd()), unix.LOCK_EX); err != nil {
		t.Skipf("no flock here: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := (ipc.Transport{}).Listen(ctx, path, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Listen under a foreign lock: %v, want context.DeadlineExceeded", err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a bind that gave up left a file: %v", err)
	}
	results := make(chan error, 1)
	go func() {
		l, err := ipc.Transport{}.Listen(t.Context(), path, nil)
		if err == nil {
			l.Close()
		}
		results <- err
	}()
	unix.Flock(int(dir.Fd()), unix.LOCK_UN)
	if err := <-results; err != nil {
		t.Errorf("Listen after the lock: %v", err)
	}
}
