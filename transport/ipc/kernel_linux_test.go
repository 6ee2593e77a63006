package ipc_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ringwire/ringwire/transport"
	"github.com/ringwire/ringwire/transport/ipc"
)

const onLinux = true

// fill dials until the backlog is full.
func fill(t *testing.T, address string) (connected int) {
	t.Helper()
	for range 100 {
		conn, err := ipc.Transport{}.Dial(t.Context(), address, nil)
		if errors.Is(err, syscall.EAGAIN) {
			return connected
		}
		if err != nil {
			t.Fatalf("Dial: %v", err)
		}
		t.Cleanup(func() { conn.Close() })
		connected++
	}
	t.Fatal("100 connections fit")
	return 0
}

func TestFullBacklogIsAlive(t *testing.T) {
	path := freshPath(t)
	listen(t, path, &transport.Options{Backlog: 2})
	if got := fill(t, path); got != 3 {
		t.Errorf("%d connections fit into a backlog of 2, want 3", got)
	}
	refused(t, path, "somebody may be there")
}

func TestAbstractName(t *testing.T) {
	name := "@ringwire-test-" + filepath.Base(filepath.Dir(freshPath(t)))
	l := listen(t, name, nil)
	if l.Endpoint() != name {
		t.Errorf("Endpoint() = %q, want %q", l.Endpoint(), name)
	}
	if _, err := (ipc.Transport{}).Listen(t.Context(), name, nil); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("second Listen: %v, want EADDRINUSE", err)
	}
	if _, err := os.Lstat(name); err == nil {
		t.Error("an abstract name made a file")
	}
	table, err := os.ReadFile("/proc/net/unix")
	if err != nil {
		t.Skipf("no table of sockets: %v", err)
	}
	if !strings.Contains(string(table), name+"\n") { // no NUL after it
		t.Errorf("the kernel does not list %s", name)
	}
}

func TestBuffersReachTheKernel(t *testing.T) {
	options := &transport.Options{SendBuffer: 50_000, RecvBuffer: 60_000}
	l := listen(t, freshPath(t), options)
	dialed, err := ipc.Transport{}.Dial(t.Context(), l.Endpoint(), options)
	if err != nil {
		t.Fatal(err)
	}
	defer dialed.Close()
	taken, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for end, conn := range map[string]net.Conn{"dialed": dialed, "accepted": taken} {
		raw, err := conn.(*net.UnixConn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		for option, want := range map[int]int{unix.SO_SNDBUF: 2 * 50_000, unix.SO_RCVBUF: 2 * 60_000} {
			var got int
			raw.Control(func(fd uintptr) { got, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, option) })
			if err != nil || got != want {
				t.Errorf("%s end: option %d is %d, %v, want %d", end, option, got, err, want)
			}
		}
	}
}
