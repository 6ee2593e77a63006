// Package interop holds the tests of Ringwire against other implementations
// of ZeroMQ, and nothing else: libzmq through pyzmq, which runs as a process
// of its own, and go-zeromq/zmq4 inside the test.
//
// Start reading at pairs_test.go, the table of socket types that talk to each
// other, and cell_test.go, what is done with each of them. testdata/peer.py is
// the libzmq side. docs/interop.md in the root of the repository says what is
// covered, what is excluded and why, and how to run it.
package interop
