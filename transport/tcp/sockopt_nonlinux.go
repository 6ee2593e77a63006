//go:build !linux

package tcp

import "errors"

func setDevice(uintptr, string) error { return errors.ErrUnsupported }

func setUserTimeout(uintptr, int) error { return errors.ErrUnsupported }

// setBacklog is ignored: a listening socket cannot be told again everywhere.
func setBacklog(uintptr, int) error { return nil }
