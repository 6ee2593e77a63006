//go:build !(libzmq && cgo)

package main

import "errors"

// newLibzmq explains how to get a program in which libzmq is.
func newLibzmq() (library, error) {
	return nil, errors.New("--lib libzmq is not part of this build, accepted is ringwire; to have libzmq, " +
		"install its header files and a C compiler (Debian: apt install libzmq3-dev gcc) and build with cgo and the tag: go run -tags libzmq ./benchmarks")
}
