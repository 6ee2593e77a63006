package session

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// relKernel returns both ends of a connection of this system.
func relKernel(t *testing.T, network string) (ours, theirs net.Conn) {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		dir, err := os.MkdirTemp("", "rw") // short enough for a path of a socket
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		address = filepath.Join(dir, "s")
	}
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if ours, err = net.Dial(network, l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if theirs, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ours.Close(); theirs.Close() })
	return ours, theirs
}

// TestREL06KernelKnows: what excuses a peer's silence is asked of the kernel: whether
// bytes wait that we have not read, and whether the system of a peer that reads
// nothing still answers. Neither is ever said of a connection that is closed.
func TestREL06KernelKnows(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			ours, theirs := relKernel(t, network)
			c := newConduit(ours)
			if !c.inline() {
				t.Fatal("this connection's system calls are not made by us")
			}
			if c.unread() {
				t.Error("bytes wait, want none before any was sent")
			}
			if _, err := theirs.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
			for end := time.Now().Add(20 * time.Second); !c.unread(); runtime.Gosched() {
				if time.Now().After(end) {
					t.Fatal("a byte was sent, and the kernel says that none waits")
				}
			}
			if _, err := ours.Read(make([]byte, 10)); err != nil {
				t.Fatal(err)
			}
			if c.unread() {
				t.Error("a byte waits, want none after it was read")
			}
			// The peer reads nothing until both kernels are full.
			for n, err := 1, error(nil); ; {
				n, err = c.writeOne(make([]byte, 64<<10), false)
				if errors.Is(err, errWouldWait) {
					break
				}
				if err != nil || n == 0 {
					t.Fatalf("write: %d, %v", n, err)
				}
			}
			if alive, known := c.answers(); !alive || !known {
				t.Error("the kernel says that the peer's system does not answer; it does, it is this one")
			}
			c.close()
			if c.unread() {
				t.Error("bytes wait on a closed connection")
			}
			if alive, known := c.answers(); known && !alive {
				t.Error("a closed connection is said to be dead, want that it cannot be told, or that it ended by itself")
			}
		})
	}
}
