//go:build !unix && !windows

package tcp

import "errors"

func setSendBuffer(uintptr, int) error { return errors.ErrUnsupported }
func setRecvBuffer(uintptr, int) error { return errors.ErrUnsupported }
func setTOS(uintptr, int) error        { return errors.ErrUnsupported }
func setReuse(uintptr) error           { return nil }
func markInUse(err error) error        { return err }
