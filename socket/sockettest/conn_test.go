package sockettest_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwire/ringwire/socket/sockettest"
	"github.com/ringwire/ringwire/transport"
)

// TestClose: the far end reads what is under way, then EOF; its writes fail
// when it has learned of it; closing twice is an error.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := sockettest.NewNetwork(1)
		n.SetLink("a", "b", sockettest.Link{Latency: time.Second})
		a, b := connect(t, n)
		write(t, a, "last words")
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		if err := a.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("second Close: %v", err)
		}
		write(t, b, "not yet known")
		full := later(func() error { _, err := b.Write(make([]byte, 1<<20)); return err })
		if err := <-full; err != nil {
			t.Errorf("write into the void: %v", err)
		}
		time.Sleep(time.Second)
		if _, err := b.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("write: %v, want EPIPE", err)
		}
		if got, err := readError(t, b); got != "last words" || err != io.EOF {
			t.Errorf("read %q, %v", got, err)
		}
		for what, err := range map[string]error{
			"deadline":   a.SetDeadline(time.Time{}),
			"CloseWrite": a.(interface{ CloseWrite() error }).CloseWrite(),
			"Read":       func() error { _, err := a.Read(nil); return err }(),
			"Write":      func() error { _, err := a.Write(nil); return err }(),
		} {
			if !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s after Close: %v", what, err)
			}
		}
	})
}

// TestCloseWakesWriter: a Write that waits for room ends with the peer's Close
// when it arrives, and with our own at once.
func TestCloseWakesWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := sockettest.NewNetwork(1)
		for _, who := range []string{"own", "peer"} {
			a, b := connect(t, n)
			n.SetLink("a", "b", sockettest.Link{Latency: time.Second})
			full := later(func() error { _, err := a.Write(make([]byte, 1<<20)); return err })
			synctest.Wait()
			start, wantErr, wantTook := time.Now(), net.ErrClosed, time.Duration(0)
			if who == "peer" {
				b.Close()
				wantErr, wantTook = nil, 0 // what nobody reads needs no room
			} else {
				a.Close()
			}
			if err := <-full; !errors.Is(err, wantErr) {
				t.Errorf("%s close: %v, want %v", who, err, wantErr)
			}
			if took := time.Since(start); took != wantTook {
				t.Errorf("%s close: the writer ended after %v, want %v", who, took, wantTook)
			}
			n.SetLink("a", "b", sockettest.Link{})
		}
	})
}

// TestCloseUnread: a Close with unread bytes is a reset, which takes away what
// the far end has not read.
func TestCloseUnread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := sockettest.NewNetwork(1)
		n.SetLink("a", "b", sockettest.Link{Latency: time.Second})
		a, b := connect(t, n)
		write(t, b, "never read")
		time.Sleep(time.Second)
		write(t, a, "lost")
		a.Close()
		time.Sleep(time.Second)
		if got, err := readError(t, b); got != "" || !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("read %q, %v, want a reset", got, err)
		}
		if _, err := b.Write([]byte("x")); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("write: %v, want a reset", err)
		}
		if n.Cut("a", "b") != 0 {
			t.Error("Cut counted a connection that was reset")
		}
	})
}

// TestCloseJitter: the end of the stream never overtakes the bytes.
func TestCloseJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := sockettest.NewNetwork(1)
		n.SetLink("a", "b", sockettest.Link{Jitter: time.Second})
		for range 20 {
			a, b := connect(t, n)
			write(t, a, "all of it")
			a.Close()
			if got, err := readError(t, b); got != "all of it" || err != io.EOF {
				t.Errorf("read %q, %v, want all of it, EOF", got, err)
			}
		}
	})
}

// TestCloseWrite: half close travels behind the bytes; writes fail, reads go
// on.
func TestCloseWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := sockettest.NewNetwork(1)
		n.SetLink("a", "b", sockettest.Link{Latency: time.Second})
		a, b := connect(t, n)
		blocked := later(func() error { _, err := a.Write(make([]byte, 1<<20)); return err })
		synctest.Wait()
		if err := a.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if err := <-blocked; !errors.Is(err, syscall.EPIPE) {
			t.Errorf("blocked write: %v", err)
		}
		if got, err := readError(t, b); len(got) != 64<<10 || err != io.EOF {
			t.Errorf("read %d bytes, %v, want what fitted the buffer, EOF", len(got), err)
		}
		write(t, b, "still there")
		want(t, a, "still there")
	})
}

// TestAddresses: both ends agree, endpoints can be chosen, in use is in use.
func TestAddresses(t *testing.T) {
	n := sockettest.NewNetwork(1)
	a, b := connect(t, n)
	if a.LocalAddr().String() != b.RemoteAddr().String() || b.LocalAddr().String() != a.RemoteAddr().String() {
		t.Errorf("ends are %v-%v and %v-%v", a.LocalAddr(), a.RemoteAddr(), b.LocalAddr(), b.RemoteAddr())
	}
	if host, _, err := net.SplitHostPort(a.LocalAddr().String()); host != "a" || err != nil || a.LocalAddr().Network() != "mem" {
		t.Errorf("local address %v of %v: %v", a.LocalAddr(), a.LocalAddr().Network(), err)
	}
	listen(t, n, "b", "b:5555")
	if _, err := n.Host("b").Listen(t.Context(), "*:5555", nil); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("second Listen: %v", err)
	}
	listen(t, n, "a", "a:5555") // another host's port
	if one, two := listen(t, n, "b", "b:0"), listen(t, n, "b", "b:*"); one.Endpoint() == two.Endpoint() {
		t.Errorf("port %s was chosen twice", one.Endpoint())
	}
}

