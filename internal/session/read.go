package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	ringwire "github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/msg"
	"github.com/ringwire/ringwire/internal/zmtp"
)

// errWouldWait is what a conduit returns from a call that must not wait.
var errWouldWait = errors.New("session: would wait")

// read is the reader goroutine's loop: it decodes into the end's queue, and
// lets receivers read themselves while that is possible.
func (s *Session) read() error {
	for {
		n, err := s.queueAll()
		if n > 0 {
			s.end.Publish()
		}
		if err != nil {
			return err
		}
		if n > 0 && s.back == nil {
			s.back = make(chan struct{}, 1)
		}
		if n > 0 && s.group.Offer(s.end) {
			s.lease.arm()
			s.group.Settle() // the single end may have changed between offer and acceptance
			<-s.back
			if s.readErr != nil {
				return s.readErr
			}
			continue
		}
		switch err := s.fill(true, s.group.Awaited()); err {
		case nil, os.ErrDeadlineExceeded:
		default:
			return err
		}
	}
}

// queueAll decodes what was read and returns how many messages wait for
// Publish.
func (s *Session) queueAll() (n int, err error) {
	for {
		if s.dec.Spent() { // no slot for what is not there
			if ok, err := s.more(); !ok {
				return n, err
			}
		}
		if body, ok := s.dec.Short(msg.Small); ok && s.end.Pack(body) {
			s.dec.Skip(body)
			n++
			continue
		}
		slot := s.end.Slot()
		for slot == nil {
			// The queue is full. Not reading on is what makes the peer wait.
			s.end.Publish()
			n = 0
			s.heart.full.Store(true)
			ok := s.end.WaitSpace(s.closing)
			s.heard.Add(1) // the silence so far was our own
			s.heart.full.Store(false)
			if !ok {
				return 0, s.closeReason()
			}
			slot = s.end.Slot()
		}
		item, err := s.dec.Next(slot)
		switch {
		case err != nil:
			return n, err
		case item == zmtp.NeedMore:
			if ok, err := s.more(); !ok {
				return n, err
			}
		case item == zmtp.Command:
			if n > 0 { // a PONG is the receipt for what came before
				s.end.Publish()
				n = 0
			}
			if err := s.command(s.dec.Command()); err != nil {
				return n, err
			}
		case s.end.Commit(slot):
			n++
		}
	}
}

// closeReason is why Close was called. Only after closing.
func (s *Session) closeReason() error { return s.reason }

// fill reads once; with block it waits, and with spin it looks a while before it
// sleeps. Only the holder of the read token calls it, and nothing else reads the
// connection. It returns os.ErrDeadlineExceeded after Recall: the caller looks at
// everything again.
func (s *Session) fill(block, spin bool) error {
	if block {
		s.fills.Add(1) // a poll in between does not renew the lease
	}
	how := &s.spin
	if !spin {
		how = nil
	}
	n, err := s.io.read(s.sink, how, block)
	switch {
	case n > 0:
		s.heard.Add(1)
		return nil
	case err == nil:
		return io.EOF
	case err == errWouldWait:
		return err
	case errors.Is(err, os.ErrDeadlineExceeded):
		// Clear first, look at the state after: a recall that comes now is
		// either seen by the caller or ends the next wait at once.
		s.io.clearRecall()
		return os.ErrDeadlineExceeded
	}
	select {
	case <-s.closing:
		return s.closeReason()
	default:
		return err
	}
}

// Fill implements pipe.Wire: one read by a receiver.
func (s *Session) Fill(ctx context.Context, block bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if block {
		s.cancel.register(ctx, s)
		s.inPoll.Store(true)
	}
	err := s.fill(block, block)
	if block {
		s.inPoll.Store(false)
		s.lease.arm()
	}
	switch err {
	case nil:
		return nil
	case errWouldWait:
		return ringwire.ErrAgain
	case os.ErrDeadlineExceeded:
		s.cancel.forget()
		return ctx.Err()
	}
	s.fail(err)
	return nil
}

// fail ends the connection from a receiver: the reader goroutine gets the
// token back and cleans up.
func (s *Session) fail(err error) {
	s.readErr = err
	s.group.ReturnToken(s.end)
}

// Next implements pipe.Wire: one message decoded by a receiver.
func (s *Session) Next(m *msg.Message) bool {
	for {
		item, err := s.dec.Next(m)
		switch {
		case err != nil:
			s.fail(err)
			return false
		case item == zmtp.NeedMore:
			if ok, err := s.more(); !ok {
				if err != nil {
					s.fail(err)
				}
				return false
			}
		case item == zmtp.Command:
			if err := s.command(s.dec.Command()); err != nil {
				s.fail(err)
				return false
			}
		case !s.end.Intake(m):
			return true
		}
	}
}

// Drained implements pipe.Wire.
func (s *Session) Drained() bool {
	return !s.dec.Buffered() && (s.opener == nil || !s.opener.ready())
}

// more gives the decoder the next bytes of a sealed connection, and reports
// whether there were any.
func (s *Session) more() (bool, error) {
	if s.opener == nil {
		return false, nil
	}
	return s.opener.more()
}

// Recall implements pipe.Wire. The deadline stays until somebody clears it, so
// a recall cannot be lost; one that nobody needed is an empty turn.
func (s *Session) Recall() { s.io.recall() }

// Return implements pipe.Wire.
func (s *Session) Return() { s.back <- struct{}{} }

// command handles one command after the handshake. Unknown ones are ignored,
// as RFC 37 asks and libzmq does.
func (s *Session) command(body []byte) error {
	name, data, err := zmtp.ParseCommand(body)
	if err != nil {
		return err
	}
	switch string(name) {
	case zmtp.CommandPing:
		ttl, context, err := zmtp.ParsePing(data)
		if err != nil {
			return err
		}
		s.heart.setTTL(ttl)
		if s.group.Shut() {
			break // what came before was thrown away: no receipt for it
		}
		s.control.pong(context)
		s.Flush()
	case zmtp.CommandPong:
		context, err := zmtp.ParsePong(data)
		if err != nil {
			return err
		}
		if mark, ok := s.receipts.answered(context); ok {
			s.end.Confirm(mark)
		} else {
			s.group.Notify() // whoever waits for a receipt
		}
		if s.control.answered() {
			s.Flush() // a PING may have waited for this answer
		}
	case zmtp.CommandSubscribe:
		s.end.PeerSubscription(data, true)
	case zmtp.CommandCancel:
		s.end.PeerSubscription(data, false)
	case zmtp.CommandError:
		reason, err := zmtp.ParseError(data)
		if err != nil {
			return err
		}
		return fmt.Errorf("the peer closes with error %s: %w", reason, ringwire.ErrRejected)
	case zmtp.CommandReady, zmtp.CommandHello, zmtp.CommandWelcome, zmtp.CommandInitiate:
		return fmt.Errorf("command %s after the handshake: %w", name, ringwire.ErrProtocol)
	}
	return nil
}
