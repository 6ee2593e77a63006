package sockettest_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwire/ringwire/socket/sockettest"
)

// TestStall: what has arrived can be read, all else waits, with the latency it
// has left; a writer waits for room; the other direction works.
func TestStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := sockettest.NewNetwork(1)
		a, b := connect(t, n)
		write(t, a, "arrived")
		n.SetLink("a", "b", sockettest.Link{Latency: 10 * time.Second, Buffer: 25})
		write(t, a, "under way")
		time.Sleep(4 * time.Second)
		n.Stall("a", "b")
		n.Stall("a", "b")
		write(t, a, "stalled")
		time.Sleep(time.Hour)
		want(t, b, "arrived")
		full := later(func() error { _, err := a.Write([]byte("more than fits")); return err })
		b.SetReadDeadline(time.Now().Add(time.Hour))
		if _, err := b.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read while stalled: %v, want a deadline", err)
		}
		b.SetReadDeadline(time.Time{})
		pending(t, "Write", full)
		write(t, b, "other way")
		want(t, a, "other way")
		start := time.Now()
		n.Resume("a", "b")
		want(t, b, "under way")
		if got, want := time.Since(start), 6*time.Second; got != want {
			t.Errorf("the rest of the way took %v, want %v", got, want)
		}
		want(t, b, "stalled")
		if got, want := time.Since(start), 10*time.Second; got != want {
			t.Errorf("what was written while stalled took %v, want %v", got, want)
		}
		want(t, b, "more than fits")
		if err := <-full; err != nil {
			t.Error(err)
		}
	})
}

// TestStallWithoutLatency: what is written while a perfect link is stalled
// waits, what was written at the same instant before it does not.
func TestStallWithoutLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := sockettest.NewNetwork(1)
		a, b := connect(t, n)
		for range 3 {
			write(t, a, "before")
			n.Stall("a", "b")
			write(t, a, "after")
			want(t, b, "before")
			got := later(func() error { want(t, b, "after"); return nil })
			synctest.Wait()
			pending(t, "Read", got)
			n.Resume("a", "b")
			<-got
		}
	})
}

// TestPartition: both ways stand still, dials hang until healed or their
// context ends, and nothing is lost, the end of the stream included.
func TestPartition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := sockettest.NewNetwork(1)
		l := listen(t, n, "b", "b:1")
		a, b := connect(t, n)
		n.Partition("b", "a")
		n.Stall("a", "b")
		write(t, a, "to b")
		write(t, b, "to a")
		b.Close()
		gotA, gotDial := later(func() error { want(t, a, "to a"); return nil }), later(func() error {
			c, err := n.Host("a").Dial(t.Context(), "b:1", nil)
			if err == nil {
				c.Close()
			}
			return err
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := n.Host("a").Dial(ctx, "b:1", nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("dial: %v, want the end of its context", err)
		}
		other := dial(t, n, "c", "b:1") // others are not concerned
		other.Close()
		pending(t, "Read", gotA)
		n.Resume("b", "a") // changes nothing
		synctest.Wait()
		pending(t, "Read", gotA)
		n.Heal("a", "b")
		<-gotA
		synctest.Wait()
		pending(t, "Dial", gotDial) // the stall is still there
		n.Resume("a", "b")
		if err := <-gotDial; err != nil {
			t.Errorf("dial: %v", err)
		}
		if _, err := a.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("read: %v, want EOF", err)
		}
		l.Close()
	})
}

// TestCut: all connections between two hosts are reset, whoever dialed, and
// nobody else's.
func TestCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := sockettest.NewNetwork(1)
		a1, b1 := connect(t, n)
		a2, b2 := connect(t, n)
		la := listen(t, n, "a", "a:7")
		b3 := dial(t, n, "b", "a:7")
		c := dial(t, n, "c", "a:7")
		write(t, a1, "lost")
		blocked := later(func() error { _, err := a2.Read(make([]byte, 1)); return err })
		full := later(func() error { _, err := b2.Write(make([]byte, 1<<20)); return err })
		synctest.Wait()
		if got := n.Cut("b", "a"); got != 3 {
			t.Errorf("Cut = %d, want 3", got)
		}
		if got := n.Cut("b", "a"); got != 0 {
			t.Errorf("second Cut = %d, want 0", got)
		}
		if err := <-full; !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("blocked write: %v", err)
		}
		<-blocked // it may have got a byte before
		for i, end := range []net.Conn{a1, b1, a2, b2, b3} {
			if _, err := end.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("read at end %d: %v", i, err)
			}
			if _, err := end.Write([]byte("x")); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("write at end %d: %v", i, err)
			}
		}
		first, err := la.Accept() // it was cut while it waited
		if err != nil {
			t.Fatal(err)
		}
		defer first.Close()
		second, err := la.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer second.Close()
		write(t, c, "alive")
		want(t, second, "alive")
		if got := n.Connections(); got != 4 {
			t.Errorf("Connections = %d with all ends open, want 4", got)
		}
	})
}

