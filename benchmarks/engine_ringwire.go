package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// ringwireEngine is this library with default options, but for the variants
// "spin-off" and "curve".
type ringwireEngine struct{}

func (ringwireEngine) name() string { return "ringwire" }

func (ringwireEngine) supports(r role) error {
	switch {
	case r.Variant == encrypted && r.Transport != "inproc" && !r.through() && r.Pattern != connections:
	case r.Variant != "" && r.Variant != spinOff:
		return fmt.Errorf("has no variant %q", r.Variant)
	case r.through() && r.Transport == "inproc":
		return errors.New("is measured with a device in a process of its own only")
	}
	return nil
}

// ringwireSpecs are the socket types of each pattern's sides.
var ringwireSpecs = map[string][2]*pattern.Spec{
	pushPull:         {pattern.Push, pattern.Pull},
	pubSub:           {pattern.Pub, pattern.Sub},
	publishUnmatched: {pattern.Pub, pattern.Sub},
	reqRep:           {pattern.Req, pattern.Rep},
	dealerRouter:     {pattern.Dealer, pattern.Router},
	connections:      {pattern.Push, pattern.Pull},
	throughForwarder: {pattern.Pub, pattern.Sub},
	throughStreamer:  {pattern.Push, pattern.Pull},
}

func (e ringwireEngine) open(ctx context.Context, r role) (station, string, error) {
	if r.Pattern == connections {
		return e.openConnections(r)
	}
	var o ringwireSockets
	var err error
	bound := r.Endpoint
	// What binds comes first: with both sides here, the other needs to know where.
	for _, side := range r.sidesHere() {
		if bound, err = o.open(r, side, bound); err != nil {
			o.close()
			return nil, "", err
		}
	}
	return newLinkStation(r, o.senders, o.receivers, o.ready(r)), bound, nil
}

// ringwireSockets are the sockets of a station.
type ringwireSockets struct {
	sockets            []*socket.Socket
	senders, receivers []link
}

// open makes the sockets of one side, and returns the endpoint that the other
// connects to.
func (o *ringwireSockets) open(r role, side, endpoint string) (string, error) {
	specs, count, links := ringwireSpecs[r.Pattern], r.Senders, &o.senders
	spec := specs[0]
	if side == sideRecv {
		spec, count, links = specs[1], r.Receivers, &o.receivers
	}
	bound := endpoint
	for i := range count {
		opts := &socket.Options{XPubNoDrop: r.Pattern == throughForwarder && side == sideSend}
		if r.Variant == spinOff {
			opts.Spin = -1
		}
		if r.Variant == encrypted {
			if err := encrypt(opts, side == r.binder()); err != nil {
				return "", err
			}
		}
		if side == sideRecv && i < r.Stalled {
			opts.RecvBuffer = 1 // the system makes it the smallest it allows
		}
		if r.Size > socket.DefaultMaxMessageSize {
			opts.MaxMessageSize = int64(r.Size)
		}
		s, err := socket.New(spec, opts)
		if err != nil {
			return "", err
		}
		o.sockets = append(o.sockets, s)
		*links = append(*links, newRingwireLink(s))
		if side == r.binder() {
			bound, err = s.Bind(endpoint)
		} else {
			err = s.Connect(endpoint)
		}
		if err == nil && spec == pattern.Sub {
			err = ringwireSubscribe(s, r)
		}
		if err != nil {
			return "", err
		}
	}
	return bound, nil
}

func ringwireSubscribe(s *socket.Socket, r role) error {
	if r.Pattern != publishUnmatched {
		return s.Subscribe("")
	}
	for i := range r.Subscriptions {
		if err := s.Subscribe(subscription(i)); err != nil {
			return err
		}
	}
	return s.Subscribe(string([]byte{kindEnd}))
}

// ready waits for the peers of every socket.
func (o *ringwireSockets) ready(r role) func(context.Context) error {
	return func(ctx context.Context) error {
		for _, s := range o.sockets {
			var err error
			switch {
			case r.Pattern == throughForwarder && s.Type() == pattern.Pub:
				err = s.WaitSubscribers(ctx, "", 1) // the device, when a subscriber has reached it
			case s.Type() == pattern.Pub && r.Pattern == pubSub:
				err = s.WaitSubscribers(ctx, "", r.Receivers)
			case s.Type() == pattern.Pub:
				err = s.WaitSubscribers(ctx, string([]byte{kindEnd}), r.Receivers)
			case s.Type() == pattern.Pull && !r.through():
				err = s.WaitPeers(ctx, r.Senders)
			default:
				err = s.WaitPeers(ctx, 1)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
}

func (o *ringwireSockets) close() {
	for _, l := range append(o.senders, o.receivers...) {
		l.close() // the error that led here is the one to report
	}
}

func newRingwireLink(s *socket.Socket) link {
	if s.Type() == pattern.Router {
		return &ringwireRouter{ringwireLink{socket: s}}
	}
	return &ringwireLink{socket: s}
}

// ringwireLink is one socket. Its context is Background: what a call costs does
// not depend on how the program is interrupted.
type ringwireLink struct {
	socket  *socket.Socket
	message ringwire.Message
}

func (l *ringwireLink) send(b []byte) error { return l.socket.Send(context.Background(), b) }

func (l *ringwireLink) recv() ([]byte, error) {
	if err := l.socket.RecvInto(context.Background(), &l.message); err != nil {
		return nil, err
	}
	return l.message.Frame(0), nil
}

// close delivers nothing: what is left belongs to no slice.
func (l *ringwireLink) close() error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := l.socket.Shutdown(ctx)
	if _, unsent := errors.AsType[*ringwire.UnsentError](err); unsent || errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// ringwireRouter is a ROUTER socket.
type ringwireRouter struct{ ringwireLink }

func (l *ringwireRouter) recv() ([]byte, error) {
	if _, err := l.ringwireLink.recv(); err != nil {
		return nil, err
	}
	if n := l.message.Len(); n != 2 {
		return nil, fmt.Errorf("got a request of %d frames, want 2", n)
	}
	return l.message.Frame(1), nil
}

func (l *ringwireRouter) send(b []byte) error {
	return l.socket.Send(context.Background(), l.message.Frame(0), b)
}
