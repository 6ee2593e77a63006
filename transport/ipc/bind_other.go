//go:build !unix && !windows

package ipc

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"syscall"

	"github.com/ringwire/ringwire/transport"
)

const maxPath = 107

const (
	errInUse   = syscall.EADDRINUSE
	errRefused = syscall.ECONNREFUSED
)

func bind(context.Context, string, *transport.Options) (*net.UnixListener, fs.FileInfo, error) {
	return nil, nil, errors.ErrUnsupported
}

func tryLock(string) (unlock func(), err error) { return nil, errors.ErrUnsupported }
