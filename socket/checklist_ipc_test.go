package socket_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/transport"
)

// libzmq's tests of ipc.

// confRequest passes one request and its reply over an endpoint.
func confRequest(e *confEnv, at string) (bound string) {
	e.Helper()
	rep, req := e.New(pattern.Rep, nil), e.New(pattern.Req, nil)
	bound = e.BindTo(rep, at)
	e.Connect(req, bound)
	e.Send(req, "ask", "")
	e.Want(rep, "ask", "")
	e.Send(rep, "answer")
	e.Want(req, "answer")
	return bound
}

// TestAbstractIPC is libzmq's test_abstract_ipc.
func TestAbstractIPC(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the abstract namespace is a feature of Linux")
	}
	confOn(t, "ipc", func(e *confEnv) {
		at := fmt.Sprintf("ipc://@rw-test-%d", os.Getpid())
		if bound := confRequest(e, at); bound != at {
			e.Errorf("Bind(%s) = %s, want the same", at, bound)
		}
		var wrong *transport.EndpointError
		if _, err := e.New(pattern.Pull, nil).Bind("ipc://@"); !errors.As(err, &wrong) {
			e.Errorf("Bind(ipc://@) = %v, want an *EndpointError", err)
		}
	})
}

// TestIPCWildcard is libzmq's test_ipc_wildcard; the file goes with the socket.
func TestIPCWildcard(t *testing.T) {
	confOn(t, "ipc", func(e *confEnv) {
		bound := confRequest(e, "ipc://*")
		path := strings.TrimPrefix(bound, "ipc://")
		if path == "*" || path == bound {
			e.Fatalf("Bind(ipc://*) = %s, want a real path", bound)
		}
		if _, err := os.Stat(path); err != nil {
			e.Errorf("the socket's file: %v, want it there", err)
		}
		s := e.New(pattern.Pull, nil)
		path = strings.TrimPrefix(e.BindTo(s, "ipc://*"), "ipc://")
		e.Close(s)
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			e.Errorf("the file after Close: %v, want it gone", err)
		}
	})
}

// TestRebindIPC is libzmq's test_rebind_ipc: a path can be bound again, by
// another socket, after Unbind and after Close.
func TestRebindIPC(t *testing.T) {
	confOn(t, "ipc", func(e *confEnv) {
		at := "ipc://" + filepath.Join(confDir(t), "s")
		push := e.New(pattern.Push, nil)
		e.Connect(push, at)
		for i := range 3 {
			pull := e.New(pattern.Pull, nil)
			e.BindTo(pull, at)
			e.WaitPeers(pull, 1)
			e.Send(push, fmt.Sprint(i))
			e.Want(pull, fmt.Sprint(i))
			if i%2 == 0 {
				if err := pull.Unbind(at); err != nil {
					e.Fatal(err)
				}
			} else {
				e.Close(pull)
			}
			e.Until("the connection is lost", func() bool { return push.Stats().Peers == 0 })
		}
	})
}

// TestLongPathIPC is the over-long path of libzmq's test_pair_ipc.
func TestLongPathIPC(t *testing.T) {
	confOn(t, "ipc", func(e *confEnv) {
		at := "ipc:///tmp/" + strings.Repeat("x", 200)
		s := e.New(pattern.Pair, nil)
		var wrong *transport.EndpointError
		if _, err := s.Bind(at); !errors.As(err, &wrong) || !strings.Contains(err.Error(), "bytes") {
			e.Errorf("Bind to a path of 205 bytes = %v, want an *EndpointError that says how long it may be", err)
		}
		if err := s.Connect(at); !errors.As(err, &wrong) {
			e.Errorf("Connect to a path of 205 bytes = %v, want an *EndpointError", err)
		}
	})
}
