//go:build libzmq && cgo

package main

/*
#include <stdlib.h>
#include <zmq.h>
#include "libzmq_loops.h"
*/
import "C"

import "unsafe"

// curveCapability is libzmq's name of what Debian's builds have by libsodium.
var curveCapability = C.CString("curve")

// zmqEncrypt is encrypt of a socket of libzmq.
func zmqEncrypt(socket unsafe.Pointer, asServer bool) error {
	texts := map[C.int]string{
		C.ZMQ_CURVE_PUBLICKEY: curveClientPublic, C.ZMQ_CURVE_SECRETKEY: curveClientSecret, C.ZMQ_CURVE_SERVERKEY: curveServerPublic,
	}
	if asServer {
		if rc := C.bench_option(socket, C.ZMQ_CURVE_SERVER, 1); rc != 0 {
			return zmqError("be a CURVE server", rc)
		}
		texts = map[C.int]string{C.ZMQ_CURVE_SECRETKEY: curveServerSecret}
	}
	for option, text := range texts {
		key := C.CString(text)
		rc := C.zmq_setsockopt(socket, option, unsafe.Pointer(key), C.size_t(len(text)))
		errno := C.zmq_errno()
		C.free(unsafe.Pointer(key))
		if rc != 0 {
			return zmqError("set a CURVE key", errno)
		}
	}
	return nil
}
