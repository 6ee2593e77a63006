//go:build !linux

package ipc

const (
	abstractNames  = false
	modeFromSocket = false

	// probes: a full backlog refuses as well, so ask for some time.
	probes = 5
)
