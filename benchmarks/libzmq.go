//go:build libzmq && cgo

package main

/*
#cgo LDFLAGS: -lzmq
#include <stdlib.h>
#include <zmq.h>
#include "libzmq_loops.h"
#include "suite_loops.h"
*/
import "C"

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
	"unsafe"
)

// libzmqLibrary plays the roles over libzmq with its default options, but for those
// that a job asks for. A run is one call into C, so that no message pays for
// crossing over; to measure round trips it is one call for many of them.
type libzmqLibrary struct{ context unsafe.Pointer }

func newLibzmq() (library, error) {
	own := C.zmq_ctx_new()
	if own == nil {
		return nil, zmqError("create context", C.zmq_errno())
	}
	return libzmqLibrary{own}, nil
}

// close waits for peers to take what was sent.
func (l libzmqLibrary) close(ctx context.Context, j *job) error {
	return j.delivering(ctx, l.terminate)
}

// terminate can be ended by nothing but peers.
func (l libzmqLibrary) terminate() error {
	if errno := C.bench_terminate(l.context); errno != 0 {
		return zmqError("terminate context", errno)
	}
	return nil
}

func (l libzmqLibrary) pull(ctx context.Context, j *job) (time.Duration, error) {
	return l.run(ctx, j, C.ZMQ_PULL, true, func(s unsafe.Pointer, run *C.struct_bench_run) C.int {
		return C.bench_pull(s, run)
	})
}

func (l libzmqLibrary) push(ctx context.Context, j *job) error {
	_, err := l.run(ctx, j, C.ZMQ_PUSH, false, func(s unsafe.Pointer, run *C.struct_bench_run) C.int {
		return C.bench_push(s, run)
	})
	return err
}

func (l libzmqLibrary) reply(ctx context.Context, j *job) error {
	_, err := l.run(ctx, j, C.ZMQ_REP, true, func(s unsafe.Pointer, run *C.struct_bench_run) C.int {
		return C.bench_reply(s, run)
	})
	return err
}

func (l libzmqLibrary) request(ctx context.Context, j *job) (*roundTrips, error) {
	trips := newRoundTrips()
	times := make([]int64, tripsAtOnce)
	_, err := l.run(ctx, j, C.ZMQ_REQ, false, func(s unsafe.Pointer, run *C.struct_bench_run) C.int {
		rc := C.int(0)
		for done := 0; done < j.count && rc == 0; done += int(run.count) {
			run.count = C.int64_t(min(j.count-done, tripsAtOnce))
			if rc = C.bench_request(s, run, (*C.int64_t)(&times[0])); rc == 0 {
				trips.record(times[:run.count])
			}
		}
		return rc
	})
	return trips, err
}

// run opens a socket, has loop do the job over it, and closes it.
func (l libzmqLibrary) run(ctx context.Context, j *job, kind C.int, bind bool, loop func(unsafe.Pointer, *C.struct_bench_run) C.int) (elapsed time.Duration, err error) {
	defer l.endWith(ctx)()
	s := C.zmq_socket(l.context, kind)
	if s == nil {
		return 0, l.failed(ctx, "create socket", C.zmq_errno())
	}
	// Linger only when all went well. It must be off until then: after a
	// shutdown of the context options cannot be set any more.
	rc := C.bench_option(s, C.ZMQ_LINGER, 0)
	if rc == 0 && j.curve {
		if err := zmqEncrypt(s, bind); err != nil {
			C.zmq_close(s)
			return 0, err
		}
	}
	run := C.struct_bench_run{size: C.size_t(j.size), count: C.int64_t(j.count)}
	if rc == 0 {
		stop := j.watch(func() (int64, string) {
			moved := atomic.LoadInt64((*int64)(unsafe.Pointer(&run.index))) // the loop writes it for every message
			if moved == 0 {
				return moved, j.noPeer()
			}
			return moved, j.noMessage()
		})
		err = l.work(ctx, j, s, kind, bind, &run, loop)
		stop()
	}
	if rc == 0 && err == nil {
		rc = C.bench_option(s, C.ZMQ_LINGER, -1)
	}
	if rc != 0 {
		err = l.failed(ctx, "set options", rc)
	}
	if C.zmq_close(s) != 0 && err == nil {
		err = zmqError("close", C.zmq_errno())
	}
	return time.Duration(run.elapsed), err
}

