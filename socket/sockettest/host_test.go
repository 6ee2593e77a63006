package sockettest_test

import (
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwire/ringwire/socket/sockettest"
	"github.com/ringwire/ringwire/transport"
)

// TestRefuse: at once, whatever the latency, and dials that hang, too.
func TestRefuse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := sockettest.NewNetwork(1)
		listen(t, n, "b", "b:1")
		n.SetLink("a", "b", sockettest.Link{Latency: time.Hour})
		hanging := later(func() error { _, err := n.Host("a").Dial(t.Context(), "b:1", nil); return err })
		synctest.Wait()
		start := time.Now()
		n.Refuse("b", true)
		if err := <-hanging; !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("hanging dial: %v", err)
		}
		if _, err := n.Host("a").Dial(t.Context(), "b:1", nil); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("dial: %v", err)
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("it took %v, want 0", took)
		}
		n.Refuse("b", false)
		dial(t, n, "a", "b:1")
		if _, err := n.Host("a").Dial(t.Context(), "b:2", nil); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("dial to nobody: %v", err)
		}
		if took := time.Since(start); took != 4*time.Hour {
			t.Errorf("two dials took %v, want two round trips", took)
		}
	})
}

// TestFailAccept: Accept fails while it shall, the connection waits.
func TestFailAccept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := sockettest.NewNetwork(1)
		l := listen(t, n, "b", "b:1")
		waiting := later(func() error { _, err := l.Accept(); return err })
		synctest.Wait()
		n.FailAccept("b", syscall.EMFILE)
		if err := <-waiting; !errors.Is(err, syscall.EMFILE) {
			t.Errorf("waiting Accept: %v", err)
		}
		a := dial(t, n, "a", "b:1")
		for range 2 {
			if _, err := l.Accept(); !errors.Is(err, syscall.EMFILE) {
				t.Errorf("Accept: %v", err)
			}
		}
		n.FailAccept("b", nil)
		b, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		write(t, a, "hello")
		want(t, b, "hello")
	})
}

// TestBacklog: a dial waits for room in the listener's queue; what waits there
// is reset when the listener closes.
func TestBacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := sockettest.NewNetwork(1)
		l, err := n.Host("b").Listen(t.Context(), "*:9", &transport.Options{Backlog: 1})
		if err != nil {
			t.Fatal(err)
		}
		first := dial(t, n, "a", "b:9")
		var second net.Conn
		dialed := later(func() (err error) {
			second, err = n.Host("a").Dial(t.Context(), "b:9", nil)
			return err
		})
		synctest.Wait()
		pending(t, "Dial", dialed)
		taken, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer taken.Close()
		if err := <-dialed; err != nil {
			t.Fatal(err)
		}
		l.Close()
		if _, err := second.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("a connection that nobody accepted: %v, want a reset", err)
		}
		second.Close()
		write(t, first, "alive")
		want(t, taken, "alive")
		if got := n.Connections(); got != 1 {
			t.Errorf("Connections = %d, want 1", got)
		}
		first.Close()
		taken.Close()
		if got := n.Connections(); got != 0 {
			t.Errorf("Connections = %d, want 0", got)
		}
	})
}

// TestCheck: what an address may be, and what the error names.
func TestCheck(t *testing.T) {
	h := sockettest.NewNetwork(1).Host("b")
	for _, c := range []struct {
		address string
		bind    bool
		part    string
	}{
		{"b:1", true, ""}, {"*:0", true, ""}, {"b:*", true, ""}, {"a:1", false, ""}, {"db-1.x_y:65535", false, ""},
		{"a:1", true, "host"}, {"*:1", false, "host"}, {":1", false, "host"}, {"a b:1", false, "host"},
		{"b", true, "port"}, {"a:0", false, "port"}, {"a:*", false, "port"}, {"b:65536", true, "port"}, {"b:-1", true, "port"},
	} {
		err := h.Check(c.address, c.bind)
		var wrong *transport.EndpointError
		if c.part == "" && err != nil || c.part != "" && (!errors.As(err, &wrong) || wrong.Part != c.part) {
			t.Errorf("Check(%q, %v) = %v, want part %q", c.address, c.bind, err, c.part)
		}
		if err != nil && !strings.HasPrefix(err.Error(), `endpoint "mem://`+c.address) {
			t.Errorf("Check(%q, %v) = %v, want the endpoint in it", c.address, c.bind, err)
		}
	}
}
