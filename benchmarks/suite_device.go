package main

import "context"

// between is a device, in a process of its own, that both sides of a row connect
// to. It works from when it is opened until it is closed.
type between interface {
	// endpoints are where the sending side connects, and where the receiving one.
	endpoints() (front, back string)

	close() error
}

// deviceEngine is an engine of a library that has devices.
type deviceEngine interface {
	engine

	// openDevice binds both sockets of the device of a role, to r.Endpoint, which
	// says that any port will do, and starts it. ctx is for its whole life.
	openDevice(ctx context.Context, r role) (between, error)
}
