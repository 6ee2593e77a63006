//go:build unix

package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/ringwire/ringwire/internal/peertest"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/curve"
)

// keyFiles makes the two files of each name in a new directory, and of those that
// begin with clients/ the public ones in that.
func keyFiles(t *testing.T, names ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "clients"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		addKey(t, filepath.Join(dir, name))
	}
	return dir
}

func addKey(t *testing.T, path string) {
	t.Helper()
	if err := writeKey(new(strings.Builder), path); err != nil {
		t.Fatal(err)
	}
}

func certificate(t *testing.T, dir, file string) *curve.Certificate {
	t.Helper()
	c, err := curve.ReadCertificate(filepath.Join(dir, file))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// clientOptions are those of the client whose secret file this is.
func clientOptions(t *testing.T, dir, own, server string) *socket.Options {
	t.Helper()
	m, err := curve.Client(certificate(t, dir, own).Secret, certificate(t, dir, server).Public)
	if err != nil {
		t.Fatal(err)
	}
	return &socket.Options{Mechanism: m}
}

const pyCurve = `
import sys, zmq, zmq.auth
kind, way, endpoint, own, other = sys.argv[1:]
s = zmq.Context().socket(getattr(zmq, kind))
s.curve_publickey, s.curve_secretkey = zmq.auth.load_certificate(own)
if other == "server":
    s.curve_server = True
else:
    s.curve_serverkey, _ = zmq.auth.load_certificate(other)
if kind == "SUB":
    s.subscribe("")
if way == "bind":
    s.bind(endpoint)
    print(s.last_endpoint.decode(), flush=True)
else:
    s.connect(endpoint)
if kind == "SUB":
    while True:
        print(s.recv_multipart(), flush=True)
print(s.recv().hex(), flush=True) # XPUB: the subscription has come
for line in sys.stdin:
    s.send_multipart([b"topic", line.strip().encode()])
`

// TestPyzmqCurve: pyzmq with CURVE on both sides of a forwarder that is the server of
// both, and of one that is the client of both.
func TestPyzmqCurve(t *testing.T) {
	dir := keyFiles(t, "forwarder", "clients/pub", "clients/sub", "stranger")
	at := func(name string) string { return filepath.Join(dir, name) }
	carries := func(pub, sub *python) {
		t.Helper()
		if got := pub.line(); got != "01" {
			t.Fatalf("the publisher has %q, want the subscription 01", got)
		}
		for i := range 3 {
			pub.tell("message %d", i)
			if got, want := sub.line(), fmt.Sprintf("[b'topic', b'message %d']", i); got != want {
				t.Fatalf("the subscriber has %s, want %s", got, want)
			}
		}
	}
	t.Run("server", func(t *testing.T) {
		p := start(t, "--curve-key", at("forwarder.key_secret"), "--frontend-curve-allow", at("clients"), "--backend-curve-allow", at("clients"))
		stranger := startPython(t, pyCurve, "SUB", "connect", p.backend, at("stranger.key_secret"), at("forwarder.key"))
		p.logs("client with public key " + certificate(t, dir, "stranger.key").Public.String())
		sub := startPython(t, pyCurve, "SUB", "connect", p.backend, at("clients/sub.key_secret"), at("forwarder.key"))
		pub := startPython(t, pyCurve, "XPUB", "connect", p.frontend, at("clients/pub.key_secret"), at("forwarder.key"))
		carries(pub, sub)
		if n := len(stranger.lines); n != 0 {
			t.Errorf("who is not allowed has %d messages", n)
		}
		eventually(t, "the peers are pub and sub, with CURVE", func() bool {
			principals := make(map[string]string)
			for _, v := range p.peers() {
				principals[v.Side] = v.Mechanism + " " + v.Principal
			}
			return maps.Equal(principals, map[string]string{"frontend": "CURVE pub", "backend": "CURVE sub"})
		})
	})
	t.Run("client", func(t *testing.T) {
		pub := startPython(t, pyCurve, "XPUB", "bind", "tcp://127.0.0.1:*", at("clients/pub.key_secret"), "server")
		sub := startPython(t, pyCurve, "SUB", "bind", "tcp://127.0.0.1:*", at("clients/sub.key_secret"), "server")
		startBare(t, nil, "--admin", "", "--curve-key", at("forwarder.key_secret"),
			"--frontend", "connect:"+pub.line(), "--frontend-curve-server-key", at("clients/pub.key"),
			"--backend", "connect:"+sub.line(), "--backend-curve-server-key", at("clients/sub.key"))
		carries(pub, sub)
	})
}

// TestSecretsAreNotShown: nothing that the program says has a secret key in it, nor
// do its arguments.
func TestSecretsAreNotShown(t *testing.T) {
	dir := keyFiles(t, "forwarder", "clients/ann")
	p := start(t, "--log-level", "debug", "--metrics-peers", "--curve-key", filepath.Join(dir, "forwarder.key_secret"),
		"--frontend-curve-allow", filepath.Join(dir, "clients"), "--backend-curve-allow", "any")
	ann := newSocket(t, pattern.Sub, clientOptions(t, dir, "clients/ann.key_secret", "forwarder.key"), p.backend)
	newSocket(t, pattern.Pub, clientOptions(t, dir, "forwarder.key_secret", "forwarder.key"), p.frontend) // is refused
	if err := ann.WaitPeers(patience(t), 1); err != nil {
		t.Fatal(err)
	}
	p.logs("not allowed by the Authenticator")
	eventually(t, "the page knows her", func() bool {
		list := p.peers()
		return len(list) == 1 && list[0].Principal == certificate(t, dir, "clients/ann.key").Public.String()
	})
	said := map[string]string{"the greeting": p.greeting, "the log": p.stderr.String(), "the arguments": strings.Join(p.cmd.Args, " ")}
	for _, path := range []string{"/", "/stats.json", "/peers.json", "/live.json", "/metrics"} {
		_, said[path] = p.ask("GET", path)
	}
	for _, file := range []string{"forwarder.key_secret", "clients/ann.key_secret"} {
		secret := certificate(t, dir, file).Secret.Text()
		for where, text := range said {
			// Whatever may be escaped in it, its letters and digits are not.
			for _, part := range regexp.MustCompile(`[0-9A-Za-z]{6,}`).FindAllString(secret, -1) {
				if strings.Contains(text, part) {
					t.Errorf("%s has a part of the secret key in %s", where, file)
				}
			}
			if text == "" || strings.Contains(text, secret) {
				t.Errorf("%s is empty, or has the secret key in %s", where, file)
			}
		}
	}
}

// TestReloadKeys: a client that is put into the directory is let in, another key in a
// file is named and waits for a restart, a file that others can read changes nothing.
func TestReloadKeys(t *testing.T) {
	dir := keyFiles(t, "forwarder", "clients/ann", "bob", "server")
	at := func(name string) string { return filepath.Join(dir, name) }
	far := mustBindWith(t, pattern.Sub, dir, "server.key_secret")
	config := settingsFile(t, "admin: 127.0.0.1:0", "frontend: tcp://127.0.0.1:0", "backend: connect:"+far,
		"curve-key: "+at("forwarder.key_secret"), "frontend-curve-allow: "+at("clients"), "backend-curve-server-key: "+at("server.key"))
	p := startBare(t, nil, "--config", config)
	ann := newSocket(t, pattern.Pub, clientOptions(t, dir, "clients/ann.key_secret", "forwarder.key"), p.frontend)
	if err := ann.WaitPeers(patience(t), 1); err != nil {
		t.Fatal(err)
	}
	reload := func(want string) {
		t.Helper()
		before := strings.Count(p.stderr.String(), want)
		p.signal(syscall.SIGHUP)
		eventually(t, "the log has another "+want, func() bool { return strings.Count(p.stderr.String(), want) > before })
	}
	if err := os.Rename(at("bob.key"), at("clients/bob.key")); err != nil {
		t.Fatal(err)
	}
	reload("msg=reloaded")
	bob := newSocket(t, pattern.Pub, clientOptions(t, dir, "bob.key_secret", "forwarder.key"), p.frontend)
	if err := bob.WaitPeers(patience(t), 1); err != nil {
		t.Fatalf("bob, who is allowed after the reload: %v", err)
	}

	rename := func(from, to string) {
		t.Helper()
		if err := os.Rename(at(from), at(to)); err != nil {
			t.Fatal(err)
		}
	}
	rename("forwarder.key_secret", "old")
	addKey(t, at("next"))
	rename("next.key_secret", "forwarder.key_secret")
	addKey(t, at("moved"))
	rename("moved.key", "server.key")
	reload(`these settings need a restart and stay as they were" settings="curve-key, backend-curve-server-key"`)
	again := newSocket(t, pattern.Pub, clientOptions(t, dir, "bob.key_secret", "forwarder.key"), p.frontend)
	if err := again.WaitPeers(patience(t), 1); err != nil {
		t.Errorf("with the key from before: %v", err)
	}

	const kept = "reload failed, the configuration stays as it was"
	if err := os.Chmod(at("forwarder.key_secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	reload(kept)
	p.logs("others may read or replace the secret key")
	eventually(t, "all three are there", func() bool { return p.stats().Frontend.Peers == 3 })
	if got := p.stats().Frontend.Disconnects; got != 0 {
		t.Errorf("the frontend lost %d peers, want none", got)
	}
}

// mustBindWith makes a CURVE server that lets any client in.
func mustBindWith(t *testing.T, spec *pattern.Spec, dir, own string) (bound string) {
	t.Helper()
	m, err := curve.Server(certificate(t, dir, own).Secret)
	if err != nil {
		t.Fatal(err)
	}
	s, err := socket.New(spec, &socket.Options{Mechanism: m, Authenticator: curve.AllowAny})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if bound, err = s.Bind("tcp://127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	return bound
}

// TestReadmeSecurity does what the README tells to do about keys, on free ports.
func TestReadmeSecurity(t *testing.T) {
	path := peertest.Python(t, "zmq")
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Security\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var shell []string
	for _, block := range regexp.MustCompile("(?ms)^```sh\n(.*?)^```$").FindAllStringSubmatch(section, -1) {
		shell = append(shell, strings.TrimSpace(block[1]))
	}
	program := regexp.MustCompile("(?ms)`ann.py`:\n\n```python\n(.*?)^```$").FindStringSubmatch(section)
	if len(shell) != 3 || program == nil {
		t.Fatalf("the section Security has %d commands and the program %q, want 3 and ann.py", len(shell), program)
	}
	dir := t.TempDir()
	in := func(ctx context.Context, command string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, "sh", "-ec", command)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "RINGWIRE_ADMIN=127.0.0.1:0")
		return cmd
	}
	const build = "go build -o forwarder ./device/forwarder\n"
	if err := os.Symlink(built, filepath.Join(dir, "forwarder")); err != nil {
		t.Fatal(err)
	}
	if out, err := in(patience(t), strings.Replace(shell[0], build, "", 1)).CombinedOutput(); err != nil || !strings.HasPrefix(shell[0], build) {
		t.Fatalf("%s: %v\n%s", shell[0], err, out)
	}
	broker := runPython(t, in(t.Context(), "exec "+strings.NewReplacer("*:5559", "*:0", "*:5560", "*:0").Replace(shell[1])))
	greeting := broker.line()
	words := regexp.MustCompile(`tcp://\S+:(\d+)`).FindAllStringSubmatch(greeting, -1)
	if len(words) != 2 {
		t.Fatalf("the forwarder says %q, want two endpoints", greeting)
	}
	front, back := "tcp://127.0.0.1:"+words[0][1], "tcp://127.0.0.1:"+words[1][1]
	cat := runPython(t, in(t.Context(), "exec "+strings.ReplaceAll(shell[2], "tcp://127.0.0.1:5560", back)))
	if err := os.WriteFile(filepath.Join(dir, "ann.py"), []byte(strings.ReplaceAll(program[1], "tcp://127.0.0.1:5560", back)), 0o600); err != nil {
		t.Fatal(err)
	}
	ann := runPython(t, in(t.Context(), "exec "+path+" ann.py"))
	p := &process{t: t, admin: adminWord.FindString(greeting)}
	eventually(t, "both have subscribed", func() bool {
		n := 0
		for _, v := range p.peers() {
			n += v.Subscriptions
		}
		return n == 2
	})
	pub := newSocket(t, pattern.XPub, clientOptions(t, dir, "ann.key_secret", "forwarder.key"), front)
	if err := pub.WaitSubscribers(patience(t), "", 1); err != nil {
		t.Fatal(err)
	}
	send(t, pub, "hello")
	if got := cat.line(); got != "hello" {
		t.Errorf("cat prints %q, want hello", got)
	}
	if got := ann.line(); got != "[b'hello']" {
		t.Errorf("ann.py prints %q, want [b'hello']", got)
	}
}