// TestVanish: silence, then a reset at the first write after the return.
func TestVanish(t *testing.T) {
	for _, writer := range []string{"who stayed", "who returned"} {
		synctest.Test(t, func(t *testing.T) {
			n := sockettest.NewNetwork(1)
			listen(t, n, "b", "b:1")
			a, b := connect(t, n)
			n.SetLink("a", "b", sockettest.Link{Latency: time.Second, Buffer: 100})
			write(t, b, "arrived")
			time.Sleep(time.Second)
			write(t, b, "under way")
			n.Vanish("b")
			write(t, a, "void")
			write(t, b, "void")
			want(t, a, "arrived")
			for _, c := range []net.Conn{a, b} {
				c.SetReadDeadline(time.Now().Add(time.Hour))
				if got, err := readError(t, c); got != "" || !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("read %q, %v, want a deadline", got, err)
				}
				c.SetReadDeadline(time.Time{})
			}
			a.SetWriteDeadline(time.Now().Add(time.Hour))
			if k, err := a.Write(make([]byte, 200)); k != 96 || !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("Write = %d, %v, want the 96 that the buffer has left, and a deadline", k, err)
			}
			a.SetWriteDeadline(time.Time{})
			for _, way := range [][2]string{{"a", "b:1"}, {"b", "a:1"}, {"c", "b:1"}} {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				if _, err := n.Host(way[0]).Dial(ctx, way[1], nil); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("dial from %s to %s: %v, want the end of its context", way[0], way[1], err)
				}
				cancel()
			}
			n.Return("b")
			silent := later(func() error { _, err := readError(t, a); return err })
			time.Sleep(time.Hour)
			synctest.Wait()
			pending(t, "Read", silent)
			from := a
			if writer == "who returned" {
				from = b
			}
			if _, err := from.Write([]byte("x")); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("%s: write: %v, want a reset", writer, err)
			}
			if err := <-silent; !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("%s: read: %v, want a reset", writer, err)
			}
			if _, err := b.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("%s: read where it returned: %v, want a reset", writer, err)
			}
			dial(t, n, "a", "b:1")
		})
	}
}

// TestVanishClosed: the end that stays learns nothing of a Close, and a Write
// that waits is reset by the return.
func TestVanishClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := sockettest.NewNetwork(1)
		a, b := connect(t, n)
		n.Vanish("b")
		b.Close()
		full := later(func() error { _, err := a.Write(make([]byte, 1<<20)); return err })
		time.Sleep(time.Hour)
		synctest.Wait()
		pending(t, "Write", full)
		n.Return("b")
		if err := <-full; !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("write: %v, want a reset", err)
		}
	})
}

// TestVanishBoth: a connection between two hosts that have vanished is reset
// when both are back; a reset that was under way is lost like everything else.
func TestVanishBoth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := sockettest.NewNetwork(1)
		a1, b1 := connect(t, n)
		a2, b2 := connect(t, n)
		a3, b3 := connect(t, n)
		n.SetLink("a", "b", sockettest.Link{Latency: time.Second})
		write(t, a2, "never read")
		write(t, a3, "never read")
		time.Sleep(time.Second)
		b2.Close() // a reset
		b3.Close()
		n.Vanish("a")
		n.Vanish("b")
		n.Return("b")
		write(t, b1, "void")
		write(t, a2, "void")
		time.Sleep(time.Hour)
		a3.Close() // now both ends are
		if got := n.Connections(); got != 2 {
			t.Errorf("Connections = %d, want 2", got)
		}
		n.Return("a")
		for i, c := range []net.Conn{b1, a2} {
			if _, err := c.Write([]byte("x")); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("connection %d: write: %v, want a reset", i+1, err)
			}
		}
		if _, err := a1.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("read: %v, want a reset", err)
		}
	})
}

// TestCutLostReset: a reset that was lost leaves something to cut.
func TestCutLostReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := sockettest.NewNetwork(1)
		a, b := connect(t, n)
		n.SetLink("a", "b", sockettest.Link{Latency: time.Second})
		write(t, a, "never read")
		time.Sleep(time.Second)
		b.Close()
		n.Vanish("b")
		if got := n.Cut("a", "b"); got != 1 {
			t.Errorf("Cut = %d, want 1", got)
		}
		if _, err := a.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("read: %v, want a reset", err)
		}
	})
}
