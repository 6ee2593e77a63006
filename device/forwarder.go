package device

import (
	"errors"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// NewForwarder makes a device for topics: publishers connect to its front, an
// XSUB, or it connects to theirs; subscribers connect to its back, an XPUB. A
// subscription travels upstream, so that only what somebody wants comes in, and a
// topic that nobody wants any more is cancelled. A subscriber without room misses
// messages, counted by the back, unless its OnFull says otherwise. The device makes
// both sockets and closes them in Close.
//
// nil options are the defaults; both sockets announce a property
// "X-Ringwire-Device", by which they recognise each other. On the back, XPubManual
// is an error, and so is XPubVerbose without XPubVerboser, which would send
// upstream more subscriptions than cancellations.
func NewForwarder(front, back *socket.Options, opts *Options) (*Device, error) {
	return makeDevice(pattern.XSub, pattern.XPub, front, back, opts, func(_, b *socket.Options) error {
		switch {
		case b.XPubManual:
			return errors.New("option XPubManual of the back is true, want false: nobody would apply subscriptions")
		case b.XPubVerbose && !b.XPubVerboser:
			return errors.New("option XPubVerbose of the back is true, want false or XPubVerboser as well")
		}
		return nil
	})
}

// NewQueue makes a device for requests: those who ask (REQ, DEALER) connect to its
// front, a ROUTER, those who answer (REP, DEALER, ROUTER) to its back, a DEALER,
// which gives each request to the next of them that has room. With none, requests
// wait with those who ask. A reply to somebody who is gone, or who does not read, is
// dropped and counted by the front, which always has DropUnroutable. The device
// makes both sockets and closes them in Close. nil options are the defaults.
func NewQueue(front, back *socket.Options, opts *Options) (*Device, error) {
	return makeDevice(pattern.Router, pattern.Dealer, front, back, opts, func(f, _ *socket.Options) error {
		f.DropUnroutable = true
		return nil
	})
}

// NewStreamer makes a device for pipelines: those who push connect to its front, a
// PULL, those who pull to its back, a PUSH, which gives each message to the next of
// them that has room. With none, messages wait with those who push. The device
// makes both sockets and closes them in Close. nil options are the defaults.
func NewStreamer(front, back *socket.Options, opts *Options) (*Device, error) {
	return makeDevice(pattern.Pull, pattern.Push, front, back, opts, nil)
}

// makeDevice makes the sockets, too. prepare checks and changes copies of their
// options.
func makeDevice(frontType, backType *pattern.Spec, front, back *socket.Options, opts *Options,
	prepare func(front, back *socket.Options) error) (*Device, error) {
	var f, b socket.Options
	if front != nil {
		f = *front
	}
	if back != nil {
		b = *back
	}
	if prepare != nil {
		if err := prepare(&f, &b); err != nil {
			return nil, fail("new device", "", err)
		}
	}
	token := announce(&f, &b)
	frontSocket, err := socket.New(frontType, &f)
	if err != nil {
		return nil, fail("new device: front", "", err)
	}
	backSocket, err := socket.New(backType, &b)
	if err != nil {
		frontSocket.Close()
		return nil, fail("new device: back", "", err)
	}
	d, err := New(frontSocket, backSocket, opts)
	if err != nil {
		frontSocket.Close()
		backSocket.Close()
		return nil, err
	}
	d.owned, d.token = true, token
	return d, nil
}
