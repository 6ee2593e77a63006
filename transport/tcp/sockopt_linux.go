package tcp

import "golang.org/x/sys/unix"

func setDevice(fd uintptr, name string) error {
	return unix.BindToDevice(int(fd), name)
}

func setUserTimeout(fd uintptr, milliseconds int) error {
	return unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, milliseconds)
}

// setBacklog changes the queue of a socket that listens already, which Linux
// allows at any time.
func setBacklog(fd uintptr, backlog int) error {
	return unix.Listen(int(fd), backlog)
}
