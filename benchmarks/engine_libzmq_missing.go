//go:build !(libzmq && cgo)

package main

// libzmqEngines are none in this build.
func libzmqEngines() []engine { return nil }
