//go:build !(libzmq && cgo)

package main

// pebbeEngines are none in this build.
func pebbeEngines() []engine { return nil }
