//go:build libzmq && cgo

package main

/*
#include <zmq.h>
#include "libzmq_loops.h"
*/
import "C"

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
	"unsafe"
)

// forward has zmq_proxy as the forwarder. Each of its sockets but the
// forwarder's has a thread of its own, and the end of the subscriber ends all.
func (l libzmqLibrary) forward(ctx context.Context, j *job) (elapsed time.Duration, err error) {
	inner, cancel := context.WithCancelCause(ctx)
	release := l.endWith(inner)
	p := &libzmqProxy{library: l, job: j}
	var work sync.WaitGroup
	defer func() {
		cancel(err)
		work.Wait()
		release()
		err = errors.Join(interrupted(ctx, err), p.close())
	}()
	frontend, err := p.open(C.ZMQ_XSUB, proxyFrontend, true)
	if err != nil {
		return 0, err
	}
	backend, err := p.open(C.ZMQ_XPUB, proxyBackend, true)
	if err != nil {
		return 0, err
	}
	subscriber, err := p.open(C.ZMQ_SUB, proxyBackend, false)
	if err == nil {
		err = zmqSubscribe(subscriber, "")
	}
	if err != nil {
		return 0, err
	}
	var publishers []unsafe.Pointer
	for range proxyPublishers {
		publisher, err := p.open(C.ZMQ_XPUB, proxyFrontend, false)
		if err != nil {
			return 0, err
		}
		publishers = append(publishers, publisher)
	}
	work.Go(func() {
		if C.zmq_proxy(frontend, backend, nil) != 0 && C.zmq_errno() != C.ETERM {
			cancel(zmqError("forward", C.zmq_errno()))
		}
	})
	for _, publisher := range publishers {
		work.Go(func() {
			run := p.run()
			switch rc := C.bench_publish(publisher, &run); rc {
			case C.ETERM:
			case C.BENCH_WRONG:
				cancel(fmt.Errorf("got %d bytes, want a subscription to everything", run.got))
			default:
				cancel(zmqError("publish", rc))
			}
		})
	}
	run := p.run()
	switch rc := C.bench_pull(subscriber, &run); rc {
	case 0:
		return time.Duration(run.elapsed), nil
	case C.BENCH_WRONG:
		return 0, j.wrongMessage(int(run.index), 1+int(run.more), int(run.got))
	case C.ETERM: // it is the end of inner that says why
		return 0, context.Cause(inner)
	default:
		return 0, zmqError("receive", rc)
	}
}

// libzmqProxy is the sockets of forward.
type libzmqProxy struct {
	library libzmqLibrary
	job     *job
	sockets []unsafe.Pointer
}

func (p *libzmqProxy) run() C.struct_bench_run {
	return C.struct_bench_run{size: C.size_t(p.job.size), count: C.int64_t(p.job.count)}
}

// open makes a socket that waits where it could drop, and binds or connects it.
func (p *libzmqProxy) open(kind C.int, endpoint string, bind bool) (unsafe.Pointer, error) {
	s := C.zmq_socket(p.library.context, kind)
	if s == nil {
		return nil, zmqError("create socket", C.zmq_errno())
	}
	p.sockets = append(p.sockets, s)
	options := []struct{ option, value C.int }{{C.ZMQ_LINGER, 0}, {C.ZMQ_SNDHWM, proxyHWM}, {C.ZMQ_RCVHWM, proxyHWM}}
	if kind == C.ZMQ_XPUB {
		options = append(options, struct{ option, value C.int }{C.ZMQ_XPUB_NODROP, 1})
	}
	for _, o := range options {
		if rc := C.bench_option(s, o.option, o.value); rc != 0 {
			return nil, zmqError("set options", rc)
		}
	}
	if bind {
		_, err := zmqBind(s, endpoint)
		return s, err
	}
	return s, zmqConnect(s, endpoint)
}

func (p *libzmqProxy) close() error {
	var errs []error
	for _, s := range p.sockets {
		if C.zmq_close(s) != 0 {
			errs = append(errs, zmqError("close", C.zmq_errno()))
		}
	}
	return errors.Join(errs...)
}
