package main

import (
	"context"
	"errors"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// ringwireConnections is one side of many connections between two sockets.
type ringwireConnections struct {
	role     role
	socket   *socket.Socket
	endpoint string
	events   func(func(socket.Event) bool) // on the accepting side
	clock    clock
}

func (ringwireEngine) openConnections(r role) (station, string, error) {
	spec := ringwireSpecs[connections][0]
	if r.Bind {
		spec = ringwireSpecs[connections][1]
	}
	s, err := socket.New(spec, nil)
	if err != nil {
		return nil, "", err
	}
	c := &ringwireConnections{role: r, socket: s, endpoint: r.Endpoint, clock: newClock()}
	if r.Bind {
		// Before anybody can connect: events are not repeated.
		c.events = s.Events(context.Background())
		if c.endpoint, err = s.Bind(r.Endpoint); err != nil {
			return nil, "", errors.Join(err, c.close())
		}
	}
	return c, c.endpoint, nil
}

// ready has nothing to wait for: to connect is the work of the slice.
func (c *ringwireConnections) ready(context.Context) error { return nil }

func (c *ringwireConnections) slice(ctx context.Context, _ sliceSpec) (sliceResult, error) {
	if c.socket.Type() == pattern.Pull {
		err := c.accept(ctx)
		return sliceResult{Messages: int64(c.role.Sockets), At: c.clock.now()}, err
	}
	began := c.clock.now()
	for range c.role.Sockets {
		if err := c.socket.Connect(c.endpoint); err != nil {
			return sliceResult{}, err
		}
	}
	return sliceResult{Messages: int64(c.role.Sockets), At: began}, nil
}

// accept waits until all peers are ready. It counts events, because to ask for
// the number of peers takes the longer the more there are; that is left for
// when events were lost.
func (c *ringwireConnections) accept(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { c.close() })
	defer stop()
	ready := 0
	for e := range c.events {
		if e.Lost > 0 {
			break
		}
		switch e.Kind {
		case socket.Ready:
			ready++
		case socket.Disconnected:
			ready--
		}
		if ready == c.role.Sockets {
			return nil
		}
	}
	return c.socket.WaitPeers(ctx, c.role.Sockets)
}

func (c *ringwireConnections) endMark(byte) error { return nil }

func (c *ringwireConnections) close() error { return (&ringwireLink{socket: c.socket}).close() }
