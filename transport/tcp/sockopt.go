package tcp

import (
	"fmt"
	"net"
	"syscall"
	"time"

	"github.com/ringwire/ringwire/transport"
)

// complete is a validated copy of opts, which may be nil.
func complete(opts *transport.Options) (transport.Options, error) {
	if err := opts.Validate(); err != nil {
		return transport.Options{}, err
	}
	if opts == nil {
		return transport.Options{}, nil
	}
	return *opts, nil
}

// control runs set on the descriptor and returns its error.
func control(conn syscall.RawConn, set func(fd uintptr) error) error {
	var inner error
	if err := conn.Control(func(fd uintptr) { inner = set(fd) }); err != nil {
		return err
	}
	return inner
}

// applyNew sets the options of a socket that is neither bound nor connected.
// Buffers belong before that: TCP agrees on window scaling in its handshake.
func applyNew(fd uintptr, o *transport.Options) error {
	if o.Device != "" {
		if err := setDevice(fd, o.Device); err != nil {
			return fmt.Errorf("option Device: %w", err)
		}
	}
	return apply(fd, o)
}

// applyAccepted sets on an accepted connection what not every system lets it
// inherit. The device is inherited; a second setting would need a privilege.
func applyAccepted(conn *net.TCPConn, o *transport.Options) error {
	if o.SendBuffer == 0 && o.RecvBuffer == 0 && o.TOS == 0 && o.UserTimeout == 0 {
		return nil
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	return control(raw, func(fd uintptr) error { return apply(fd, o) })
}

func apply(fd uintptr, o *transport.Options) error {
	if o.SendBuffer > 0 {
		if err := setSendBuffer(fd, o.SendBuffer); err != nil {
			return fmt.Errorf("option SendBuffer: %w", err)
		}
	}
	if o.RecvBuffer > 0 {
		if err := setRecvBuffer(fd, o.RecvBuffer); err != nil {
			return fmt.Errorf("option RecvBuffer: %w", err)
		}
	}
	if o.TOS > 0 {
		if err := setTOS(fd, o.TOS); err != nil {
			return fmt.Errorf("option TOS: %w", err)
		}
	}
	if o.UserTimeout > 0 {
		// Rounded up: 0 would mean the system's default.
		milliseconds := int((o.UserTimeout + time.Millisecond - 1) / time.Millisecond)
		if err := setUserTimeout(fd, milliseconds); err != nil {
			return fmt.Errorf("option UserTimeout: %w", err)
		}
	}
	return nil
}
