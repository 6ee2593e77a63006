package tcp

import (
	"errors"
	"fmt"
	"syscall"

	"golang.org/x/sys/windows"
)

func setSendBuffer(fd uintptr, size int) error {
	return windows.SetsockoptInt(windows.Handle(fd), windows.SOL_SOCKET, windows.SO_SNDBUF, size)
}

func setRecvBuffer(fd uintptr, size int) error {
	return windows.SetsockoptInt(windows.Handle(fd), windows.SOL_SOCKET, windows.SO_RCVBUF, size)
}

// setTOS is refused: Windows accepts IP_TOS and then ignores it.
func setTOS(uintptr, int) error { return errors.ErrUnsupported }

// setReuse does nothing: here the option would let two sockets share a live
// address, which is not what it means elsewhere.
func setReuse(uintptr) error { return nil }

// markInUse adds the portable sentinel, which is no number of Winsock.
func markInUse(err error) error {
	if errors.Is(err, windows.WSAEADDRINUSE) {
		return fmt.Errorf("%w (%w)", err, syscall.EADDRINUSE)
	}
	return err
}