// endWith has the end of ctx end every call that is blocked on a socket, until
// the function it returns is called.
func (l libzmqLibrary) endWith(ctx context.Context) (release func()) {
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		C.zmq_ctx_shutdown(l.context)
		close(ended)
	})
	return func() {
		if !stop() {
			<-ended
		}
	}
}

func (l libzmqLibrary) work(ctx context.Context, j *job, s unsafe.Pointer, kind C.int, bind bool, run *C.struct_bench_run, loop func(unsafe.Pointer, *C.struct_bench_run) C.int) error {
	endpoint := C.CString(j.endpoint)
	defer C.free(unsafe.Pointer(endpoint))
	if bind {
		if C.zmq_bind(s, endpoint) != 0 {
			return l.failed(ctx, "bind "+j.endpoint, C.zmq_errno())
		}
		bound, err := lastEndpoint(s)
		if err != nil {
			return err
		}
		j.bound(bound)
	} else if rc := l.connect(s, endpoint, kind == C.ZMQ_REQ && !overInproc(j.endpoint)); rc != 0 {
		return l.failed(ctx, "connect "+j.endpoint, rc)
	}
	switch rc := loop(s, run); rc {
	case 0:
		return nil
	case C.BENCH_WRONG:
		return j.wrongMessage(int(run.index), 1+int(run.more), int(run.got))
	default:
		return l.failed(ctx, fmt.Sprintf("message %d of %d", run.index+1, j.count), rc)
	}
}

// connect connects, and if asked to waits until the handshake is complete. A
// monitor tells; ZMQ_IMMEDIATE with a poll would, too, but with it the last
// reply is lost when the peer closes before it is read.
func (l libzmqLibrary) connect(s unsafe.Pointer, endpoint *C.char, wait bool) C.int {
	if !wait {
		return errnoOf(C.zmq_connect(s, endpoint))
	}
	monitor, rc := zmqMonitor(l.context, s)
	if monitor == nil {
		return rc
	}
	defer C.zmq_close(monitor)
	if rc == 0 {
		rc = errnoOf(C.zmq_connect(s, endpoint))
	}
	if rc == 0 {
		var run C.struct_suite_slice
		rc = C.suite_count_ready(monitor, 1, &run)
	}
	if rc == 0 {
		rc = errnoOf(C.zmq_socket_monitor(s, nil, 0))
	}
	return rc
}

// overInproc says that connecting is all there is: no handshake follows.
func overInproc(endpoint string) bool { return strings.HasPrefix(endpoint, "inproc://") }

// zmqMonitor makes a socket that hears of each completed handshake of another.
// It must be closed if there is one.
func zmqMonitor(context, socket unsafe.Pointer) (monitor unsafe.Pointer, errno C.int) {
	name := C.CString(fmt.Sprintf("inproc://handshakes-%p", socket))
	defer C.free(unsafe.Pointer(name))
	if C.zmq_socket_monitor(socket, name, C.ZMQ_EVENT_HANDSHAKE_SUCCEEDED) != 0 {
		return nil, C.zmq_errno()
	}
	if monitor = C.zmq_socket(context, C.ZMQ_PAIR); monitor == nil {
		return nil, C.zmq_errno()
	}
	return monitor, errnoOf(C.zmq_connect(monitor, name))
}

// errnoOf is what went wrong with a call that returned rc, or 0.
func errnoOf(rc C.int) C.int {
	if rc == 0 {
		return 0
	}
	return C.zmq_errno()
}

// failed is zmqError, unless it was ctx that ended the call.
func (libzmqLibrary) failed(ctx context.Context, what string, errno C.int) error {
	if errno == C.ETERM && ctx.Err() != nil {
		return fmt.Errorf("interrupted: %w", ctx.Err())
	}
	return zmqError(what, errno)
}

func zmqError(what string, errno C.int) error {
	return fmt.Errorf("%s: libzmq: %s", what, C.GoString(C.zmq_strerror(errno)))
}

// lastEndpoint is where the socket was bound to.
func lastEndpoint(s unsafe.Pointer) (string, error) {
	buffer := make([]byte, 1024)
	size := C.size_t(len(buffer))
	if C.zmq_getsockopt(s, C.ZMQ_LAST_ENDPOINT, unsafe.Pointer(&buffer[0]), &size) != 0 {
		return "", zmqError("get the bound endpoint", C.zmq_errno())
	}
	return C.GoStringN((*C.char)(unsafe.Pointer(&buffer[0])), C.int(size)-1), nil // without the NUL
}
