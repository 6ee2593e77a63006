package socket

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/ringwire/ringwire"
)

// authTime is how long an Authenticator may take. The handshake's deadline may
// end it before.
const authTime = 5 * time.Second

// judge asks the Authenticator about a peer. Whatever is no clear yes denies: an
// error, a panic, no answer in time.
func (s *Socket) judge(c ringwire.Credentials) (ringwire.Verdict, error) {
	limit := authTime
	if t := s.opts.HandshakeTimeout; t > 0 {
		limit = min(limit, t)
	}
	ctx, cancel := context.WithTimeout(s.ctx, limit)
	defer cancel()
	type answer struct {
		verdict ringwire.Verdict
		err     error
	}
	answered := make(chan answer, 1)
	// On a goroutine of its own: one that does not obey its context must not keep
	// the connection.
	go func() {
		var a answer
		defer func() {
			if r := recover(); r != nil {
				a = answer{err: fmt.Errorf("the authenticator panicked: %v\n%s", r, debug.Stack())}
			}
			answered <- a
		}()
		a.verdict, a.err = s.opts.Authenticator(ctx, c)
	}()
	select {
	case a := <-answered:
		if a.err != nil {
			return ringwire.Verdict{}, fmt.Errorf("the authenticator: %w", a.err)
		}
		return a.verdict, nil
	case <-ctx.Done():
		return ringwire.Verdict{}, fmt.Errorf("the authenticator: no answer in %v: %w", limit, ctx.Err())
	}
}

// AllowUIDs is an Authenticator that lets in processes of these users, over ipc on
// Linux, and nobody else. The principal is "uid N". Without a Mechanism it is all that
// an ipc socket needs; a socket that is bound to tcp, too, lets nobody in there.
// (ZMQ_IPC_FILTER_UID.)
func AllowUIDs(uids ...uint32) Authenticator {
	uids = slices.Clone(uids)
	return func(_ context.Context, c ringwire.Credentials) (ringwire.Verdict, error) {
		switch {
		case c.Process == nil:
			return ringwire.Verdict{}, fmt.Errorf("the peer at %q is no process of this machine, as far as can be told, want one of users %v: %w", c.Address, uids, ringwire.ErrRejected)
		case !slices.Contains(uids, c.Process.UID):
			return ringwire.Verdict{}, fmt.Errorf("process %d belongs to user %d, want one of %v: %w", c.Process.PID, c.Process.UID, uids, ringwire.ErrRejected)
		}
		return ringwire.Verdict{Allow: true, Principal: fmt.Sprintf("uid %d", c.Process.UID)}, nil
	}
}
