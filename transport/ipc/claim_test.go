package ipc

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/ringwire/ringwire/transport"
)

// TestWithoutLock: where the lock cannot be had a bind works on a free path, and
// leaves a stale socket alone.
func TestWithoutLock(t *testing.T) {
	dir, err := os.MkdirTemp("", "ipc")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "s")

	l, made, err := claimLocked(t.Context(), path, &transport.Options{}, errBusy)
	if err != nil {
		t.Fatalf("free path: %v", err)
	}
	l.Close()
	if now, err := os.Lstat(path); err != nil || !os.SameFile(now, made) {
		t.Fatalf("the file is not the one reported: %v", err)
	}

	var second *net.UnixListener // the file of the first is stale now
	second, _, err = claimLocked(t.Context(), path, &transport.Options{}, errBusy)
	if err == nil {
		second.Close()
	}
	if !errors.Is(err, syscall.EADDRINUSE) || !errors.Is(err, errBusy) {
		t.Errorf("stale path: %v, want EADDRINUSE and why the lock was not had", err)
	}
	if now, err := os.Lstat(path); err != nil || !os.SameFile(now, made) {
		t.Errorf("the stale file was touched: %v", err)
	}
}
