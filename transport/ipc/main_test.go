package ipc_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/ringwire/ringwire/transport"
	"github.com/ringwire/ringwire/transport/ipc"
)

// childPath, when set, makes the test binary a process that binds this path,
// says how that went, and stays until its standard input ends.
const childPath = "RINGWIRE_IPC_TEST_CHILD"

func TestMain(m *testing.M) {
	if path := os.Getenv(childPath); path != "" {
		os.Exit(child(path))
	}
	goleak.VerifyTestMain(m)
}

func child(path string) int {
	io.ReadFull(os.Stdin, make([]byte, 1)) // the starting shot
	l, err := ipc.Transport{}.Listen(context.Background(), path, nil)
	if err != nil {
		fmt.Println("lost:", err)
	} else {
		fmt.Println("won")
	}
	io.Copy(io.Discard, os.Stdin)
	if err == nil {
		l.Close()
	}
	return 0
}

// process is a running child.
type process struct {
	command *exec.Cmd
	stdin   io.WriteCloser
	stdout  *bufio.Reader
}

func startChild(t *testing.T, path string) *process {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), childPath+"="+path)
	command.Stderr = os.Stderr
	stdin, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { command.Process.Kill(); command.Wait() })
	return &process{command, stdin, bufio.NewReader(stdout)}
}

// fire lets the child bind; verdict is what it says then.
func (p *process) fire(t *testing.T) {
	t.Helper()
	if _, err := p.stdin.Write([]byte{0}); err != nil {
		t.Fatalf("start child: %v", err)
	}
}

func (p *process) verdict(t *testing.T) string {
	t.Helper()
	line, err := p.stdout.ReadString('\n')
	if err != nil {
		t.Fatalf("child said %q, then %v", line, err)
	}
	return line
}

// freshPath is short, unlike those of t.TempDir: a socket path has 107 bytes.
func freshPath(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ipc")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

func listen(t *testing.T, address string, opts *transport.Options) transport.Listener {
	t.Helper()
	l, err := ipc.Transport{}.Listen(t.Context(), address, opts)
	if err != nil {
		t.Fatalf("Listen(%q): %v", address, err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}
