package socket

import (
	"context"
	"fmt"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
)

// Do sends a request and returns its reply, or an error when ctx is done;
// never the reply to another request. REQ only. Calls wait for each other.
//
// A Do without a reply takes its request back if that is still queued here;
// else it drops the connection that the request went out on, which is made
// again, so that a late reply cannot arrive. The next Do may use another peer.
func (s *Socket) Do(ctx context.Context, frames ...[]byte) (*ringwire.Message, error) {
	if ctx == nil {
		return nil, fail("do", "", errNilContext)
	}
	if s.spec != pattern.Req {
		return nil, s.unsupported("do")
	}
	if !s.doing.Lock(ctx.Done()) {
		return nil, fail("do", "", ctx.Err())
	}
	defer s.doing.Unlock()
	if err := s.Send(ctx, frames...); err != nil {
		return nil, err
	}
	m, err := s.Recv(ctx)
	if err != nil {
		s.abandon(fmt.Errorf("no reply: %w", err))
		return nil, err
	}
	return m, nil
}

// abandon gives up the request in progress.
func (s *Socket) abandon(reason error) {
	g := s.group
	g.Lock()
	if e := s.pattern.(pattern.Requester).Abandon(); e != nil {
		e.Condemn(reason)
	}
	g.UnlockAndFlush()
}
