package main

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ringwire/ringwire/internal/peertest"
)

// startPeer runs a role of the perf tools in a program of somebody else.
func startPeer(ctx context.Context, t *testing.T, args ...string) *process {
	t.Helper()
	path := peertest.Python(t, "zmq")
	p := &process{stdout: newOutput(), stderr: newOutput(), code: make(chan int, 1)}
	cmd := exec.CommandContext(ctx, path, append([]string{filepath.Join("testdata", "perf_peer.py")}, args...)...)
	cmd.Stdout, cmd.Stderr = p.stdout, p.stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		cmd.Wait() // what it returns is in the exit code
		p.code <- cmd.ProcessState.ExitCode()
	}()
	return p
}

// Either tool of a pair may be another program that speaks ZMTP.
func TestToolsWithPeer(t *testing.T) {
	for _, lib := range libraries() {
		if ownWire(lib) {
			continue
		}
		for _, tool := range []string{"local_thr", "remote_thr", "local_lat", "remote_lat"} {
			for _, scheme := range []string{"tcp", "ipc"} {
				t.Run(lib+"/"+tool+"/"+scheme, func(t *testing.T) { testWithPeer(t, lib, tool, scheme) })
			}
		}
	}
}

func testWithPeer(t *testing.T, lib, tool, scheme string) {
	ctx, cancel := context.WithTimeout(t.Context(), hang)
	defer cancel()
	endpoint := "tcp://127.0.0.1:*"
	if scheme == "ipc" {
		endpoint = "ipc://" + filepath.Join(shortDir(t), "s")
	}
	run := func(tool, endpoint string) *process {
		return start(ctx, tool, endpoint, "64", "100", "--lib", lib)
	}
	peer := func(tool, endpoint string) *process {
		return startPeer(ctx, t, tool, endpoint, "64", "100")
	}
	first, second, other := run, peer, "remote_"
	if strings.HasPrefix(tool, "remote") {
		first, second, other = peer, run, "local_"
	}
	kind := tool[strings.Index(tool, "_")+1:]
	other += kind
	local, remote := tool, other
	if strings.HasPrefix(tool, "remote") {
		local, remote = other, tool
	}
	l := first(local, endpoint)
	if scheme == "tcp" {
		endpoint = l.stderr.bound(ctx, t)
	}
	r := second(remote, endpoint)
	for _, p := range []*process{r, l} {
		if code := <-p.code; code != exitOK {
			t.Errorf("got exit code %d and stderr %q, want %d", code, p.stderr, exitOK)
		}
	}
	switch tool {
	case "local_thr":
		wantOutput(t, l.stdout, throughputLines(64, 100))
	case "remote_lat":
		wantOutput(t, r.stdout, latencyLines(64, 100))
	}
}

// With --curve each library finds in the other the key that it expects.
func TestToolsWithCurve(t *testing.T) {
	if _, err := newLibzmq(); err != nil {
		t.Skip(err)
	}
	for _, local := range []string{"local_thr", "local_lat"} {
		for _, libs := range [][2]string{{"ringwire", "libzmq"}, {"libzmq", "ringwire"}} {
			t.Run(local+"/"+strings.Join(libs[:], ","), func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), hang)
				defer cancel()
				l := start(ctx, local, "tcp://127.0.0.1:*", "64", "100", "--curve", "--lib", libs[0])
				endpoint := l.stderr.bound(ctx, t)
				r := start(ctx, strings.Replace(local, "local", "remote", 1), endpoint, "64", "100", "--curve", "--lib", libs[1])
				for _, p := range []*process{r, l} {
					if code := <-p.code; code != exitOK {
						t.Errorf("got exit code %d and stderr %q, want %d", code, p.stderr, exitOK)
					}
				}
			})
		}
	}
}
