//go:build !linux

package session

import (
	"net"

	"github.com/ringwire/ringwire"
)

func process(*net.UnixConn) *ringwire.Process { return nil }
