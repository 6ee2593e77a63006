//go:build unix

package ipc

import (
	"context"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/ringwire/ringwire/transport"
)

// maxPath leaves one byte of the kernel's field for the final NUL. An abstract
// name needs none, but libzmq has the same limit for it.
const maxPath = len(unix.RawSockaddrUnix{}.Path) - 1

// backlogDefault is cut down by every kernel to its own maximum, and is still
// positive where the kernel keeps it in 16 bits.
const backlogDefault = 1<<15 - 1

const (
	errInUse   = syscall.EADDRINUSE
	errRefused = syscall.ECONNREFUSED
)

// bind makes the socket, and the file unless the name is abstract. Package net
// binds and listens in one step; here the mode comes between the two. A socket
// that does not listen refuses everybody, so that nobody can connect before
// the file has its mode.
func bind(_ context.Context, name string, o *transport.Options) (_ *net.UnixListener, made fs.FileInfo, err error) {
	// ForkLock: where a socket cannot be made close-on-exec at once, no child
	// may start in between and keep the address alive.
	syscall.ForkLock.RLock()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err == nil {
		unix.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, os.NewSyscallError("socket", err)
	}
	socket := os.NewFile(uintptr(fd), name)
	defer socket.Close()

	file := !strings.HasPrefix(name, "@")
	if file && modeFromSocket {
		if err := unix.Fchmod(fd, 0o600); err != nil {
			return nil, nil, os.NewSyscallError("fchmod", err)
		}
	}
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: name}); err != nil {
		return nil, nil, os.NewSyscallError("bind", err)
	}
	if file {
		if made, err = secure(name); err != nil {
			return nil, nil, err
		}
		defer func() {
			if err != nil {
				removeSame(name, made)
			}
		}()
	}
	backlog := o.Backlog
	if backlog == 0 {
		backlog = backlogDefault
	}
	if err := unix.Listen(fd, backlog); err != nil {
		return nil, nil, os.NewSyscallError("listen", err)
	}
	// FileListener duplicates the descriptor and does not unlink on close.
	l, err := net.FileListener(socket)
	if err != nil {
		return nil, nil, err
	}
	return l.(*net.UnixListener), made, nil
}

// secure gives a file that was just bound its mode, and returns its identity.
func secure(path string) (fs.FileInfo, error) {
	made, err := lstat(path)
	if err != nil {
		return nil, err
	}
	if made.Mode().Type() != fs.ModeSocket {
		return nil, fmt.Errorf("somebody replaced the socket by a %s", kind(made.Mode()))
	}
	if made.Mode().Perm() != 0o600 {
		if err := os.Chmod(path, 0o600); err != nil {
			removeSame(path, made)
			return nil, err
		}
	}
	return made, nil
}
