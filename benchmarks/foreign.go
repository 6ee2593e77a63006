package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// foreignEngines are those of other libraries, as far as this build has them.
func foreignEngines() []engine {
	return slices.Concat(libzmqEngines(), pebbeEngines(), []engine{foreignEngine{goZeroMQLibrary}, foreignEngine{mangosLibrary}})
}

// foreign is a library whose sockets are links: other people's Go.
type foreign struct {
	name     string
	schemes  []string // of endpoints
	patterns []string

	// begin makes room for sockets that can reach each other, over inproc, too.
	begin func() (foreignRoom, error)
}

// foreignRoom opens a library's sockets.
type foreignRoom interface {
	// open makes a socket and, if it binds, binds it and returns the endpoint
	// to connect to. When ctx ends, so does whatever the link is doing.
	open(ctx context.Context, p plug) (foreignLink, string, error)

	// end is called when all links are closed, and returns when what was left
	// to deliver by those that have settled is delivered.
	end() error
}

// foreignLink is a socket of another library.
type foreignLink interface {
	link

	// ready connects a socket that does not bind, and returns when it is
	// connected. For one that binds it returns at once, unless accepting is up
	// to the link.
	ready() error

	// settle is called before close when what was sent must still be
	// delivered. It returns when that is safe from being closed.
	settle() error
}

// plug says what a socket is to be.
type plug struct {
	kind     string // in ZeroMQ's words, which are SP's, too: "PUSH"
	bind     bool
	endpoint string

	// blocked may be nil. A link that waits in steps tells how long a call has
	// taken so far.
	blocked func(time.Duration)
}

// foreignEngine has the suite's loops work on links.
type foreignEngine struct{ foreign *foreign }

func (e foreignEngine) name() string { return e.foreign.name }

func (e foreignEngine) supports(r role) error {
	switch {
	case !slices.Contains(e.foreign.schemes, r.Transport):
		return fmt.Errorf("is not measured over %s", r.Transport)
	case !slices.Contains(e.foreign.patterns, r.Pattern):
		return fmt.Errorf("is not measured with %s", r.Pattern)
	case r.Variant != "":
		return fmt.Errorf("has no variant %q", r.Variant)
	case r.Goroutines > 1:
		return errors.New("is not measured with several goroutines on a socket")
	case r.Stalled > 0:
		return errors.New("is not measured with stalled subscribers")
	}
	return nil
}

// plugKinds are the socket types of each pattern's sides.
var plugKinds = map[string][2]string{
	pushPull: {"PUSH", "PULL"},
	pubSub:   {"PUB", "SUB"},
	reqRep:   {"REQ", "REP"},
}

func (e foreignEngine) open(ctx context.Context, r role) (station, string, error) {
	room, err := e.foreign.begin()
	if err != nil {
		return nil, "", err
	}
	s := &foreignStation{room: room}
	bound := r.Endpoint
	var senders, receivers []link
	for _, side := range r.sidesHere() {
		p := plug{kind: plugKinds[r.Pattern][0], bind: side == r.binder(), endpoint: bound}
		count, links := r.Senders, &senders
		if side == sideRecv {
			p.kind, count, links = plugKinds[r.Pattern][1], r.Receivers, &receivers
		}
		for range count {
			l, at, err := room.open(ctx, p)
			if err != nil {
				for _, l := range s.links {
					l.close()
				}
				room.end()
				return nil, "", err // what comes of closing matters less
			}
			s.links = append(s.links, l)
			*links = append(*links, l)
			if p.bind {
				bound = at
			}
		}
	}
	s.station = newLinkStation(r, senders, receivers, s.connect)
	return s, bound, nil
}

// foreignStation is a station whose links have a room.
type foreignStation struct {
	station
	room  foreignRoom
	links []foreignLink
}

func (s *foreignStation) connect(context.Context) error {
	for _, l := range s.links {
		if err := l.ready(); err != nil {
			return err
		}
	}
	return nil
}

func (s *foreignStation) close() error {
	err := s.station.close()
	if endErr := s.room.end(); err == nil {
		err = endErr
	}
	return err
}
