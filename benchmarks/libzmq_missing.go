//go:build !(libzmq && cgo)

package main

func newLibzmq() (library, error) { return nil, errNotBuilt }

func newPebbe() (library, error) { return nil, errNotBuilt }
