//go:build !linux

package attack

import (
	"errors"
	"time"
)

// playable reports whether this system can play a cell: only Linux lets a process
// limit its descriptors to those it has, and connect from any address of 127/8.
func playable(c Cell) bool { return c.Attack.Files == 0 && c.Attack.Source == "" }

func limitFiles(int) error { return errors.ErrUnsupported }

// sleepUntil waits until now is due.
func sleepUntil(now func() int64, due int64) {
	time.Sleep(time.Duration(due - now()))
}

func processorTime() time.Duration { return 0 }
