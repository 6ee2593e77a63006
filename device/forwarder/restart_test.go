package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ringwire/ringwire/internal/peertest"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// pyRestart are a publisher of two topics and a subscriber of one, which had
// another.
const pyRestart = `
import sys, time, zmq
if sys.argv[1] == "publish":
    s = zmq.Context().socket(zmq.PUB)
    s.connect(sys.argv[2])
    n = 0
    while True:
        n += 1
        for topic in b"a", b"b":
            s.send_multipart([topic, b"pyzmq %d %d" % (n, time.time_ns())])
        time.sleep(0.005)
s = zmq.Context().socket(zmq.SUB)
s.connect(sys.argv[2])
s.setsockopt(zmq.SUBSCRIBE, b"a")
s.setsockopt(zmq.SUBSCRIBE, b"b")
s.setsockopt(zmq.UNSUBSCRIBE, b"a")
while True:
    topic, body = s.recv_multipart()
    print(topic.decode(), body.decode(), flush=True)
`

// witness is a subscriber of one topic, which hears several publishers.
type witness struct {
	t     *testing.T
	name  string
	topic string
	next  func() string  // topic, publisher, number and time of the next message
	last  map[string]int // the number, by publisher
}

// hears waits until there was a message of each publisher that was made after a
// moment. Whatever comes before that is checked, too.
func (w *witness) hears(publishers []string, after time.Time) {
	w.t.Helper()
	silent := make(map[string]bool)
	for _, p := range publishers {
		silent[p] = true
	}
	for end := time.Now().Add(guardTime); len(silent) > 0; {
		var topic, who string
		var number int
		var stamp int64
		line := w.next()
		if _, err := fmt.Sscan(line, &topic, &who, &number, &stamp); err != nil {
			w.t.Fatalf("%s got %q: %v", w.name, line, err)
		}
		if topic != w.topic {
			w.t.Fatalf("%s got %q, want topic %s only", w.name, line, w.topic)
		}
		if number <= w.last[who] {
			w.t.Fatalf("%s got message %d of %s after %d", w.name, number, who, w.last[who])
		}
		w.last[who] = number
		if time.Unix(0, stamp).Sub(after) > 0 {
			delete(silent, who)
		}
		if time.Now().After(end) {
			w.t.Fatalf("%s hears nothing of %v", w.name, silent)
		}
	}
}

// TestRestarted: the forwarder is killed, and started again at the same addresses.
// Publishers and subscribers come back by themselves, with the subscriptions that
// they have and without those that they had.
func TestRestarted(t *testing.T) {
	for _, peers := range []string{"ringwire", "pyzmq", "ringwire and pyzmq"} {
		t.Run(peers, func(t *testing.T) {
			ours, theirs := strings.Contains(peers, "ringwire"), strings.Contains(peers, "pyzmq")
			if theirs {
				peertest.Python(t, "zmq")
			}
			p := start(t)
			var publishers []string
			var witnesses []*witness
			if ours {
				publishers = append(publishers, "ringwire")
				witnesses = append(witnesses, startOurs(t, p))
			}
			if theirs {
				publishers = append(publishers, "pyzmq")
				startPython(t, pyRestart, "publish", p.frontend)
				sub := startPython(t, pyRestart, "subscribe", p.backend)
				witnesses = append(witnesses, &witness{t: t, name: "the pyzmq subscriber", topic: "b", next: sub.line, last: make(map[string]int)})
			}
			for round := range 3 {
				since := time.Now()
				if round > 0 {
					if err := p.cmd.Process.Kill(); err != nil {
						t.Fatal(err)
					}
					p.wait()
					since = time.Now()
					p = start(t, "--frontend", p.frontend, "--backend", p.backend)
				}
				for _, w := range witnesses {
					w.hears(publishers, since)
				}
				eventually(t, "everybody is there, with one subscription each", func() bool {
					front, back := 0, 0
					for _, v := range p.peers() {
						switch {
						case v.Side == "frontend" && v.Ready:
							front++
						case v.Ready && v.Subscriptions == 1:
							back++
						}
					}
					return front == len(publishers) && back == len(witnesses)
				})
			}
		})
	}
}

// startOurs has a publisher of ours publish until the test ends, and returns a
// subscriber.
func startOurs(t *testing.T, p *process) *witness {
	quick := &socket.Options{ReconnectMin: 10 * time.Millisecond, ReconnectMax: 100 * time.Millisecond}
	sub := newSocket(t, pattern.Sub, quick, p.backend) // to everything
	for _, change := range []error{sub.Subscribe("a"), sub.Subscribe("b"), sub.Unsubscribe(""), sub.Unsubscribe("b")} {
		if change != nil {
			t.Fatal(change)
		}
	}
	pub := newSocket(t, pattern.Pub, quick, p.frontend)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for n := 1; ; n++ {
			for _, topic := range []string{"a", "b"} {
				if pub.Send(t.Context(), []byte(topic), fmt.Appendf(nil, "ringwire %d %d", n, time.Now().UnixNano())) != nil {
					return
				}
			}
			select {
			case <-tick.C:
			case <-t.Context().Done():
				return
			}
		}
	}()
	t.Cleanup(func() { <-ended })
	next := func() string { return strings.Trim(recv(t, sub), "[]") }
	return &witness{t: t, name: "our subscriber", topic: "a", next: next, last: make(map[string]int)}
}
