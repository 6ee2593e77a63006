package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// process is a running forwarder.
type process struct {
	t        testing.TB
	cmd      *exec.Cmd
	greeting string
	frontend string // the first endpoints that it says
	backend  string
	admin    string // the URL
	stderr   *buffer
	exited   chan struct{} // closed when it has ended
}

// buffer is what a process has written so far.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

var (
	endpointWord = regexp.MustCompile(`(?:tcp|ipc)://[^ ,]+`)
	adminWord    = regexp.MustCompile(`http://[^ ,\n]+`)
)

// start runs the program on ports of its own and waits until it says where.
func start(t testing.TB, args ...string) *process { return startWith(t, nil, args...) }

// startWith does it with more environment.
func startWith(t testing.TB, env []string, args ...string) *process {
	t.Helper()
	all := []string{}
	for _, def := range [][2]string{{"--frontend", "tcp://127.0.0.1:0"}, {"--backend", "tcp://127.0.0.1:0"}, {"--admin", "127.0.0.1:0"}} {
		if joined := strings.Join(args, " "); !strings.Contains(joined, def[0]+" ") && !strings.Contains(joined, def[0]+"=") && !strings.Contains(joined, "--config") {
			all = append(all, def[0], def[1])
		}
	}
	return startBare(t, env, append(all, args...)...)
}

// startBare adds no argument.
func startBare(t testing.TB, env []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(built, args...), stderr: new(buffer), exited: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stderr = p.stderr
	// A pipe of our own: Wait must not close it before the line is read.
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stdout = w
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	go func() {
		p.cmd.Wait()
		close(p.exited)
	}()
	t.Cleanup(func() {
		p.cmd.Process.Kill()
		<-p.exited
		r.Close()
		if t.Failed() {
			t.Logf("the log of %q:\n%s", args, p.stderr)
		}
	})
	r.SetReadDeadline(time.Now().Add(guardTime))
	p.greeting, err = bufio.NewReader(r).ReadString('\n')
	if err != nil {
		<-p.exited
		t.Fatalf("forwarder %q did not start: %v\n%s", args, err, p.stderr)
	}
	words := endpointWord.FindAllString(p.greeting, -1)
	if len(words) >= 2 {
		p.frontend, p.backend = words[0], words[1]
	}
	p.admin = adminWord.FindString(p.greeting)
	return p
}

// signal sends one.
func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// wait waits for the end and returns the exit code.
func (p *process) wait() int {
	p.t.Helper()
	select {
	case <-p.exited:
	case <-time.After(guardTime):
		p.t.Fatal("the program did not end")
	}
	return p.cmd.ProcessState.ExitCode()
}

// logs waits until the log has a text.
func (p *process) logs(text string) {
	p.t.Helper()
	eventually(p.t, "the log has "+text, func() bool { return strings.Contains(p.stderr.String(), text) })
}

// eventually polls until a condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	within(t, guardTime, what, holds)
}

func within(t testing.TB, limit time.Duration, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	step := time.NewTicker(5 * time.Millisecond)
	defer step.Stop()
	for !holds() {
		select {
		case <-step.C:
		case <-ctx.Done():
			t.Fatalf("after %v it does not hold that %s", limit, what)
		}
	}
}

// client does not keep connections, which would outlive the test.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: guardTime}

// ask makes a request of the admin.
func (p *process) ask(method, path string, header ...string) (*http.Response, string) {
	p.t.Helper()
	r, err := http.NewRequest(method, p.admin+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := client.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return answer, string(body)
}

func (p *process) stats() (v statsView) {
	p.t.Helper()
	p.decode("/stats.json", &v)
	return v
}

func (p *process) peers() []peerView {
	p.t.Helper()
	var v struct{ Peers []peerView }
	p.decode("/peers.json", &v)
	return v.Peers
}

// peer returns the peer of a name.
func (p *process) peer(name string) (peerView, bool) {
	p.t.Helper()
	for _, v := range p.peers() {
		if v.Name == name {
			return v, true
		}
	}
	return peerView{}, false
}

func (p *process) decode(path string, v any) {
	p.t.Helper()
	answer, body := p.ask("GET", path)
	if answer.StatusCode != http.StatusOK {
		p.t.Fatalf("%s answers %s: %s", path, answer.Status, body)
	}
	if err := json.Unmarshal([]byte(body), v); err != nil {
		p.t.Fatalf("%s: %v in %s", path, err, body)
	}
}

// newSocket makes a socket of ours that is connected.
func newSocket(t testing.TB, spec *pattern.Spec, opts *socket.Options, endpoint string) *socket.Socket {
	t.Helper()
	s, err := socket.New(spec, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if spec == pattern.Sub {
		if err := s.Subscribe(""); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Connect(endpoint); err != nil {
		t.Fatal(err)
	}
	return s
}

// mustBind makes a publisher that is bound.
func mustBind(t testing.TB, endpoint string) *socket.Socket {
	t.Helper()
	s, err := socket.New(pattern.Pub, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if _, err := s.Bind(endpoint); err != nil {
		t.Fatal(err)
	}
	return s
}

// patience is the context of one step.
func patience(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), guardTime)
	t.Cleanup(cancel)
	return ctx
}

// name is an option that has peers call a socket so.
func named(name string) *socket.Options {
	return &socket.Options{Metadata: map[string]string{"X-Name": name}}
}

func send(t testing.TB, s *socket.Socket, frames ...string) {
	t.Helper()
	list := make([][]byte, len(frames))
	for i, f := range frames {
		list[i] = []byte(f)
	}
	if err := s.Send(patience(t), list...); err != nil {
		t.Fatal(err)
	}
}

func recv(t testing.TB, s *socket.Socket) string {
	t.Helper()
	m, err := s.Recv(patience(t))
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s", framesOf(m))
}

// settings writes a file.
func settingsFile(t testing.TB, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "forwarder.yaml")
	rewrite(t, path, lines...)
	return path
}

func rewrite(t testing.TB, path string, lines ...string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}
