//go:build unix

package curve

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// readOnly opens a file to be read, and does not wait for a writer if it is a pipe.
const readOnly = os.O_RDONLY | syscall.O_NONBLOCK

// private is an error if others may do anything with a file, or own it: an owner can
// change what others may do.
func private(info fs.FileInfo) error {
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("its mode is %04o, want 0600, as chmod 600 makes it", mode)
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid != 0 && int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("it belongs to user %d, want root or user %d", st.Uid, os.Geteuid())
	}
	return nil
}
