package session

import (
	"net"

	"golang.org/x/sys/unix"

	"github.com/ringwire/ringwire"
)

// process is who made the connection, or listens at its other end; nil if the system
// does not say.
func process(conn *net.UnixConn) *ringwire.Process {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil
	}
	var cred *unix.Ucred
	if cerr := raw.Control(func(fd uintptr) { cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }); cerr != nil || err != nil {
		return nil
	}
	return &ringwire.Process{PID: int(cred.Pid), UID: cred.Uid, GID: cred.Gid}
}
