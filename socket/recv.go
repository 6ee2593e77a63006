package socket

import (
	"context"
	"errors"
	"iter"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/msg"
)

// Recv returns the next message, which the caller then owns; releasing it
// makes the next ones cheaper. It waits until there is one, ctx is done (the
// error is ctx's, and nothing was taken) or the socket is closed
// (ringwire.ErrClosed). Other errors: ErrState (REQ and REP out of turn),
// errors.ErrUnsupported on a socket type that only sends.
func (s *Socket) Recv(ctx context.Context) (*ringwire.Message, error) {
	m := msg.Get()
	if err := s.recv(ctx, m); err != nil {
		m.Release()
		return nil, err
	}
	return (*ringwire.Message)(m), nil
}

// RecvInto is Recv into a message of the caller's, whose content it replaces;
// in a loop it allocates nothing. The frames are valid until the next RecvInto
// or Release of the same message. On an error m is empty.
func (s *Socket) RecvInto(ctx context.Context, m *ringwire.Message) error {
	if m == nil {
		return fail("recv", "", errors.New("message is nil"))
	}
	return s.recv(ctx, (*msg.Message)(m))
}

// TryRecv is Recv that never waits: ringwire.ErrAgain says that there is no
// message.
func (s *Socket) TryRecv() (*ringwire.Message, error) {
	if !s.spec.Receives() {
		return nil, s.unsupported("recv")
	}
	m := msg.Get()
	if err := s.tryRecv(m); err != nil {
		m.Release()
		return nil, fail("recv", "", err)
	}
	return (*ringwire.Message)(m), nil
}

// RecvBatch waits for one message, then takes what is there, up to the length
// of messages, and returns how many. The caller owns them. Entries that are
// nil are filled with new messages, others are received into. With room for
// none it returns at once.
func (s *Socket) RecvBatch(ctx context.Context, messages []*ringwire.Message) (int, error) {
	if err := s.canRecv(ctx); err != nil {
		return 0, err
	}
	g := s.group
	if g.Shut() {
		return 0, fail("recv", "", ringwire.ErrClosed)
	}
	if len(messages) == 0 {
		return 0, nil
	}
	if !g.LockRecv(ctx.Done()) {
		return 0, fail("recv", "", ctx.Err())
	}
	defer g.UnlockRecv()
	for i, m := range messages {
		im := (*msg.Message)(m)
		if m == nil {
			im = msg.Get()
		}
		var err error
		if i == 0 {
			err = s.recvLocked(ctx, im)
		} else {
			err = s.pattern.TryRecv(im)
		}
		if err != nil {
			if m == nil {
				im.Release()
			}
			if i > 0 {
				err = nil // whatever it is, it comes again
			}
			return i, fail("recv", "", err)
		}
		messages[i] = (*ringwire.Message)(im)
	}
	return len(messages), nil
}

// Messages returns the messages as they come. The caller owns each. The
// sequence ends with the first error of Recv, which comes with a nil message; when
// ctx is done, though messages are queued; or, after Close, without an error.
func (s *Socket) Messages(ctx context.Context) iter.Seq2[*ringwire.Message, error] {
	return func(yield func(*ringwire.Message, error) bool) {
		for {
			m, err := s.next(ctx)
			if errors.Is(err, ringwire.ErrClosed) {
				return
			}
			if !yield(m, err) || err != nil {
				return
			}
		}
	}
}

// next is Recv that ends with ctx though messages are there: a loop over them must.
func (s *Socket) next(ctx context.Context) (*ringwire.Message, error) {
	if ctx != nil && ctx.Err() != nil {
		return nil, fail("recv", "", ctx.Err())
	}
	return s.Recv(ctx)
}

func (s *Socket) canRecv(ctx context.Context) error {
	if ctx == nil {
		return fail("recv", "", errNilContext)
	}
	if !s.spec.Receives() {
		return s.unsupported("recv")
	}
	return nil
}

func (s *Socket) recv(ctx context.Context, m *msg.Message) error {
	if err := s.canRecv(ctx); err != nil {
		return err
	}
	g := s.group
	if !g.LockRecv(ctx.Done()) {
		m.Reset()
		return fail("recv", "", ctx.Err())
	}
	err := s.recvLocked(ctx, m)
	g.UnlockRecv()
	if err == nil {
		return nil
	}
	m.Reset()
	return fail("recv", "", err)
}

// recvLocked moves the next message into m. It needs the receive lock, and
// keeps it while it waits.
func (s *Socket) recvLocked(ctx context.Context, m *msg.Message) error {
	g := s.group
	for {
		if g.Shut() {
			return ringwire.ErrClosed
		}
		if err := s.pattern.TryRecv(m); err != ringwire.ErrAgain {
			return err
		}
		if e := g.Token(); e != nil {
			// The only peer's connection is ours to read.
			s.checkWait(ctx)
			if err := e.Fill(ctx, true); err != nil {
				return err
			}
			continue
		}
		s.checkWait(ctx)
		if !g.AwaitInput(s.pattern, &s.spin, ctx.Done()) {
			return ctx.Err()
		}
	}
}

// tryRecv is recvLocked without waiting.
func (s *Socket) tryRecv(m *msg.Message) error {
	g := s.group
	if !g.TryLockRecv() {
		if g.Shut() {
			return ringwire.ErrClosed
		}
		return ringwire.ErrAgain // another receiver is waiting: there is nothing
	}
	defer g.UnlockRecv()
	for {
		if g.Shut() {
			return ringwire.ErrClosed
		}
		if err := s.pattern.TryRecv(m); err != ringwire.ErrAgain {
			return err
		}
		e := g.Token()
		if e == nil {
			return ringwire.ErrAgain
		}
		if err := e.Fill(context.Background(), false); err != nil {
			return err
		}
	}
}
