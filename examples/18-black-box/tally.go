package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/ringwire/ringwire"
)

// tally is what one worker keeps: no other touches it, so it needs no lock.
type tally struct {
	messages int
	last     map[string]uint64 // by key: the value that comes next
	open     *atomic.Int64     // of all workers together: how many messages are to come
}

// newTallies returns a tally for each worker. Together they expect so many messages; a
// negative number is no end.
func newTallies(workers, messages int) []*tally {
	open := new(atomic.Int64)
	open.Store(int64(messages))
	var list []*tally
	for range workers {
		list = append(list, &tally{last: make(map[string]uint64), open: open})
	}
	return list
}

// take counts a message. Its value must follow that of the one before with
// the same key.
func (t *tally) take(m *ringwire.Message) error {
	if m.Len() != 2 || len(m.Frame(1)) != 8 {
		return fmt.Errorf("got %s, want a key and 8 bytes", m)
	}
	t.messages++
	value := binary.BigEndian.Uint64(m.Frame(1))
	if want, known := t.last[string(m.Frame(0))]; known && value != want {
		return fmt.Errorf("key %q: got value %d, want %d", m.Frame(0), value, want)
	}
	t.last[string(m.Frame(0))] = value + 1
	return nil
}

// enough counts n messages off, and reports whether they were the last.
func (t *tally) enough(n int) bool { return t.open.Add(int64(-n)) == 0 }

func report(out io.Writer, tallies []*tally) {
	for i, t := range tallies {
		fmt.Fprintf(out, "worker %d: %d messages of %d keys\n", i, t.messages, len(t.last))
	}
}
