package ipc

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/ringwire/ringwire/transport"
)

// Listen binds and listens. For a path see the package comment on what happens
// to a file that is there already; an abstract name in use, or a path that is,
// is an error that wraps syscall.EADDRINUSE. Its directory must exist. ctx
// bounds the wait for others who bind in the same directory.
//
// "*" makes a directory with mode 0700 under os.TempDir, and the endpoint is
// "socket" in it; Close removes both. The endpoint of a relative path is the
// relative path; Close finds its file even after a change of directory.
func (t Transport) Listen(ctx context.Context, address string, opts *transport.Options) (transport.Listener, error) {
	if err := t.Check(address, true); err != nil {
		return nil, err
	}
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	l := &listener{endpoint: address}
	if opts != nil {
		l.options = *opts
	}
	if err := l.listen(ctx); err != nil {
		return nil, fmt.Errorf("listen ipc %s: %w", address, err)
	}
	return l, nil
}

// listener is one bound address. All fields but forget are immutable after
// Listen.
type listener struct {
	unix     *net.UnixListener
	endpoint string
	options  transport.Options

	path  string      // absolute path of the file; "" for an abstract name
	owned fs.FileInfo // the file that we made at path
	dir   string      // private directory to remove; "" without

	forget sync.Once // removes the file, at the first Close
}

func (l *listener) listen(ctx context.Context) (err error) {
	if strings.HasPrefix(l.endpoint, "@") {
		l.unix, _, err = bind(ctx, l.endpoint, &l.options)
		return err
	}
	if l.endpoint == "*" {
		if l.dir, err = os.MkdirTemp("", "ringwire-"); err != nil {
			return err
		}
		l.endpoint = filepath.Join(l.dir, "socket")
		defer func() {
			if err != nil {
				os.Remove(l.dir)
			}
		}()
		if err := (Transport{}).Check(l.endpoint, true); err != nil {
			return fmt.Errorf("temporary directory: %w", err)
		}
	}
	if l.path, err = filepath.Abs(l.endpoint); err != nil {
		return err
	}
	l.unix, l.owned, err = claim(ctx, l.endpoint, &l.options)
	if errors.Is(err, fs.ErrNotExist) {
		dir := filepath.Dir(l.path)
		if _, statErr := os.Stat(dir); errors.Is(statErr, fs.ErrNotExist) {
			return fmt.Errorf("there is no directory %s: %w", dir, err)
		}
	}
	return err
}

// Accept returns a *net.UnixConn. A connection that the options cannot be set
// on is closed and passed over.
func (l *listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.unix.AcceptUnix()
		if err != nil {
			return nil, err
		}
		if err := setBuffers(conn, &l.options); err != nil {
			conn.Close()
			continue
		}
		return conn, nil
	}
}

func (l *listener) Addr() net.Addr   { return l.unix.Addr() }
func (l *listener) Endpoint() string { return l.endpoint }

// Close removes the file, then stops listening. In this order nobody can take
// the file for a stale one and put its own in its place between our look at it
// and its removal; and the inode number that we compare cannot have been given
// to another file, because the bound socket holds the inode.
func (l *listener) Close() error {
	l.forget.Do(l.removeFile)
	return l.unix.Close()
}

// removeFile is silent: what it cannot remove, the next bind will judge.
func (l *listener) removeFile() {
	if l.path == "" {
		return
	}
	removeSame(l.path, l.owned)
	if l.dir != "" {
		os.Remove(l.dir)
	}
}

// removeSame removes the file at path if it is the one given.
func removeSame(path string, same fs.FileInfo) {
	if now, err := os.Lstat(path); err == nil && os.SameFile(now, same) {
		os.Remove(path)
	}
}
