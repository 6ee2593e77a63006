//go:build !windows

package main

// It registers itself. On Windows it needs another module, and mangos is not
// measured over ipc there.
import _ "go.nanomsg.org/mangos/v3/transport/ipc"
