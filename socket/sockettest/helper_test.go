package sockettest_test

import (
	"io"
	"net"
	"testing"

	"github.com/ringwire/ringwire/socket/sockettest"
	"github.com/ringwire/ringwire/transport"
)

func listen(t testing.TB, n *sockettest.Network, host, address string) transport.Listener {
	t.Helper()
	l, err := n.Host(host).Listen(t.Context(), address, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func dial(t testing.TB, n *sockettest.Network, host, address string) net.Conn {
	t.Helper()
	c, err := n.Host(host).Dial(t.Context(), address, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// connect makes a connection from host a to host b and returns both ends.
func connect(t testing.TB, n *sockettest.Network) (a, b net.Conn) {
	t.Helper()
	l := listen(t, n, "b", "b:0")
	defer l.Close()
	a = dial(t, n, "a", l.Endpoint())
	b, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return a, b
}

func write(t testing.TB, c net.Conn, text string) {
	t.Helper()
	if k, err := c.Write([]byte(text)); k != len(text) || err != nil {
		t.Fatalf("Write(%d bytes) = %d, %v", len(text), k, err)
	}
}

// want reads exactly text.
func want(t testing.TB, c net.Conn, text string) {
	t.Helper()
	got := make([]byte, len(text))
	if k, err := io.ReadFull(c, got); err != nil || string(got) != text {
		t.Fatalf("read %q, %v, want %q", got[:k], err, text)
	}
}

// readError reads until there is an error.
func readError(t testing.TB, c net.Conn) (got string, err error) {
	t.Helper()
	var all []byte
	buf := make([]byte, 4096)
	for {
		k, err := c.Read(buf)
		all = append(all, buf[:k]...)
		if err != nil {
			return string(all), err
		}
	}
}

// later runs f and returns where its error will be.
func later(f func() error) <-chan error {
	result := make(chan error, 1)
	go func() { result <- f() }()
	return result
}

// pending fails if a result is there.
func pending(t testing.TB, what string, result <-chan error) {
	t.Helper()
	select {
	case err := <-result:
		t.Fatalf("%s ended with %v, want it to wait", what, err)
	default:
	}
}
