//go:build unix

package tcp

import "golang.org/x/sys/unix"

func setSendBuffer(fd uintptr, size int) error {
	return unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUF, size)
}

func setRecvBuffer(fd uintptr, size int) error {
	return unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, size)
}

// setTOS asks for both families, because a dual-stack socket carries both and
// does not say so. An IPv4 socket refuses the second, and some systems refuse
// the first on an IPv6 socket: one success is enough.
func setTOS(fd uintptr, class int) error {
	err4 := unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_TOS, class)
	err6 := unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_TCLASS, class)
	if err4 != nil && err6 != nil {
		return err4
	}
	return nil
}

func setReuse(fd uintptr) error {
	return unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
}

// markInUse has nothing to do: the system's error is syscall.EADDRINUSE.
func markInUse(err error) error { return err }
