//go:build libzmq && cgo

package main

/*
#cgo LDFLAGS: -lzmq
#include <stdlib.h>
#include <zmq.h>
#include "libzmq_loops.h"
*/
import "C"

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unsafe"
)

// libzmqLibrary plays the roles over libzmq with its default options. A run is
// one call into C, so that no message pays for crossing over.
type libzmqLibrary struct{}

func newLibzmq() (library, error) { return libzmqLibrary{}, nil }

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

func (l libzmqLibrary) request(ctx context.Context, j *job) (time.Duration, error) {
	return l.run(ctx, j, C.ZMQ_REQ, false, func(s unsafe.Pointer, run *C.struct_bench_run) C.int {
		// Only so that waiting for the connection can be told from waiting
		// for a reply.
		if rc := C.bench_option(s, C.ZMQ_IMMEDIATE, 1); rc != 0 {
			return rc
		}
		return C.bench_request(s, run)
	})
}

// run does one whole job in a libzmq context of its own.
func (l libzmqLibrary) run(ctx context.Context, j *job, kind C.int, bind bool, loop func(unsafe.Pointer, *C.struct_bench_run) C.int) (elapsed time.Duration, err error) {
	own := C.zmq_ctx_new()
	if own == nil {
		return 0, zmqError("create context", C.zmq_errno())
	}
	// Ends every call that is blocked on a socket of this context. Later, when
	// termination waits for a peer to take what was sent, nothing can but the
	// end of the process.
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		C.zmq_ctx_shutdown(own)
		close(ended)
	})
	defer func() {
		if !stop() {
			<-ended
		}
		for C.zmq_ctx_term(own) != 0 {
			if errno := C.zmq_errno(); errno != C.EINTR {
				err = errors.Join(err, zmqError("terminate context", errno))
				return
			}
		}
	}()
	s := C.zmq_socket(own, kind)
	if s == nil {
		return 0, l.failed(ctx, "create socket", C.zmq_errno())
	}
	// Linger only when all went well. It must be off until then: after a
	// shutdown of the context options cannot be set any more.
	rc := C.bench_option(s, C.ZMQ_LINGER, 0)
	run := C.struct_bench_run{size: C.size_t(j.size), count: C.int64_t(j.count)}
	if rc == 0 {
		err = l.work(ctx, j, s, bind, &run, loop)
	}
	if rc == 0 && err == nil {
		rc = C.bench_option(s, C.ZMQ_LINGER, -1)
	}
	if rc != 0 {
		err = l.failed(ctx, "set linger", rc)
	}
	if C.zmq_close(s) != 0 && err == nil {
		err = zmqError("close", C.zmq_errno())
	}
	return time.Duration(run.elapsed), err
}

func (l libzmqLibrary) work(ctx context.Context, j *job, s unsafe.Pointer, bind bool, run *C.struct_bench_run, loop func(unsafe.Pointer, *C.struct_bench_run) C.int) error {
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
	} else if C.zmq_connect(s, endpoint) != 0 {
		return l.failed(ctx, "connect "+j.endpoint, C.zmq_errno())
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
