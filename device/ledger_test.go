package device_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"sync"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/device"
	"github.com/ringwire/ringwire/socket"
)

// numbered is a message of a source, which shows when it was changed: who, which,
// and a body of a length that depends on both, under a checksum.
func numbered(source, number int) *ringwire.Message {
	head := binary.BigEndian.AppendUint32(nil, uint32(source))
	head = binary.BigEndian.AppendUint32(head, uint32(number))
	body := make([]byte, (source*7+number*13)%200)
	for i := range body {
		body[i] = byte(number + i)
	}
	m := ringwire.NewMessage(head, body)
	if number%3 == 0 {
		m.Append(nil)
	}
	return sealed(m)
}

func sealed(m *ringwire.Message) *ringwire.Message {
	m.Append(binary.BigEndian.AppendUint32(nil, sum(m, m.Len())))
	return m
}

func sum(m *ringwire.Message, frames int) uint32 {
	h := crc32.NewIEEE()
	for i := range frames {
		fmt.Fprintf(h, "%d:", len(m.Frame(i)))
		h.Write(m.Frame(i))
	}
	return h.Sum32()
}

// parse reads a numbered message behind some envelope.
func parse(m *ringwire.Message, envelope int) (source, number int, err error) {
	n := m.Len()
	want := 3
	if n < envelope+3 {
		return 0, 0, fmt.Errorf("got %v, want a numbered message behind %d frames", m, envelope)
	}
	head := m.Frame(envelope)
	if len(head) != 8 {
		return 0, 0, fmt.Errorf("got %v, want a head of 8 bytes", m)
	}
	source, number = int(binary.BigEndian.Uint32(head)), int(binary.BigEndian.Uint32(head[4:]))
	if number%3 == 0 {
		want = 4
	}
	body := ringwire.NewMessage()
	for i := envelope; i < n-1; i++ {
		body.Append(m.Frame(i))
	}
	if n-envelope != want || len(m.Frame(n-1)) != 4 || binary.BigEndian.Uint32(m.Frame(n-1)) != sum(body, body.Len()) {
		return 0, 0, fmt.Errorf("message %d of source %d is torn: %v", number, source, m)
	}
	return source, number, nil
}

// ledger notes what arrived: nothing twice, nothing out of order at one receiver.
type ledger struct {
	mu   sync.Mutex
	seen map[[2]int]bool
	errs []error
}

func newLedger() *ledger { return &ledger{seen: make(map[[2]int]bool)} }

// collect notes what one receiver gets, until its context or its socket ends.
func (l *ledger) collect(ctx context.Context, s *socket.Socket, envelope int) {
	last := make(map[int]int)
	batch := make([]*ringwire.Message, 64)
	for {
		n, err := s.RecvBatch(ctx, batch)
		if err != nil {
			return
		}
		for i, m := range batch[:n] {
			l.enter(m, envelope, last)
			m.Release()
			batch[i] = nil
		}
	}
}

func (l *ledger) enter(m *ringwire.Message, envelope int, last map[int]int) {
	source, number, err := parse(m, envelope)
	l.mu.Lock()
	defer l.mu.Unlock()
	key := [2]int{source, number}
	switch before, ok := last[source]; {
	case err != nil:
	case l.seen[key]:
		err = fmt.Errorf("message %d of source %d came twice", number, source)
	case ok && number <= before:
		err = fmt.Errorf("message %d of source %d came after %d", number, source, before)
	}
	if err != nil {
		if len(l.errs) < 5 {
			l.errs = append(l.errs, err)
		}
		return
	}
	l.seen[key] = true
	last[source] = number
}

func (l *ledger) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.seen) + len(l.errs)
}

// check fails for anything that was wrong, and, with all, for what is missing.
func (l *ledger) check(t testing.TB, sources, each int, all bool) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, err := range l.errs {
		t.Error(err)
	}
	missing := 0
	for s := range sources {
		for n := range each {
			if !l.seen[[2]int{s, n}] {
				if missing++; all && missing < 5 {
					t.Errorf("message %d of source %d is missing", n, s)
				}
			}
		}
	}
	if all && missing > 0 {
		t.Errorf("%d of %d messages are missing", missing, sources*each)
	}
}

// flood sends numbered messages of one source, and returns how many were accepted.
func flood(ctx context.Context, s *socket.Socket, source, from, to int, envelope ...string) (int, error) {
	for i := from; i < to; i++ {
		m := numbered(source, i)
		if len(envelope) > 0 {
			all := ringwire.NewMessage(bytesOf(envelope)...)
			for k := range m.Len() {
				all.Append(m.Frame(k))
			}
			m = all
		}
		if err := s.SendMessage(ctx, m); err != nil {
			return i, err
		}
	}
	return to, nil
}

// balanced fails unless every message of the device is accounted for.
func balanced(t testing.TB, d *device.Device) {
	t.Helper()
	st := d.Stats()
	for name, dir := range map[string]device.Direction{"forward": st.Forward, "backward": st.Backward} {
		if dir.InHand() != 0 {
			t.Errorf("%s: %d messages are in hand of a device that has ended: %+v", name, dir.InHand(), dir)
		}
	}
}
