package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/ringwire/ringwire/internal/peertest"
)

// python is a program that ends with the test.
type python struct {
	t     testing.TB
	in    io.WriteCloser
	lines chan string // of its output; closed at its end
}

// startPython runs a program, which can import zmq.
func startPython(t testing.TB, program string, args ...string) *python {
	t.Helper()
	path := peertest.Python(t, "zmq")
	file := filepath.Join(t.TempDir(), "program.py")
	if err := os.WriteFile(file, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	return runPython(t, exec.Command(path, append([]string{"-u", file}, args...)...))
}

func runPython(t testing.TB, cmd *exec.Cmd) *python {
	t.Helper()
	complaints := new(buffer)
	cmd.Stderr = complaints
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &python{t, in, make(chan string, 100_000)}
	go func() {
		defer close(p.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			p.lines <- s.Text()
		}
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		in.Close()
		for range p.lines {
		}
		cmd.Wait()
		if s := complaints.String(); s != "" && t.Failed() {
			t.Logf("python: %s", s)
		}
	})
	return p
}

// line is the next one of its output.
func (p *python) line() string {
	p.t.Helper()
	select {
	case s, ok := <-p.lines:
		if !ok {
			p.t.Fatal("the python program has ended")
		}
		return s
	case <-time.After(guardTime):
		p.t.Fatal("the python program says nothing")
	}
	return ""
}

// tell writes a line to it.
func (p *python) tell(format string, args ...any) {
	p.t.Helper()
	if _, err := fmt.Fprintf(p.in, format+"\n", args...); err != nil {
		p.t.Fatal(err)
	}
}

const pySubscriber = `
import sys, zmq
s = zmq.Context().socket(zmq.SUB)
s.setsockopt(zmq.RCVHWM, int(sys.argv[2]))
s.setsockopt(zmq.RCVBUF, 4096)
s.setsockopt(zmq.SUBSCRIBE, sys.argv[3].encode())
s.connect(sys.argv[1])
for line in sys.stdin:
    if line == "stop\n":
        break
while True:
    topic, body = s.recv_multipart()
    n = int(body[:12])
    print(topic.decode(), n, flush=True)
`

const pyPublisher = `
import sys, zmq
s = zmq.Context().socket(zmq.XPUB)
s.setsockopt(zmq.SNDHWM, 0)
s.connect(sys.argv[1])
for _ in range(int(sys.argv[2])):
    print(s.recv().hex(), flush=True)
i = 0
for line in sys.stdin:
    topic, count, size = line.split()
    for _ in range(int(count)):
        s.send_multipart([topic.encode(), b"%012d" % i + b"x" * (int(size) - 12)])
        i += 1
    print("sent", flush=True)
`

// TestPyzmq: a pyzmq publisher and two subscribers with different topics.
func TestPyzmq(t *testing.T) {
	p := start(t)
	all := startPython(t, pySubscriber, p.backend, "0", "")
	some := startPython(t, pySubscriber, p.backend, "0", "b")
	all.tell("stop")
	some.tell("stop")
	pub := startPython(t, pyPublisher, p.frontend, "2")
	// The subscriptions have travelled to the publisher: nothing is lost.
	if got := []string{pub.line(), pub.line()}; !(got[0] == "01" && got[1] == "0162" || got[0] == "0162" && got[1] == "01") {
		t.Fatalf("the publisher sees the subscriptions %q", got)
	}
	eventually(t, "both subscriptions are known", func() bool {
		n := 0
		for _, v := range p.peers() {
			n += v.Subscriptions
		}
		return n == 2
	})
	const count = 400 // less than a queue holds
	pub.tell("a %d 100", count)
	pub.tell("b %d 100", count)
	for i := range 2 * count {
		topic := "ab"[i/count : i/count+1]
		if got, want := all.line(), fmt.Sprintf("%s %d", topic, i); got != want {
			t.Fatalf("the first subscriber got %q, want %q", got, want)
		}
		if i >= count {
			if got, want := some.line(), fmt.Sprintf("%s %d", topic, i); got != want {
				t.Fatalf("the second subscriber got %q, want %q", got, want)
			}
		}
	}
	eventually(t, "the counters have it", func() bool {
		s := p.stats()
		return s.Backend.Send.Written == 3*count && s.Forward.ReceivedMessages == 2*count && s.Backend.Send.Dropped["total"] == 0
	})
}

// TestPyzmqStalled: a pyzmq subscriber that does not read shows, and misses as many
// messages as were dropped for it.
func TestPyzmqStalled(t *testing.T) {
	p := start(t, "--send-hwm", "100", "--send-buffer", "16KiB")
	late := startPython(t, pySubscriber, p.backend, "10", "")
	pub := startPython(t, pyPublisher, p.frontend, "1")
	pub.line()
	eventually(t, "it has subscribed", func() bool { l := p.peers(); return len(l) == 2 })
	const count = 3000
	pub.tell("t %d 4000", count)
	var v peerView
	eventually(t, "it is stalled, with all accounted for", func() bool {
		for _, x := range p.peers() {
			if x.Side == "backend" {
				v = x
			}
		}
		return v.State == stalled && v.Send.Accepted == count
	})
	if v.Send.Dropped["total"] == 0 || v.Send.Queued == 0 {
		t.Errorf("nothing was dropped or queued: %+v", v.Send)
	}
	late.tell("stop") // it reads from now on
	for range count - int(v.Send.Dropped["total"]) {
		late.line()
	}
	pub.tell("end 1 100")
	if got, want := late.line(), fmt.Sprintf("end %d", count); got != want {
		t.Errorf("after what was not dropped comes %q, want %q", got, want)
	}
}
