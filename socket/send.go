package socket

import (
	"context"
	"errors"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/msg"
	"github.com/ringwire/ringwire/internal/pipe"
)

var errNoFrames = errors.New("message has no frames, want at least one (which may be empty)")

// Send sends one message of the given frames. It copies them: the caller may
// change its buffers as soon as Send returns. nil means that the message was
// queued for a peer, whole, or by the rules of the socket type dropped and
// counted; it says nothing about delivery.
//
// Send waits while the pattern's rules make it wait, until ctx is done: then
// the error is ctx's and nothing was sent. Other errors: ringwire.ErrClosed,
// ErrState (REQ and REP out of turn), ErrHostUnreachable (ROUTER),
// errors.ErrUnsupported on a socket type that only receives.
func (s *Socket) Send(ctx context.Context, frames ...[]byte) error {
	if err := s.canSend(ctx, len(frames)); err != nil {
		return err
	}
	if s.unwanted(frames[0]) {
		return nil
	}
	wait, err := s.trySend(frames, nil)
	if err == nil {
		return nil
	}
	return s.sendSlow(ctx, frames, nil, wait, err)
}

// SendMessage is Send of a message that the caller gives away: on success the
// socket owns it, and it must not be used any more. On an error it is
// unchanged and still the caller's. Large frames are not copied.
func (s *Socket) SendMessage(ctx context.Context, m *ringwire.Message) error {
	if err := s.canSendMessage(ctx, m); err != nil {
		return err
	}
	im := (*msg.Message)(m)
	if s.unwanted(im.Frame(0)) {
		im.Release()
		return nil
	}
	wait, err := s.trySend(nil, im)
	if err != nil {
		err = s.sendSlow(ctx, nil, im, wait, err)
	}
	if err == nil {
		im.Release()
	}
	return err
}

// TrySend is Send that never waits: ringwire.ErrAgain says that it would have
// to, and that nothing was sent.
func (s *Socket) TrySend(frames ...[]byte) error {
	if err := s.canSend(context.Background(), len(frames)); err != nil {
		return err
	}
	if s.unwanted(frames[0]) {
		return nil
	}
	_, err := s.trySend(frames, nil)
	if err == ringwire.ErrAgain {
		// The first attempt had what is queued flushed: there may be room now.
		_, err = s.trySend(frames, nil)
	}
	return fail("send", "", err)
}

// SendBatch sends messages in order and returns how many it has sent, and so
// owns: the first n. It waits like Send; an error is about the message after
// those.
func (s *Socket) SendBatch(ctx context.Context, messages []*ringwire.Message) (int, error) {
	if len(messages) == 0 {
		if err := s.canSend(ctx, 1); err != nil || !s.group.Shut() {
			return 0, err
		}
		return 0, fail("send", "", ringwire.ErrClosed)
	}
	sent := 0
	for sent < len(messages) {
		n, err := s.sendSome(ctx, messages[sent:])
		if sent += n; err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// sendSome queues messages under one lock, as many as make a full batch for a
// connection, and waits for room once.
func (s *Socket) sendSome(ctx context.Context, messages []*ringwire.Message) (sent int, err error) {
	var wait *pipe.End
	var bad error // of a call that is wrong
	bytes, unwanted := 0, false
	g := s.group
	g.Lock()
	for _, m := range messages[:min(len(messages), sendChunk)] {
		if bad = s.canSendMessage(ctx, m); bad != nil {
			break
		}
		im := (*msg.Message)(m)
		size := im.Size()
		if s.filter != nil && s.filter.Unwanted(im.Frame(0)) {
			unwanted = true
		} else if wait, err = s.offer(nil, im); err != nil {
			break
		}
		im.Release()
		sent++
		if bytes += size; bytes >= pipe.FlushSize {
			break
		}
	}
	g.UnlockAndFlush()
	if s.slowNews.Load() {
		s.tellSlow()
	}
	if unwanted {
		s.noSubscriber()
	}
	if err == nil {
		return sent, bad
	}
	im := (*msg.Message)(messages[sent])
	if err = s.sendSlow(ctx, nil, im, wait, err); err == nil {
		im.Release()
		sent++
	}
	return sent, err
}

// sendChunk bounds how many messages one lock is held for.
const sendChunk = 256

// unwanted reports that a message with this first frame has been sent, to nobody.
func (s *Socket) unwanted(topic []byte) bool {
	return s.filter != nil && s.filter.Unwanted(topic) && s.noSubscriber()
}

func (s *Socket) canSend(ctx context.Context, frames int) error {
	switch {
	case ctx == nil:
		return fail("send", "", errNilContext)
	case !s.spec.Sends():
		return s.unsupported("send")
	case frames == 0:
		return fail("send", "", errNoFrames)
	}
	return nil
}

func (s *Socket) canSendMessage(ctx context.Context, m *ringwire.Message) error {
	if m == nil {
		return fail("send", "", errors.New("message is nil"))
	}
	return s.canSend(ctx, m.Len())
}

func (s *Socket) unsupported(op string) error {
	return fail(op, "", &wrongTypeError{s.spec.Name()})
}

// wrongTypeError says that a call does not exist for a socket type.
type wrongTypeError struct{ name string }

func (e *wrongTypeError) Error() string { return "not possible on a " + e.name + " socket" }
func (e *wrongTypeError) Unwrap() error { return errors.ErrUnsupported }

// trySend offers the message, in either form, to the pattern once, and serves
// the connections that got something.
func (s *Socket) trySend(frames [][]byte, m *msg.Message) (wait *pipe.End, err error) {
	g := s.group
	g.Lock()
	wait, err = s.offer(frames, m)
	g.UnlockAndFlush()
	if s.slowNews.Load() {
		s.tellSlow()
	}
	return wait, err
}

// offer needs the send lock.
func (s *Socket) offer(frames [][]byte, m *msg.Message) (wait *pipe.End, err error) {
	if s.group.Closed() {
		return nil, ringwire.ErrClosed
	}
	if m != nil {
		return s.pattern.TrySend(m)
	}
	// Frames passed through an interface call would be moved to the heap.
	scratch := s.group.Scratch()
	scratch.Borrow(frames)
	wait, err = s.pattern.TrySend(scratch)
	scratch.Reset()
	return wait, err
}

// sendSlow goes on after a first attempt that returned wait and err.
func (s *Socket) sendSlow(ctx context.Context, frames [][]byte, m *msg.Message, wait *pipe.End, err error) error {
	g := s.group
	for err == ringwire.ErrAgain {
		// Announce first, then try again: room that comes in between is either
		// found or wakes us.
		g.Lock()
		sender := g.Block(wait)
		before := wait
		wait, err = s.offer(frames, m)
		if err != ringwire.ErrAgain || wait != before {
			g.Unblock(sender)
			g.UnlockAndFlush()
			continue
		}
		g.UnlockAndFlush()
		if !g.AwaitRoom(sender, ctx.Done()) {
			return fail("send", "", ctx.Err())
		}
	}
	if err == nil {
		g.PassOn() // there may be room for others, too
	}
	return fail("send", "", err)
}
