package device_test

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/ringwire/ringwire/device"
	"github.com/ringwire/ringwire/internal/peertest"
	"github.com/ringwire/ringwire/pattern"
)

// runPython runs a program with pyzmq to its end, and returns what it prints.
func runPython(t *testing.T, program string, args ...string) string {
	t.Helper()
	path := peertest.Python(t, "zmq")
	ctx, cancel := context.WithTimeout(t.Context(), 2*limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, append([]string{"-c", program}, args...)...)
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("python: %v\n%s", err, out)
	}
	return strings.TrimSpace(string(out))
}

// Each program has libzmq on both sides of a device, and numbers what it sends. A
// socket that waits for a minute is a failure.
const pyBothSides = `
import sys, zmq
front, back, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
context = zmq.Context()
def connect(kind, endpoint, *topics):
    s = context.socket(kind)
    s.setsockopt(zmq.RCVTIMEO, 60000)
    s.setsockopt(zmq.SNDTIMEO, 60000)
    s.setsockopt(zmq.SNDHWM, 0)
    s.setsockopt(zmq.RCVHWM, 0)
    for t in topics:
        s.setsockopt(zmq.SUBSCRIBE, t)
    s.connect(endpoint)
    return s
`

const pyQueue = pyBothSides + `
clients = [connect(zmq.REQ, front) for _ in range(3)] + [connect(zmq.DEALER, front)]
workers = [connect(zmq.REP, back) for _ in range(2)]
poller = zmq.Poller()
for w in workers:
    poller.register(w, zmq.POLLIN)
for i in range(count):
    for k, c in enumerate(clients):
        envelope = [b""] if c.type == zmq.DEALER else []
        c.send_multipart(envelope + [b"request", b"", b"%d %d" % (k, i)])
    answered = 0
    while answered < len(clients):
        for w, _ in poller.poll(60000):
            w.send_multipart([b"reply"] + w.recv_multipart())
            answered += 1
    for k, c in enumerate(clients):
        envelope = [b""] if c.type == zmq.DEALER else []
        got = c.recv_multipart()
        assert got == envelope + [b"reply", b"request", b"", b"%d %d" % (k, i)], got
print("ok")
`

const pyStreamer = pyBothSides + `
pulls = [connect(zmq.PULL, back) for _ in range(2)]
pushes = [connect(zmq.PUSH, front) for _ in range(3)]
for i in range(count):
    for k, p in enumerate(pushes):
        p.send_multipart([b"%d" % k, b"", b"%d" % i])
poller = zmq.Poller()
for p in pulls:
    poller.register(p, zmq.POLLIN)
got, last = set(), {}
while len(got) < len(pushes) * count:
    ready = poller.poll(60000)
    assert ready, "%d messages came" % len(got)
    for p, _ in ready:
        k, empty, i = p.recv_multipart()
        assert empty == b"" and (k, i) not in got, (k, empty, i)
        assert last.get((p, k), -1) < int(i), "out of order"
        got.add((k, i))
        last[p, k] = int(i)
print("ok")
`

const pyForwarder = pyBothSides + `
all, some = connect(zmq.SUB, back, b""), connect(zmq.SUB, back, b"b", b"cc")
pubs = [connect(zmq.XPUB, front) for _ in range(2)]
for p in pubs:
    seen = {p.recv() for _ in range(3)}
    assert seen == {b"\x01", b"\x01b", b"\x01cc"}, seen
for i in range(count):
    for k, p in enumerate(pubs):
        for topic in b"a", b"b", b"c", b"cc":
            p.send_multipart([topic, b"%d" % k, b"%d" % i])
for s, topics in (all, (b"a", b"b", b"c", b"cc")), (some, (b"b", b"cc")):
    next = {k: (0, 0) for k in (b"0", b"1")}
    for _ in range(len(pubs) * len(topics) * count):
        topic, k, i = s.recv_multipart()
        n, t = next[k]
        assert (topic, int(i)) == (topics[t], n), (topic, k, i, next)
        next[k] = (n, t + 1) if t + 1 < len(topics) else (n + 1, 0)
some.setsockopt(zmq.UNSUBSCRIBE, b"cc")
for p in pubs:
    got = p.recv()
    assert got == b"\x00cc", got
print("ok")
`

// TestPyzmqBothSides: each device between peers of libzmq.
func TestPyzmqBothSides(t *testing.T) {
	for _, c := range []struct {
		name    string
		make    constructor
		program string
		forward int64 // messages of each turn
	}{
		{"queue", device.NewQueue, pyQueue, 4}, {"streamer", device.NewStreamer, pyStreamer, 3}, {"forwarder", device.NewForwarder, pyForwarder, 8},
	} {
		for _, scheme := range []string{"tcp", "ipc"} {
			t.Run(c.name+"/"+scheme, func(t *testing.T) {
				d := start(t, c.make, scheme, nil, noDrop, nil)
				if got := runPython(t, c.program, d.front, d.back, "250"); got != "ok" {
					t.Errorf("python prints %q, want ok", got)
				}
				if got := d.Stats().Forward.Sent.Messages; got != 250*c.forward {
					t.Errorf("%d messages were sent forward, want %d", got, 250*c.forward)
				}
			})
		}
	}
}

const pyControl = `
import struct, sys, zmq
control = zmq.Context().socket({"REP": zmq.REQ, "PAIR": zmq.PAIR}[sys.argv[2]])
control.setsockopt(zmq.RCVTIMEO, 60000)
control.connect(sys.argv[1])
for line in sys.argv[3:]:
    control.send(line.encode())
    got = control.recv_multipart()
    if line == "STATISTICS":
        print(*(struct.unpack("=Q", frame)[0] for frame in got))
    else:
        print(got)
`

// TestControlPyzmq: a program that steers zmq_proxy_steerable steers a device.
func TestControlPyzmq(t *testing.T) {
	for _, spec := range []*pattern.Spec{pattern.Rep, pattern.Pair} {
		t.Run(spec.Name(), func(t *testing.T) {
			control := open(t, spec, nil)
			at := bind(t, control, "tcp://127.0.0.1:0")
			d := start(t, device.NewStreamer, "tcp", nil, nil, &device.Options{Control: control})
			push, pull := connected(t, pattern.Push, nil, d.front), connected(t, pattern.Pull, nil, d.back)
			for range 3 {
				send(t, push, "head", "", "a body")
				want(t, recv(t, pull), "head", "", "a body")
			}
			eventually(t, "it has counted them", func() bool { return d.Stats().Forward.Sent.Messages == 3 })

			// 9 frames and 30 bytes in at the front and out at the back.
			got := runPython(t, pyControl, at, spec.Name(), "STATISTICS", "PAUSE")
			if want := "9 30 0 0 0 0 9 30\n[b'']"; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			if !d.Stats().Paused {
				t.Error("it is not paused")
			}
			send(t, push, "while paused")
			got = runPython(t, pyControl, at, spec.Name(), "STATISTICS", "RESUME")
			if want := "9 30 0 0 0 0 9 30\n[b'']"; got != want {
				t.Errorf("paused: got %q, want %q", got, want)
			}
			want(t, recv(t, pull), "while paused")
			if got, want := runPython(t, pyControl, at, spec.Name(), "TERMINATE"), "[b'']"; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			if err := d.end(); err != nil {
				t.Errorf("Run after TERMINATE: got %v, want nil", err)
			}
		})
	}
}
