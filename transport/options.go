package transport

import (
	"fmt"
	"net"
	"time"
)

// Options tunes the connections of a [Stream]. The zero value, and a nil
// pointer, mean the system's defaults throughout.
//
// A stream ignores an option that has no meaning for it (ipc has no TOS). An
// option that it has a use for but that this operating system cannot do is an
// error that names the option and wraps errors.ErrUnsupported.
type Options struct {
	// Backlog bounds the connections that wait for Accept; 0 means the
	// system's maximum. tcp obeys it on Linux, ipc on Unix; elsewhere it is
	// ignored.
	Backlog int

	// SendBuffer and RecvBuffer size the kernel's buffers of each
	// connection, in bytes; 0 leaves them to the system, which may grow them
	// by itself. A kernel may round what it is given (Linux doubles it).
	SendBuffer int
	RecvBuffer int

	// KeepAlive is the idle time, and then the interval, of TCP keep-alive
	// probes; 0 means Go's default of 15 seconds, -1 means none.
	KeepAlive time.Duration

	// UserTimeout is how long sent data may stay unacknowledged before the
	// kernel ends the connection; 0 means the system's own patience. It also
	// ends a connection whose peer is alive but does not read. Linux only.
	UserTimeout time.Duration

	// TOS is the traffic class byte of outgoing packets, IPv4 and IPv6 alike,
	// 0 to 255; 0 leaves it alone. Unix only.
	TOS int

	// Device ties the socket to one network interface by name; empty means
	// any. Linux only, and it may need privileges.
	Device string

	// NoIPv6 leaves IPv6 out: wildcards listen on IPv4 only, names resolve to
	// IPv4 only, and an IPv6 address is an error.
	NoIPv6 bool

	// Resolver looks names up; nil means net.DefaultResolver.
	Resolver *net.Resolver
}

// Validate refuses values that have no meaning, naming the option. Every
// Stream calls it first in Dial and Listen, so that a wrong value is the same
// error everywhere. A nil receiver is valid.
func (o *Options) Validate() error {
	if o == nil {
		return nil
	}
	for _, size := range []struct {
		option string
		value  int
	}{{"Backlog", o.Backlog}, {"SendBuffer", o.SendBuffer}, {"RecvBuffer", o.RecvBuffer}} {
		if size.value < 0 || size.value > 1<<31-1 {
			return fmt.Errorf("transport: option %s is %d, want 0 (the system's default) to 2147483647", size.option, size.value)
		}
	}
	if o.KeepAlive < -1 {
		return fmt.Errorf("transport: option KeepAlive is %v, want -1 (off), 0 (the default) or more", o.KeepAlive)
	}
	if o.UserTimeout < 0 || o.UserTimeout > maxUserTimeout {
		return fmt.Errorf("transport: option UserTimeout is %v, want 0 (the system's default) to %v", o.UserTimeout, maxUserTimeout)
	}
	if o.TOS < 0 || o.TOS > 255 {
		return fmt.Errorf("transport: option TOS is %d, want 0 to 255", o.TOS)
	}
	return nil
}

// maxUserTimeout is what fits into the kernel's 32-bit millisecond count
// (TCP_USER_TIMEOUT), which setsockopt takes as a signed int.
const maxUserTimeout = (1<<31 - 1) * time.Millisecond
