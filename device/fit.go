package device

import (
	"context"
	"errors"
	"fmt"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// fit says why a device between two sockets cannot work.
func fit(front, back *socket.Socket) error {
	switch {
	case front == nil:
		return errors.New("front is nil, want a socket")
	case back == nil:
		return errors.New("back is nil, want a socket")
	case closed(front):
		return fmt.Errorf("front: %w", ringwire.ErrClosed)
	case closed(back):
		return fmt.Errorf("back: %w", ringwire.ErrClosed)
	}
	f, b := front.Type(), back.Type()
	if front == back {
		switch f {
		case pattern.Rep, pattern.Router, pattern.Dealer, pattern.Pair:
			return nil
		}
		return fmt.Errorf("front and back are one %s socket, which cannot answer itself: want REP, ROUTER, DEALER or PAIR", f)
	}
	for _, t := range []*pattern.Spec{f, b} {
		switch t {
		case pattern.Req:
			return fmt.Errorf("a %s and a %s socket do not fit: a REQ has one request at a time, want a DEALER", f, b)
		case pattern.Rep:
			return fmt.Errorf("a %s and a %s socket do not fit: a REP answers each request before the next, want a ROUTER", f, b)
		}
	}
	switch {
	case !carries(f, b) && !carries(b, f):
		return fmt.Errorf("a %s and a %s socket do not fit: neither sends what the other receives", f, b)
	case f == b && (f == pattern.XPub || f == pattern.XSub):
		return fmt.Errorf("two %s sockets do not fit: subscriptions would be published, want an XSUB and an XPUB", f)
	}
	return nil
}

// carries reports whether a message that from receives can be sent by to.
func carries(from, to *pattern.Spec) bool { return from.Receives() && to.Sends() }

// closed asks a socket without taking or sending a message.
func closed(s *socket.Socket) bool {
	var err error
	if s.Type().Receives() {
		_, err = s.RecvBatch(context.Background(), nil)
	} else {
		_, err = s.SendBatch(context.Background(), nil)
	}
	return errors.Is(err, ringwire.ErrClosed)
}
