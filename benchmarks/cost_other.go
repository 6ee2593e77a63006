//go:build !linux

package main

// Only Linux has /proc/self.

func syscalls() *int64      { return nil }
func residentBytes() *int64 { return nil }
