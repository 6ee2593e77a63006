package sockettest_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/sockettest"
	"github.com/ringwire/ringwire/transport"
)

// open makes a socket on a host.
func open(t testing.TB, n *sockettest.Network, host string, spec *pattern.Spec, opts socket.Options) *socket.Socket {
	t.Helper()
	opts.Transports = []transport.Transport{n.Host(host)}
	s, err := socket.New(spec, &opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// pipeline is a PUSH on host "push" that connects to a PULL on host "pull",
// with the oracle of what may happen to numbered messages in between.
type pipeline struct {
	n          *sockettest.Network
	push, pull *socket.Socket
	next       uint32 // the smallest number that may come
	delivered  int64
}

func newPipeline(t testing.TB, n *sockettest.Network, opts socket.Options) *pipeline {
	t.Helper()
	p := &pipeline{n: n, push: open(t, n, "push", pattern.Push, opts), pull: open(t, n, "pull", pattern.Pull, opts)}
	at, err := p.pull.Bind("mem://pull:5555")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.push.Connect(at); err != nil {
		t.Fatal(err)
	}
	return p
}

// size is that of message i.
func size(i uint32) int { return []int{4, 100, 3000, 40_000}[i%4] }

// send sends messages from first to before last.
func (p *pipeline) send(ctx context.Context, first, last uint32) error {
	for i := first; i < last; i++ {
		body := binary.BigEndian.AppendUint32(make([]byte, 0, size(i)), i)[:size(i)]
		if err := p.push.Send(ctx, body, []byte("second")); err != nil {
			return fmt.Errorf("message %d: %w", i, err)
		}
	}
	return nil
}

// recv receives one message: whole, later than all before.
func (p *pipeline) recv(ctx context.Context) (uint32, error) {
	m, err := p.pull.Recv(ctx)
	if err != nil {
		return 0, err
	}
	defer m.Release()
	if m.Len() != 2 || len(m.Frame(0)) < 4 || string(m.Frame(1)) != "second" {
		return 0, fmt.Errorf("a message of %d frames, the first of %d bytes", m.Len(), len(m.Frame(0)))
	}
	i := binary.BigEndian.Uint32(m.Frame(0))
	if i < p.next || len(m.Frame(0)) != size(i) {
		return 0, fmt.Errorf("message %d of %d bytes, want %d or later", i, len(m.Frame(0)), p.next)
	}
	p.next = i + 1
	p.delivered++
	return i, nil
}

// balance closes both sockets and accounts for each message: accepted =
// delivered + dropped + in doubt + queued, where some of those in doubt were
// delivered.
func (p *pipeline) balance(t testing.TB) {
	t.Helper()
	p.push.Close()
	p.pull.Close()
	s, r := p.push.Stats(), p.pull.Stats()
	if got := s.Written + s.SendDropped.Total() + s.SendQueued; s.Accepted != got {
		t.Errorf("push: accepted %d, but written + dropped + queued = %d: %+v", s.Accepted, got, s.Counters)
	}
	if got := r.Returned + r.RecvDropped.Total() + r.RecvQueued; r.Arrived != got || r.Returned != p.delivered {
		t.Errorf("pull: arrived %d, but returned %d (%d were) + dropped + queued = %d: %+v", r.Arrived, r.Returned, p.delivered, got, r.Counters)
	}
	lost := s.Accepted - r.Arrived
	explained := s.SendDropped.Total() + s.InDoubt + s.SendQueued
	if lost < 0 || lost > explained {
		t.Errorf("%d messages are lost, %d in doubt, dropped or queued: want each explained\npush %+v\npull %+v", lost, explained, s, r)
	}
	if got := p.n.Connections(); got != 0 {
		t.Errorf("%d connections are left, want 0", got)
	}
}
