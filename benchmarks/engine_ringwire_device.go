package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/device"
	"github.com/ringwire/ringwire/socket"
)

// ringwireDevice is a device of package device, with default options, but that the
// XPUB waits instead of dropping.
type ringwireDevice struct {
	device      *device.Device
	front, back string
	ended       chan error // what Run returned
}

func (ringwireEngine) openDevice(ctx context.Context, r role) (between, error) {
	var d *device.Device
	var err error
	switch r.Pattern {
	case throughForwarder:
		d, err = device.NewForwarder(nil, &socket.Options{XPubNoDrop: true}, nil)
	case throughStreamer:
		d, err = device.NewStreamer(nil, nil, nil)
	default:
		err = fmt.Errorf("has no device for %s", r.Pattern)
	}
	if err != nil {
		return nil, err
	}
	s := &ringwireDevice{device: d, ended: make(chan error, 1)}
	if s.front, err = d.Front().Bind(r.Endpoint); err == nil {
		s.back, err = d.Back().Bind(r.Endpoint)
	}
	if err != nil {
		d.Close() // the error that led here is the one to report
		return nil, err
	}
	go func() { s.ended <- d.Run(ctx) }()
	return s, nil
}

func (s *ringwireDevice) endpoints() (front, back string) { return s.front, s.back }

// close delivers nothing: what is left belongs to no slice.
func (s *ringwireDevice) close() error {
	err := s.device.Close()
	if runErr := <-s.ended; !errors.Is(runErr, context.Canceled) {
		err = errors.Join(err, runErr)
	}
	if _, unsent := errors.AsType[*ringwire.UnsentError](err); unsent {
		return nil
	}
	return err
}
