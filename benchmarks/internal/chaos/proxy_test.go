package chaos_test

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/ringwire/ringwire/benchmarks/internal/chaos"
)

// through is a connection through a proxy, and its far end.
func through(t *testing.T) (*chaos.Proxy, net.Conn, net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p, err := chaos.NewProxy(l.Addr().String(), 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	near, err := net.Dial("tcp", p.Address())
	if err != nil {
		t.Fatal(err)
	}
	far, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []net.Conn{near, far} {
		t.Cleanup(func() { c.Close() })
		c.SetDeadline(time.Now().Add(10 * time.Second))
	}
	return p, near, far
}

func send(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := c.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, c net.Conn, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(c, got); err != nil || string(got) != want {
		t.Fatalf("got %q, %v, want %q", got[:n], err, want)
	}
}

func TestProxy(t *testing.T) {
	p, near, far := through(t)
	send(t, near, "up")
	expect(t, far, "up")
	send(t, far, "down")
	expect(t, near, "down")

	p.Stall(chaos.Up, true)
	send(t, near, "held")
	send(t, far, "not held")
	expect(t, near, "not held")
	far.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	if n, err := far.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("got %d bytes and %v through a stalled direction, want none", n, err)
	}
	far.SetReadDeadline(time.Now().Add(10 * time.Second))
	p.Stall(chaos.Up, false)
	expect(t, far, "held")

	p.CutAfter(3)
	send(t, near, "truncated")
	expect(t, far, "tru")
	if _, err := far.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Fatalf("got %v after the cut, want a reset", err)
	}
}

func TestProxyReset(t *testing.T) {
	p, near, far := through(t)
	send(t, near, "x")
	expect(t, far, "x")
	if n := p.Reset(); n != 1 {
		t.Fatalf("got %d connections reset, want 1", n)
	}
	for _, c := range []net.Conn{near, far} {
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("got %v, want a reset", err)
		}
	}
}
