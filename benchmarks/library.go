package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// library is a messaging library that can play the roles of the perf tools.
//
// Every role opens one socket, does the whole job over it and closes the
// socket. It ends early with an error when ctx is done, and when a message
// comes that does not have the job's size.
type library interface {
	// pull binds a PULL socket and receives j.count messages. The time it
	// returns runs from the first to the last.
	pull(ctx context.Context, j *job) (time.Duration, error)

	// push connects a PUSH socket and sends j.count messages.
	push(ctx context.Context, j *job) error

	// reply binds a REP socket and returns j.count requests as they are.
	reply(ctx context.Context, j *job) error

	// request connects a REQ socket and makes j.count round trips, the first
	// when the connection is ready.
	request(ctx context.Context, j *job) (*roundTrips, error)

	// close returns when what the roles have sent is delivered, however long
	// that takes, or with an error when ctx is done. No role is played then or
	// after.
	close(ctx context.Context, j *job) error
}

// forwarding is a library that has XSUB and XPUB sockets and forwards between
// them.
type forwarding interface {
	library

	// forward has two XPUB sockets publish to the XSUB socket of a forwarder,
	// whose XPUB socket a SUB socket receives j.count messages from. The time
	// runs from the first to the last.
	forward(ctx context.Context, j *job) (time.Duration, error)
}

// proxyHWM is the high-water mark of all sockets of forward, and proxyPublishers
// how many publish: libzmq's proxy_thr has these.
const (
	proxyHWM        = 10000
	proxyPublishers = 2
)

// job is what a role is to do.
type job struct {
	tool     string // its name
	lib      string // the library's
	endpoint string
	binds    bool // that endpoint; else it connects
	size     int  // bytes of each message
	count    int  // messages, or round trips
	json     bool
	spinOff  bool
	curve    bool
	stats    bool
	log      io.Writer // for what is not a result
	onBound  func()    // may be nil: called when an endpoint is bound

	patience time.Duration // see watch; 0: says nothing
	said     *sync.Once    // see waits
}

// newJob is a job of a tool without what is to be done.
func newJob(t *tool, log io.Writer) *job {
	j := &job{tool: t.name, log: log, said: new(sync.Once)}
	if t.reach == betweenProcesses {
		j.patience = patience
	}
	return j
}

// bound reports the real endpoint of a bind, when only that can be connected
// to: a wildcard was replaced.
func (j *job) bound(endpoint string) {
	if endpoint != j.endpoint {
		fmt.Fprintf(j.log, "bound to %s\n", endpoint)
	}
	if j.onBound != nil {
		j.onBound()
	}
}

// wrongMessage is the error for message i, counted from 0.
func (j *job) wrongMessage(i, frames, size int) error {
	if frames != 1 {
		return fmt.Errorf("message %d of %d has %d frames, want 1", i+1, j.count, frames)
	}
	return fmt.Errorf("message %d of %d has %d bytes, want %d: both sides must be started with the same message size", i+1, j.count, size, j.size)
}

// libraryKind is a library before it is put to work.
type libraryKind struct {
	name      string
	inproc    bool // has an inproc transport that the tools can use
	forwards  bool // is a forwarding library
	wildcards bool // binds ipc://*
	zmtp      bool // speaks ZeroMQ's protocol over tcp and ipc
	begin     func() (library, error)
}

// libraryKinds are all there are. Those that are not part of this build begin
// with errNotBuilt.
func libraryKinds() []libraryKind {
	return []libraryKind{
		{name: "ringwire", inproc: true, forwards: true, wildcards: true, zmtp: true, begin: func() (library, error) { return ringwireLibrary{}, nil }},
		{name: "libzmq", inproc: true, forwards: true, wildcards: true, zmtp: true, begin: newLibzmq},
		{name: "pebbe", inproc: true, wildcards: true, zmtp: true, begin: newPebbe},
		{name: "go-zeromq", zmtp: true, begin: func() (library, error) { return newForeign(goZeroMQLibrary) }},
		{name: "mangos", inproc: true, begin: func() (library, error) { return newForeign(mangosLibrary) }},
		{name: "net", begin: func() (library, error) { return newForeign(netLibrary) }},
	}
}

