//go:build !linux

package chaos

import "errors"

var errLinux = errors.New("only done on Linux")

func stopProcess(int) error                { return errLinux }
func resumeProcess(int) error              { return errLinux }
func limitFiles(int) (func() error, error) { return nil, errLinux }

func residentPeak(int) (int64, bool) { return 0, false }

// islands do not exist here.
type islands struct{ addresses [2]string }

func newIslands() (*islands, error)        { return nil, errLinux }
func (*islands) cable(bool) error          { return errLinux }
func (*islands) blackhole(bool) error      { return errLinux }
func (*islands) in(int, []string) []string { return nil }
func (*islands) close()                    {}
