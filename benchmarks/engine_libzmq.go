//go:build libzmq && cgo

package main

/*
#include <stdlib.h>
#include <zmq.h>
#include "libzmq_loops.h"
#include "suite_loops.h"
*/
import "C"

import (
	"context"
	"errors"
	"fmt"
	"unsafe"
)

func libzmqEngines() []engine { return []engine{libzmqEngine{}} }

// libzmqEngine is libzmq with default options, but for those that say below
// why. Its loops are in C: a slice of a socket is one call.
type libzmqEngine struct{}

func (libzmqEngine) name() string { return "libzmq" }

func (libzmqEngine) version() string {
	var major, minor, patch C.int
	C.zmq_version(&major, &minor, &patch)
	return fmt.Sprintf("%d.%d.%d", major, minor, patch)
}

func (libzmqEngine) supports(r role) error {
	switch {
	case r.Variant == zeroCopy && r.Pattern == pushPull:
	case r.Variant == encrypted && r.Transport != "inproc" && !r.through() && r.Pattern != connections:
		if C.zmq_has(curveCapability) == 0 {
			return errors.New("was built without CURVE")
		}
	case r.Variant != "":
		return fmt.Errorf("has no variant %q", r.Variant)
	case r.Goroutines > 1:
		return errors.New("allows only one thread on a socket")
	case r.Stalled > 0:
		return errors.New("is not measured with stalled subscribers")
	case r.through() && r.Transport == "inproc":
		return errors.New("is measured with a device in a process of its own only")
	case r.Pattern == connections && r.Side == sideBoth:
		return errors.New("is measured with connections between two processes only")
	}
	return nil
}

// libzmqKinds are the socket types of each pattern's sides. Publishing what
// nobody wants, and through a device, an XPUB can tell when it has all
// subscriptions; libzmq's PUB is an XPUB that hides them.
var libzmqKinds = map[string][2]C.int{
	pushPull:         {C.ZMQ_PUSH, C.ZMQ_PULL},
	pubSub:           {C.ZMQ_PUB, C.ZMQ_SUB},
	publishUnmatched: {C.ZMQ_XPUB, C.ZMQ_SUB},
	reqRep:           {C.ZMQ_REQ, C.ZMQ_REP},
	dealerRouter:     {C.ZMQ_DEALER, C.ZMQ_ROUTER},
	connections:      {C.ZMQ_PUSH, C.ZMQ_PULL},
	throughForwarder: {C.ZMQ_XPUB, C.ZMQ_SUB},
	throughStreamer:  {C.ZMQ_PUSH, C.ZMQ_PULL},
}

func (libzmqEngine) open(ctx context.Context, r role) (station, string, error) {
	own := C.zmq_ctx_new()
	if own == nil {
		return nil, "", zmqError("create context", C.zmq_errno())
	}
	s := &libzmqStation{role: r, context: own, ended: make(chan struct{})}
	s.stop = context.AfterFunc(ctx, func() {
		C.zmq_ctx_shutdown(own)
		close(s.ended)
	})
	bound := r.Endpoint
	for _, side := range r.sidesHere() {
		var err error
		if bound, err = s.open(side, bound); err != nil {
			return nil, "", errors.Join(err, s.close())
		}
	}
	return s, bound, nil
}

// open makes the sockets of one side.
func (s *libzmqStation) open(side, endpoint string) (string, error) {
	kind, count, sockets := libzmqKinds[s.role.Pattern][0], s.role.Senders, &s.senders
	if side == sideRecv {
		kind, count, sockets = libzmqKinds[s.role.Pattern][1], s.role.Receivers, &s.receivers
	}
	bound := endpoint
	for range count {
		socket := C.zmq_socket(s.context, kind)
		if socket == nil {
			return "", zmqError("create socket", C.zmq_errno())
		}
		*sockets = append(*sockets, socket)
		if err := s.prepare(socket, side); err != nil {
			return "", err
		}
		var err error
		switch {
		case side == s.role.binder():
			bound, err = zmqBind(socket, endpoint)
		case s.role.Pattern == connections: // its slice connects
			s.endpoint = endpoint
		default:
			err = zmqConnect(socket, endpoint)
		}
		if err == nil && kind == C.ZMQ_SUB {
			err = s.subscribe(socket)
		}
		if err != nil {
			return "", err
		}
	}
	return bound, nil
}

// prepare sets the options that are not left as they are.
func (s *libzmqStation) prepare(socket unsafe.Pointer, side string) error {
	// close delivers nothing. It must be said now: after a shutdown of the
	// context options cannot be set any more.
	if rc := C.bench_option(socket, C.ZMQ_LINGER, 0); rc != 0 {
		return zmqError("set linger", rc)
	}
	if s.role.Variant == encrypted {
		return zmqEncrypt(socket, side == s.role.binder())
	}
	switch {
	case s.role.Pattern == throughForwarder && side == sideSend:
		if rc := C.bench_option(socket, C.ZMQ_XPUB_NODROP, 1); rc != 0 {
			return zmqError("have it wait", rc)
		}
	case s.role.Pattern == publishUnmatched && side == sideSend:
		s.topics = topicsInC(s.role)
	case s.role.Pattern == publishUnmatched:
		// Subscriptions are messages to libzmq, and dropped beyond the
		// high-water mark: of 5000 made at once, 1000 arrive.
		if rc := C.bench_option(socket, C.ZMQ_SNDHWM, 0); rc != 0 {
			return zmqError("set the high-water mark", rc)
		}
	case s.role.Pattern == connections && side == sideRecv:
		var rc C.int
		if s.monitor, rc = zmqMonitor(s.context, socket); rc != 0 {
			return zmqError("monitor", rc)
		}
	}
	return nil
}

// topicsInC copies what is published to where C may keep it.
func topicsInC(r role) unsafe.Pointer {
	var all []byte
	for _, body := range topics(r.Size, r.Subscriptions) {
		all = append(all, body...)
	}
	return C.CBytes(all)
}

func (s *libzmqStation) subscribe(socket unsafe.Pointer) error {
	if s.role.Pattern != publishUnmatched {
		return zmqSubscribe(socket, "")
	}
	for i := range s.role.Subscriptions {
		if err := zmqSubscribe(socket, subscription(i)); err != nil {
			return err
		}
	}
	return zmqSubscribe(socket, string([]byte{kindEnd}))
}

func zmqSubscribe(socket unsafe.Pointer, prefix string) error {
	bytes := C.CString(prefix)
	defer C.free(unsafe.Pointer(bytes))
	if C.zmq_setsockopt(socket, C.ZMQ_SUBSCRIBE, unsafe.Pointer(bytes), C.size_t(len(prefix))) != 0 {
		return zmqError("subscribe", C.zmq_errno())
	}
	return nil
}

func zmqBind(socket unsafe.Pointer, endpoint string) (bound string, err error) {
	text := C.CString(endpoint)
	defer C.free(unsafe.Pointer(text))
	if C.zmq_bind(socket, text) != 0 {
		return "", zmqError("bind "+endpoint, C.zmq_errno())
	}
	return lastEndpoint(socket)
}

func zmqConnect(socket unsafe.Pointer, endpoint string) error {
	text := C.CString(endpoint)
	defer C.free(unsafe.Pointer(text))
	if C.zmq_connect(socket, text) != 0 {
		return zmqError("connect "+endpoint, C.zmq_errno())
	}
	return nil
}
