//go:build libzmq && cgo

package main

/*
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

// libzmqDeviceKinds are the socket types of each device: its front, its back.
var libzmqDeviceKinds = map[string][2]C.int{
	throughForwarder: {C.ZMQ_XSUB, C.ZMQ_XPUB},
	throughStreamer:  {C.ZMQ_PULL, C.ZMQ_PUSH},
}

// libzmqDevice is zmq_proxy, on a thread of its own, with default options, but that
// the XPUB waits instead of dropping.
type libzmqDevice struct {
	context unsafe.Pointer
	sockets []unsafe.Pointer
	bound   []string
	stop    func() bool   // ends watching the context
	ended   chan struct{} // closed when that has shut libzmq down
	done    chan error    // how zmq_proxy ended; nil: it was not started
}

func (libzmqEngine) openDevice(ctx context.Context, r role) (between, error) {
	kinds, ok := libzmqDeviceKinds[r.Pattern]
	if !ok {
		return nil, fmt.Errorf("has no device for %s", r.Pattern)
	}
	own := C.zmq_ctx_new()
	if own == nil {
		return nil, zmqError("create context", C.zmq_errno())
	}
	d := &libzmqDevice{context: own, ended: make(chan struct{})}
	d.stop = context.AfterFunc(ctx, func() {
		C.zmq_ctx_shutdown(own)
		close(d.ended)
	})
	for _, kind := range kinds {
		if err := d.open(kind, r.Endpoint); err != nil {
			return nil, errors.Join(err, d.close())
		}
	}
	d.done = make(chan error, 1)
	go func() {
		if C.zmq_proxy(d.sockets[0], d.sockets[1], nil) != 0 && C.zmq_errno() != C.ETERM {
			d.done <- zmqError("forward", C.zmq_errno())
		}
		close(d.done)
	}()
	return d, nil
}

func (d *libzmqDevice) open(kind C.int, endpoint string) error {
	s := C.zmq_socket(d.context, kind)
	if s == nil {
		return zmqError("create socket", C.zmq_errno())
	}
	d.sockets = append(d.sockets, s)
	rc := C.bench_option(s, C.ZMQ_LINGER, 0)
	if rc == 0 && kind == C.ZMQ_XPUB {
		rc = C.bench_option(s, C.ZMQ_XPUB_NODROP, 1)
	}
	if rc != 0 {
		return zmqError("set options", rc)
	}
	bound, err := zmqBind(s, endpoint)
	d.bound = append(d.bound, bound)
	return err
}

func (d *libzmqDevice) endpoints() (front, back string) { return d.bound[0], d.bound[1] }

// close ends zmq_proxy, which returns when its context is shut down, and delivers
// nothing.
func (d *libzmqDevice) close() error {
	if !d.stop() {
		<-d.ended
	}
	C.zmq_ctx_shutdown(d.context)
	var errs []error
	if d.done != nil {
		errs = append(errs, <-d.done)
	}
	for _, s := range d.sockets {
		if C.zmq_close(s) != 0 {
			errs = append(errs, zmqError("close", C.zmq_errno()))
		}
	}
	if errno := C.suite_terminate(d.context); errno != 0 {
		errs = append(errs, zmqError("terminate context", errno))
	}
	return errors.Join(errs...)
}
