//go:build unix

package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// slow is a consumer or subscriber that is full after a few large messages.
func slow(name string) *socket.Options {
	return &socket.Options{RecvHWM: 1, RecvBuffer: 1, Metadata: map[string]string{"X-Name": name}}
}

// TestTerminate: SIGTERM delivers what is queued, then ends with code 0.
func TestTerminate(t *testing.T) {
	for _, s := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		t.Run(s.String(), func(t *testing.T) {
			const messages = 60
			// Most of it waits at the frontend, or in the device: the queue of the backend is short.
			p := start(t, "--kind", "streamer", "--send-buffer", "16KiB", "--send-hwm", "5")
			push := newSocket(t, pattern.Push, nil, p.frontend)
			pull := newSocket(t, pattern.Pull, slow("consumer"), p.backend)
			if err := push.WaitPeers(patience(t), 1); err != nil {
				t.Fatal(err)
			}
			for i := range messages {
				send(t, push, fmt.Sprint(i), strings.Repeat("x", 20000))
			}
			if err := push.Confirm(patience(t)); err != nil {
				t.Fatal(err)
			}
			eventually(t, "something waits for the backend and something in it", func() bool {
				v := p.stats()
				return v.Backend.Send.Queued > 0 && v.Frontend.Recv.Queued+v.Forward.InHandMessages > 0
			})
			p.signal(s)
			eventually(t, "it says that it drains", func() bool { return p.stats().State == "draining" })
			if answer, body := p.ask("GET", "/readyz"); answer.StatusCode != 503 || body != "draining\n" {
				t.Errorf("readyz while draining: %s %q", answer.Status, body)
			}
			for i := range messages {
				m, err := pull.Recv(patience(t))
				if err != nil {
					t.Fatal(err)
				}
				if got := string(m.Frame(0)); got != fmt.Sprint(i) {
					t.Fatalf("got message %s, want %d", got, i)
				}
			}
			if code := p.wait(); code != exitOK {
				t.Errorf("exit code %d, want 0", code)
			}
			p.logs("msg=drained")
		})
	}
}

// stuck returns a forwarder with something queued that nobody takes.
func stuck(t *testing.T, args ...string) *process {
	t.Helper()
	p := start(t, append(args, "--kind", "streamer", "--send-buffer", "16KiB", "--send-hwm", "50")...)
	push := newSocket(t, pattern.Push, nil, p.frontend)
	newSocket(t, pattern.Pull, slow("stuck"), p.backend)
	eventually(t, "the consumer is there", func() bool { return p.stats().Backend.Peers == 1 })
	for range 60 {
		send(t, push, strings.Repeat("x", 20000))
	}
	eventually(t, "something is queued for the consumer", func() bool { return p.stats().Backend.Send.Queued > 0 })
	return p
}

// TestDrainTimeout: what nobody takes is given up in time, and counted.
func TestDrainTimeout(t *testing.T) {
	p := stuck(t, "--drain-timeout", "300ms")
	began := time.Now()
	p.signal(syscall.SIGTERM)
	if code := p.wait(); code != exitFailure {
		t.Errorf("exit code %d, want 1", code)
	}
	if took := time.Since(began); took < 300*time.Millisecond || took > 3*time.Second {
		t.Errorf("it ended after %v, want 300ms", took)
	}
	last := lastLine(p.stderr.String())
	if !strings.HasPrefix(last, "forwarder: not drained within 300ms, lost: ") {
		t.Errorf("it says %q", last)
	}
}

// TestSecondSignal: it ends at once.
func TestSecondSignal(t *testing.T) {
	p := stuck(t, "--drain-timeout", "1h", "--linger", "-1")
	p.signal(syscall.SIGTERM)
	eventually(t, "it drains", func() bool { return p.stats().State == "draining" })
	p.signal(syscall.SIGHUP) // has no meaning any more
	began := time.Now()
	p.signal(syscall.SIGTERM)
	if code := p.wait(); code != exitFailure {
		t.Errorf("exit code %d, want 1", code)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it ended after %v", took)
	}
	if last := lastLine(p.stderr.String()); !strings.HasPrefix(last, "forwarder: a second signal: ended at once") {
		t.Errorf("it says %q", last)
	}
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// TestSystemd: what systemd is told, in order.
func TestSystemd(t *testing.T) {
	dir, err := os.MkdirTemp("", "rw")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	next := func() string {
		t.Helper()
		b := make([]byte, 4096)
		l.SetReadDeadline(time.Now().Add(guardTime))
		n, err := l.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:n])
	}
	config := settingsFile(t, "frontend: tcp://127.0.0.1:0", "backend: tcp://127.0.0.1:0", `admin: ""`)
	p := startWith(t, []string{"NOTIFY_SOCKET=" + path, "WATCHDOG_USEC=200000"}, "--config", config)
	if got := next(); got != "READY=1" {
		t.Errorf("got %q, want READY=1", got)
	}
	for range 3 {
		if got := next(); got != "WATCHDOG=1" {
			t.Errorf("got %q, want WATCHDOG=1", got)
		}
	}
	// skip passes over the watchdog, which may come in between.
	skip := func() (got string) {
		for got = next(); got == "WATCHDOG=1"; got = next() {
		}
		return got
	}
	for _, line := range []string{"log-level: debug", "unknown: key"} {
		rewrite(t, config, "frontend: tcp://127.0.0.1:0", "backend: tcp://127.0.0.1:0", `admin: ""`, line)
		p.signal(syscall.SIGHUP)
		if got := skip(); !strings.HasPrefix(got, "RELOADING=1\nMONOTONIC_USEC=") {
			t.Errorf("got %q, want RELOADING=1 and the time", got)
		}
		if got := skip(); got != "READY=1" {
			t.Errorf("got %q, want READY=1", got)
		}
	}
	p.signal(syscall.SIGTERM)
	if got := skip(); got != "STOPPING=1" {
		t.Errorf("got %q, want STOPPING=1", got)
	}
	if code := p.wait(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
}