// errNotBuilt explains how to get a program in which libzmq is.
var errNotBuilt = errors.New("to have libzmq and pebbe, install libzmq's header files and a C compiler " +
	"(Debian: apt install libzmq3-dev gcc) and build with cgo and the tag: go run -tags libzmq ./benchmarks")

// plays says whether the library can play the tool's role.
func (k *libraryKind) plays(t *tool) bool {
	switch t.reach {
	case withinProcess:
		return k.inproc
	case throughProxy:
		return k.forwards
	}
	return true
}

// libraryNames are those that can play the tool's role.
func libraryNames(t *tool) string {
	var names []string
	for _, k := range libraryKinds() {
		if k.plays(t) {
			names = append(names, k.name)
		}
	}
	return strings.Join(names, ", ")
}

// mixing says which libraries may be on the other side of which.
func mixing() string {
	var speak, others []string
	for _, k := range libraryKinds() {
		if k.zmtp {
			speak = append(speak, k.name)
		} else {
			others = append(others, k.name)
		}
	}
	return fmt.Sprintf("The two sides may be of different libraries if both speak ZMTP: %s do, and so do libzmq's own perf tools. %s speak only to themselves.",
		strings.Join(speak, ", "), strings.Join(others, " and "))
}

// findLibrary begins with the library of the job, if that can do what t and j
// ask for. If it cannot, the error is a usage error.
func findLibrary(t *tool, j *job) (library, error) {
	name := j.lib
	for _, k := range libraryKinds() {
		if k.name != name {
			continue
		}
		switch {
		case !k.plays(t):
			return nil, usagef("--lib %s cannot play %s, accepted are %s", name, t.name, libraryNames(t))
		case j.spinOff && name != "ringwire":
			return nil, usagef("--spin-off is for --lib ringwire only, %s has nothing like it", name)
		case j.curve && name != "ringwire" && name != "libzmq":
			return nil, usagef("--curve is for --lib ringwire and libzmq only, %s is not measured with it", name)
		case j.stats && name != "ringwire":
			return nil, usagef("--stats is for --lib ringwire only, %s has nothing like it", name)
		case j.endpoint == "ipc://*" && !k.wildcards:
			return nil, usagef("<%s> is %q, but %s has no such wildcard, accepted are tcp://host:port and ipc://path", t.endpointName(), j.endpoint, name)
		}
		lib, err := k.begin()
		if errors.Is(err, errNotBuilt) {
			return nil, usagef("--lib %s is not part of this build, accepted are %s; %w", name, builtNames(t), err)
		}
		return lib, err
	}
	return nil, usagef("--lib is %q, accepted are %s", name, libraryNames(t))
}

// builtNames are those of libraryNames that a build without libzmq has.
func builtNames(t *tool) string {
	var names []string
	for name := range strings.SplitSeq(libraryNames(t), ", ") {
		if name != "libzmq" && name != "pebbe" {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// interrupted is err, unless that comes from the end of ctx.
func interrupted(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("interrupted: %w", ctx.Err())
	}
	return err
}

// together plays both sides of a job in this process, over inproc, the one that
// binds first. If one fails the other is interrupted.
func together(ctx context.Context, j *job, binds, connects func(context.Context, *job) error) error {
	inner, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	own, bound := *j, make(chan struct{})
	own.endpoint = "inproc://perf"
	own.onBound = func() { close(bound) }
	first := make(chan struct{})
	go func() {
		defer close(first)
		if err := binds(inner, &own); err != nil {
			cancel(err)
		}
	}()
	select {
	case <-bound:
		if err := connects(inner, &own); err != nil {
			cancel(err)
		}
	case <-inner.Done():
	}
	<-first
	// What went wrong first, not that the other was interrupted for it.
	return interrupted(ctx, context.Cause(inner))
}
