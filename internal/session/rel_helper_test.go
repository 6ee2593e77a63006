package session_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/ringwire/ringwire/internal/zmtp"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/transport"
)

// relGreet does the handshake of a peer made by hand on a connection, and leaves
// what follows to the test.
func relGreet(t testing.TB, c net.Conn, kind, identity string) {
	t.Helper()
	out := zmtp.AppendGreeting(nil, zmtp.Greeting{Major: 3, Minor: 1, Mechanism: "NULL"})
	meta, err := zmtp.AppendMetadata(nil, zmtp.Metadata{{Name: "Socket-Type", Value: []byte(kind)}, {Name: "Identity", Value: []byte(identity)}})
	if err != nil {
		t.Fatal(err)
	}
	out = zmtp.AppendCommand(out, "READY", meta)
	if _, err := c.Write(out); err != nil {
		t.Fatal(err)
	}
	head := make([]byte, zmtp.GreetingSize+2)
	if _, err := io.ReadFull(c, head); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, head[zmtp.GreetingSize+1])); err != nil {
		t.Fatal(err)
	}
}

// relRaw dials a bound socket by hand.
func relRaw(t testing.TB, n *memNet, address, kind, identity string) *memConn {
	t.Helper()
	c, err := n.Dial(t.Context(), address, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	relGreet(t, c, kind, identity)
	return c.(*memConn)
}

// relEvents collects the events of a socket until it is closed.
type relEvents struct {
	mu   sync.Mutex
	list []socket.Event
}

func relWatch(s *socket.Socket) *relEvents {
	e := new(relEvents)
	events := s.Events(context.Background())
	go func() {
		for ev := range events {
			e.mu.Lock()
			e.list = append(e.list, ev)
			e.mu.Unlock()
		}
	}()
	return e
}

// of returns the events of a kind.
func (e *relEvents) of(kind socket.EventKind) (list []socket.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, ev := range e.list {
		if ev.Kind == kind {
			list = append(list, ev)
		}
	}
	return list
}

// relOpen is open for transports that are not a plain memNet.
func relOpen(t testing.TB, n transport.Transport, spec *pattern.Spec, opts socket.Options) *socket.Socket {
	t.Helper()
	opts.Transports = []transport.Transport{n}
	s, err := socket.New(spec, &opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func relBind(t testing.TB, s *socket.Socket, at string) {
	t.Helper()
	if _, err := s.Bind(at); err != nil {
		t.Fatal(err)
	}
}

func relConnect(t testing.TB, s *socket.Socket, at string) {
	t.Helper()
	if err := s.Connect(at); err != nil {
		t.Fatal(err)
	}
}

// relNumber is the number of a message made by numbered, in its last frame.
func relNumber(b []byte) int { return int(binary.BigEndian.Uint32(b)) }
