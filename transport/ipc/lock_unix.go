//go:build unix && !aix

package ipc

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// tryLock takes the lock of the directory of path, or says errBusy. flock is
// bound to the open file: it also excludes goroutines of one process, and it
// goes away with the process.
func tryLock(path string) (unlock func(), err error) {
	dir, err := os.OpenFile(filepath.Dir(path), os.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(dir.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		return func() { dir.Close() }, nil
	}
	dir.Close()
	if errors.Is(err, unix.EWOULDBLOCK) || errors.Is(err, unix.EINTR) {
		return nil, errBusy
	}
	return nil, os.NewSyscallError("flock", err)
}
