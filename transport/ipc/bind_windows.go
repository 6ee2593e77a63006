package ipc

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/windows"

	"github.com/ringwire/ringwire/transport"
)

// maxPath is UNIX_PATH_MAX less the final NUL.
const maxPath = 107

const (
	errInUse   = windows.WSAEADDRINUSE
	errRefused = windows.WSAECONNREFUSED
)

// bind leaves mode and backlog to the system.
func bind(ctx context.Context, name string, _ *transport.Options) (*net.UnixListener, fs.FileInfo, error) {
	var config net.ListenConfig
	bare, err := config.Listen(ctx, "unix", name)
	if err != nil {
		return nil, nil, err
	}
	l := bare.(*net.UnixListener)
	l.SetUnlinkOnClose(false)
	made, err := lstat(name)
	if err != nil {
		l.Close()
		return nil, nil, fmt.Errorf("look at the new socket: %w", err)
	}
	return l, made, nil
}

// tryLock opens a lock file that nobody else can open meanwhile, and that the
// system deletes when its handle closes, also when the process dies.
func tryLock(path string) (unlock func(), err error) {
	name, err := windows.UTF16PtrFromString(path + ".lock")
	if err != nil {
		return nil, err
	}
	const access = windows.GENERIC_READ | windows.GENERIC_WRITE | windows.DELETE
	handle, err := windows.CreateFile(name, access, 0, nil, windows.OPEN_ALWAYS,
		windows.FILE_ATTRIBUTE_NORMAL|windows.FILE_FLAG_DELETE_ON_CLOSE, 0)
	if err == nil {
		return func() { windows.CloseHandle(handle) }, nil
	}
	// A file that is just being deleted denies access.
	if errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, syscall.ERROR_ACCESS_DENIED) {
		return nil, errBusy
	}
	return nil, os.NewSyscallError("CreateFile", err)
}
