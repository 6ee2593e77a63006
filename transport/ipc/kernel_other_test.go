//go:build unix && !linux

package ipc_test

const onLinux = false
