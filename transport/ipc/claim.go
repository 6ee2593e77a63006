package ipc

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/ringwire/ringwire/transport"
)

const (
	// lockPatience ends the wait for a directory that somebody else has
	// locked. We hold the lock for one bind and at most one probe, far less.
	lockPatience = 5 * time.Second
	// lockPause is the first pause between two tries; it doubles up to
	// lockPauseMax. A bind takes about 50 microseconds.
	lockPause    = 200 * time.Microsecond
	lockPauseMax = 20 * time.Millisecond

	// probePatience bounds one connect to a socket that may be alive.
	probePatience = time.Second
	// probePause lies between probes where one refusal proves nothing.
	probePause = 50 * time.Millisecond
)

// errBusy is what tryLock says when somebody else has the lock.
var errBusy = errors.New("directory is locked by somebody else")

// claim binds path, removing a stale socket that is in the way. Why two claims
// never both succeed: under the lock, whoever finds a stale file removes it and
// listens at the same path before anybody else looks.
func claim(ctx context.Context, path string, o *transport.Options) (*net.UnixListener, fs.FileInfo, error) {
	unlock, lockErr := lock(ctx, path)
	if err := ctx.Err(); err != nil {
		if lockErr == nil {
			unlock()
		}
		return nil, nil, err
	}
	if lockErr == nil {
		defer unlock()
	}
	return claimLocked(ctx, path, o, lockErr)
}

// claimLocked is claim under the lock, or, with lockErr, without it: then a
// stale socket is reported and left where it is.
func claimLocked(ctx context.Context, path string, o *transport.Options, lockErr error) (*net.UnixListener, fs.FileInfo, error) {
	// Two rounds suffice when all obey the lock; the third is for a file that
	// somebody else removes or makes meanwhile.
	for range 3 {
		l, made, err := bind(ctx, path, o)
		if !errors.Is(err, errInUse) {
			return l, made, err
		}
		stale, err := judge(ctx, path)
		if err != nil {
			return nil, nil, err
		}
		if stale == nil {
			continue
		}
		if lockErr != nil {
			return nil, nil, fmt.Errorf("a stale socket is in the way and may not be removed without a lock (%w): %w", lockErr, syscall.EADDRINUSE)
		}
		if now, err := os.Lstat(path); err == nil && os.SameFile(now, stale) {
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, nil, fmt.Errorf("remove stale socket: %w", err)
			}
		}
	}
	return nil, nil, fmt.Errorf("somebody else keeps making this file: %w", syscall.EADDRINUSE)
}

// judge returns the stale socket at path, nil when there is nothing any more,
// and an error for everything that must not be removed.
func judge(ctx context.Context, path string) (stale fs.FileInfo, err error) {
	found, err := lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look at the file in the way: %w", err)
	}
	if found.Mode().Type() != fs.ModeSocket {
		return nil, fmt.Errorf("a %s is in the way, only a stale socket is removed: %w", kind(found.Mode()), syscall.EADDRINUSE)
	}
	for range probes {
		err := probe(ctx, path)
		switch {
		case err == nil:
			return nil, fmt.Errorf("somebody answers there: %w", syscall.EADDRINUSE)
		case errors.Is(err, fs.ErrNotExist):
			return nil, nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case !errors.Is(err, errRefused):
			// EAGAIN: a full backlog; EPROTOTYPE: another kind of socket;
			// EACCES: not for us to judge.
			return nil, fmt.Errorf("somebody may be there (%w): %w", err, syscall.EADDRINUSE)
		}
		if probes > 1 && !pause(ctx, probePause) {
			return nil, ctx.Err()
		}
	}
	return found, nil
}

func probe(ctx context.Context, path string) error {
	dialer := net.Dialer{Timeout: probePatience}
	conn, err := dialer.DialContext(ctx, "unix", path)
	if err != nil {
		return err
	}
	return conn.Close()
}

// lstat is os.Lstat with the identity of the file fetched now: on Windows it
// would else be fetched when two are compared, from whatever is there then.
func lstat(path string) (fs.FileInfo, error) {
	info, err := os.Lstat(path)
	if err == nil {
		os.SameFile(info, info)
	}
	return info, err
}

func kind(mode fs.FileMode) string {
	switch {
	case mode.IsRegular():
		return "regular file"
	case mode.IsDir():
		return "directory"
	case mode&fs.ModeSymlink != 0:
		return "symbolic link"
	}
	return "file of mode " + mode.String()
}

// lock waits for the lock of the directory of path. On success the caller
// calls unlock.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	for wait := lockPause; ; wait = min(2*wait, lockPauseMax) {
		unlock, err = tryLock(path)
		if !errors.Is(err, errBusy) || !pause(ctx, wait) {
			return unlock, err
		}
	}
}

// pause waits and says whether ctx is still good.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