// TestDeadlines: exact, for both directions, and a connection goes on after
// one; a deadline can be moved while a call waits.
func TestDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := sockettest.NewNetwork(1)
		a, b := connect(t, n)
		start := time.Now()
		a.SetDeadline(start.Add(time.Hour))
		read := later(func() error { _, err := a.Read(make([]byte, 1)); return err })
		full := later(func() error { _, err := a.Write(make([]byte, 64<<10+1)); return err })
		second := later(func() error { _, err := a.Write(make([]byte, 64<<10+1)); return err })
		synctest.Wait()
		a.SetReadDeadline(start.Add(time.Minute))
		a.SetWriteDeadline(start.Add(2 * time.Hour))
		for _, call := range []struct {
			what   string
			result <-chan error
			at     time.Duration
		}{{"Read", read, time.Minute}, {"Write", full, 2 * time.Hour}, {"second Write", second, 2 * time.Hour}} {
			if err := <-call.result; !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%s: %v", call.what, err)
			}
			if got := time.Since(start); got != call.at {
				t.Errorf("%s ended after %v, want %v", call.what, got, call.at)
			}
		}
		a.SetDeadline(time.Time{})
		if got := later(func() error { _, err := io.ReadFull(b, make([]byte, 64<<10)); return err }); <-got != nil {
			t.Error("what was written before the deadline is not there")
		}
		write(t, a, "goes on")
		want(t, b, "goes on")
	})
}

// TestConcurrentWrites: each is whole, as if there were no other, although all
// of them wait for room.
func TestConcurrentWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := sockettest.NewNetwork(1)
		n.SetLink("a", "b", sockettest.Link{Buffer: 100, Latency: time.Millisecond, MaxWrite: 30})
		a, b := connect(t, n)
		const writers, size = 8, 1000
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() {
				if _, err := a.Write(bytes.Repeat([]byte{byte(i)}, size)); err != nil {
					t.Error(err)
				}
			})
		}
		seen := make(map[byte]bool)
		got := make([]byte, size)
		for range writers {
			if _, err := io.ReadFull(b, got); err != nil {
				t.Fatal(err)
			}
			if seen[got[0]] || !bytes.Equal(got, bytes.Repeat(got[:1], size)) {
				t.Fatalf("a write of %d was torn, or is there twice", got[0])
			}
			seen[got[0]] = true
		}
		wg.Wait()
	})
}

// TestConcurrentEverything: calls and faults of all kinds at once end, in any
// order; the race detector looks on.
func TestConcurrentEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := sockettest.NewNetwork(1)
		l := listen(t, n, "b", "b:1")
		var wg sync.WaitGroup
		use := func(c net.Conn) {
			defer c.Close()
			var both sync.WaitGroup
			both.Go(func() { io.Copy(io.Discard, c) })
			for range 20 {
				c.SetDeadline(time.Now().Add(time.Second))
				if _, err := c.Write(make([]byte, 5000)); err != nil {
					break
				}
				n.Connections()
			}
			c.Close()
			both.Wait()
		}
		wg.Go(func() {
			for {
				c, err := l.Accept()
				if errors.Is(err, net.ErrClosed) {
					return
				}
				if err == nil {
					wg.Go(func() { use(c) })
				}
			}
		})
		var dialers sync.WaitGroup
		for range 5 {
			dialers.Go(func() {
				for range 20 {
					c, err := n.Host("a").Dial(t.Context(), "b:1", nil)
					if err == nil {
						use(c)
					}
				}
			})
		}
		dialers.Go(func() {
			for i := range 50 {
				n.SetLink("a", "b", sockettest.Link{Latency: time.Duration(i) * time.Millisecond, Jitter: time.Millisecond, MaxRead: i, MaxWrite: i, Corrupt: 0.1})
				for _, pair := range [][2]func(){
					{func() { n.Stall("a", "b") }, func() { n.Resume("a", "b") }},
					{func() { n.Partition("a", "b") }, func() { n.Heal("a", "b") }},
					{func() { n.Vanish("a") }, func() { n.Return("a") }},
					{func() { n.Refuse("b", true) }, func() { n.Refuse("b", false) }},
					{func() { n.Cut("a", "b") }, func() { n.Connections() }},
				} {
					pair[0]()
					time.Sleep(time.Duration(i) * time.Millisecond)
					pair[1]()
				}
			}
		})
		dialers.Wait()
		l.Close()
		wg.Wait()
		if got := n.Connections(); got != 0 {
			t.Errorf("%d connections are left, want 0", got)
		}
	})
}

// TestPeerClosed: the end of a connection can be told before its last bytes are read.
func TestPeerClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := sockettest.NewNetwork(1)
		a, b := connect(t, n)
		teller := b.(transport.EndTeller)
		if _, err := a.Write([]byte("last")); err != nil {
			t.Fatal(err)
		}
		if teller.PeerClosed() {
			t.Error("an open connection says that its peer closed it")
		}
		a.Close()
		if !teller.PeerClosed() {
			t.Error("a closed connection does not say so while bytes are unread")
		}
		b.Close()
	})
}
