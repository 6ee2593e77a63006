package main

import (
	"context"
	"fmt"
	"io"
	"time"
)

// library is a messaging library that can play the roles of the perf tools.
//
// Every method opens one socket, does the whole job over it, delivers what it
// has sent, however long that takes, and closes the socket. It ends early with
// an error when ctx is done, and when a message comes that does not have the
// job's size.
type library interface {
	// pull binds a PULL socket and receives j.count messages. The time it
	// returns runs from the first to the last.
	pull(ctx context.Context, j *job) (time.Duration, error)

	// push connects a PUSH socket and sends j.count messages.
	push(ctx context.Context, j *job) error

	// reply binds a REP socket and returns j.count requests as they are.
	reply(ctx context.Context, j *job) error

	// request connects a REQ socket and makes j.count round trips. The time it
	// returns is theirs, and starts when the connection is ready.
	request(ctx context.Context, j *job) (time.Duration, error)
}

// job is what a role is to do.
type job struct {
	endpoint string
	size     int // bytes of each message
	count    int // messages, or round trips
	spinOff  bool
	stats    bool
	log      io.Writer // for what is not a result
}

// bound reports the real endpoint of a bind, when only that can be connected
// to: a wildcard was replaced.
func (j *job) bound(endpoint string) {
	if endpoint != j.endpoint {
		fmt.Fprintf(j.log, "bound to %s\n", endpoint)
	}
}

// wrongMessage is the error for message i, counted from 0.
func (j *job) wrongMessage(i, frames, size int) error {
	if frames != 1 {
		return fmt.Errorf("message %d of %d has %d frames, want 1", i+1, j.count, frames)
	}
	return fmt.Errorf("message %d of %d has %d bytes, want %d: both sides must be started with the same message size", i+1, j.count, size, j.size)
}

// findLibrary returns the library of that name, if it can do what j asks for.
func findLibrary(name string, j *job) (library, error) {
	switch name {
	case "ringwire":
		return ringwireLibrary{}, nil
	case "libzmq":
		lib, err := newLibzmq()
		if err != nil {
			return nil, &usageError{err}
		}
		if j.spinOff {
			return nil, usagef("--spin-off is for --lib ringwire only, libzmq has nothing like it")
		}
		if j.stats {
			return nil, usagef("--stats is for --lib ringwire only, libzmq has nothing like it")
		}
		return lib, nil
	}
	return nil, usagef("--lib is %q, accepted are ringwire, libzmq", name)
}
