package interop_test

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/ringwire/ringwire/internal/peertest"
)

// python is a process with libzmq sockets in it, and the test that uses it.
type python struct {
	*process
	t testing.TB
}

type process struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	answers chan answer
	stderr  bytes.Buffer // read after the process has ended
	once    sync.Once
}

type answer struct {
	Error    string     `json:"error"`
	Libzmq   string     `json:"libzmq"`
	Pyzmq    string     `json:"pyzmq"`
	Endpoint string     `json:"endpoint"`
	Messages [][]string `json:"messages"`
	Events   []string   `json:"events"`
	Values   []int      `json:"values"` // of the events
	Text     []string   `json:"text"`
}

type command map[string]any

// startPython starts a peer process, which ends with the test.
func startPython(t testing.TB) *python {
	t.Helper()
	path := peertest.Python(t, "zmq")
	p := &python{&process{cmd: exec.Command(path, "testdata/peer.py"), answers: make(chan answer, 16)}, t}
	p.cmd.Stderr = &p.stderr
	in, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.in = in
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.answers)
		lines := bufio.NewReader(out)
		for {
			line, err := lines.ReadBytes('\n')
			if err != nil {
				return
			}
			var a answer
			if err := json.Unmarshal(line, &a); err != nil {
				a.Error = fmt.Sprintf("answer %q: %v", line, err)
			}
			p.answers <- a
		}
	}()
	t.Cleanup(p.stop)
	return p
}

// stop lets the process end, or kills it.
func (p *python) stop() {
	p.once.Do(func() {
		p.in.Close()
		timer := time.AfterFunc(20*time.Second, func() { p.cmd.Process.Kill() })
		p.reap()
		timer.Stop()
		if p.stderr.Len() > 0 {
			p.t.Logf("peer.py: %s", p.stderr.Bytes())
		}
	})
}

// kill ends the process without letting it say good-bye.
func (p *process) kill() {
	p.once.Do(func() {
		p.cmd.Process.Kill()
		p.reap()
		p.in.Close()
	})
}

func (p *process) reap() {
	for range p.answers {
		// What was not asked for any more.
	}
	p.cmd.Wait()
}

// start sends a command and returns a function that waits for the answer.
// Answers are to be taken in the order of the commands.
func (p *process) start(c command) func() (answer, error) {
	line, err := json.Marshal(c)
	if err == nil {
		_, err = p.in.Write(append(line, '\n'))
	}
	return func() (answer, error) {
		if err != nil {
			return answer{}, fmt.Errorf("peer.py %v: %w", c["op"], err)
		}
		select {
		case a, ok := <-p.answers:
			switch {
			case !ok:
				return a, fmt.Errorf("peer.py %v: the process has ended", c["op"])
			case a.Error != "":
				return a, fmt.Errorf("peer.py %v: %s", c["op"], a.Error)
			}
			return a, nil
		case <-time.After(limit() + time.Minute):
			return answer{}, fmt.Errorf("peer.py %v: no answer", c["op"])
		}
	}
}

func (p *python) call(c command) answer {
	p.t.Helper()
	a, err := p.start(c)()
	if err != nil {
		p.t.Fatal(err)
	}
	return a
}

// pySocket is a libzmq socket in the process.
type pySocket struct {
	*python
	id string
}

// settings are libzmq options by their name without ZMQ_: an int, a string,
// or a list of strings for an option that can be set several times.
type settings map[string]any

func (p *python) open(id, kind string, set settings) *pySocket {
	p.t.Helper()
	ints, texts := map[string]int{}, map[string]string{}
	c := command{"op": "open", "id": id, "type": kind, "ints": ints, "bytes": texts}
	for name, v := range set {
		switch v := v.(type) {
		case int:
			ints[name] = v
		case string:
			texts[name] = hex.EncodeToString([]byte(v))
		case bool:
			c[name] = v // "monitor"
		default:
			p.t.Fatalf("option %s: %T", name, v)
		}
	}
	p.call(c)
	return &pySocket{p, id}
}

func (s *pySocket) bind(endpoint string) string {
	s.t.Helper()
	return s.call(command{"op": "bind", "id": s.id, "endpoint": endpoint}).Endpoint
}

func (s *pySocket) connect(endpoint string) {
	s.t.Helper()
	s.call(command{"op": "connect", "id": s.id, "endpoint": endpoint})
}

// close closes the socket and drops what is queued.
func (s *pySocket) close() {
	s.t.Helper()
	s.call(command{"op": "close", "id": s.id})
}

// linger closes the socket and waits until everything has been delivered.
func (s *pySocket) linger() {
	s.t.Helper()
	s.call(command{"op": "close", "id": s.id, "linger": -1})
}

func (s *pySocket) subscribe(topics ...string) {
	s.t.Helper()
	s.call(command{"op": "topics", "id": s.id, "subscribe": hexes(topics)})
}

func (s *pySocket) unsubscribe(topics ...string) {
	s.t.Helper()
	s.call(command{"op": "topics", "id": s.id, "unsubscribe": hexes(topics)})
}

// send sends one message.
func (s *pySocket) send(frames ...string) {
	s.t.Helper()
	s.call(command{"op": "send", "id": s.id, "messages": [][]string{hexes(frames)}})
}

// sendEach sends each as a message of one frame.
func (s *pySocket) sendEach(bodies ...string) {
	s.t.Helper()
	list := make([][]string, len(bodies))
	for i, b := range bodies {
		list[i] = hexes([]string{b})
	}
	s.call(command{"op": "send", "id": s.id, "messages": list})
}

// recv receives one message.
func (s *pySocket) recv() []string {
	s.t.Helper()
	return s.recvEach(1)[0]
}

func (s *pySocket) recvEach(count int) [][]string {
	s.t.Helper()
	return s.receiving(count)()
}

// receiving has the process receive from now on and returns a function that
// waits for the messages. libzmq handles what it is told about a new
// connection, and sends its subscriptions there, only during such a call.
func (s *pySocket) receiving(count int) func() [][]string {
	wait := s.start(command{"op": "recv", "id": s.id, "count": count})
	return func() [][]string {
		s.t.Helper()
		a, err := wait()
		if err != nil {
			s.t.Fatal(err)
		}
		return s.decode(a.Messages)
	}
}

func (s *pySocket) decode(list [][]string) [][]string {
	s.t.Helper()
	for _, frames := range list {
		for k, f := range frames {
			b, err := hex.DecodeString(f)
			if err != nil {
				s.t.Fatal(err)
			}
			frames[k] = string(b)
		}
	}
	return list
}

// events are what the socket's monitor tells for so long, or until an event whose
// name begins so.
func (s *pySocket) events(d time.Duration, until string) []string {
	s.t.Helper()
	return s.call(command{"op": "events", "id": s.id, "for": d.Milliseconds(), "until": until}).Events
}

func hexes(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = hex.EncodeToString([]byte(s))
	}
	return out
}
