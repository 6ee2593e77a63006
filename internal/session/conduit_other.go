//go:build !linux

package session

import "net"

func newConduit(conn net.Conn) conduit { return newNetConduit(conn) }
