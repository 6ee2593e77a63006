//go:build unix

package main

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ringwire/ringwire/pattern"
)

// TestReload: endpoints come and go, limits and the log level change, a bad file
// changes nothing; and all the while those who were connected stay so.
func TestReload(t *testing.T) {
	dir, err := os.MkdirTemp("", "rw")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	first, second, third := "ipc://"+filepath.Join(dir, "1"), "ipc://"+filepath.Join(dir, "2"), "ipc://"+filepath.Join(dir, "3")
	base := []string{"backend: tcp://127.0.0.1:0", "admin: 127.0.0.1:0"}
	config := settingsFile(t, append(base, "frontend: "+first)...)
	p := start(t, "--config", config)

	pub := newSocket(t, pattern.Pub, named("stays"), first)
	sub := newSocket(t, pattern.Sub, nil, p.backend)
	if err := pub.WaitSubscribers(patience(t), "", 1); err != nil {
		t.Fatal(err)
	}
	reload := func(want string, lines ...string) {
		t.Helper()
		rewrite(t, config, append(base, lines...)...)
		before := strings.Count(p.stderr.String(), want)
		p.signal(syscall.SIGHUP)
		eventually(t, "the log has another "+want, func() bool { return strings.Count(p.stderr.String(), want) > before })
		send(t, pub, "still there")
		if got := recv(t, sub); got != "[still there]" {
			t.Fatalf("got %s", got)
		}
		if s := p.stats(); s.Backend.Disconnects != 0 {
			t.Fatalf("subscribers were disconnected: %+v", s.Backend)
		}
	}

	// An endpoint is added; it works.
	reload(`msg=reloaded changed=frontend`, "frontend: ["+first+", "+second+"]")
	other := newSocket(t, pattern.Pub, named("other"), second)
	if err := other.WaitSubscribers(patience(t), "", 1); err != nil {
		t.Fatal(err)
	}
	send(t, other, "from the second")
	if got := recv(t, sub); got != "[from the second]" {
		t.Fatalf("got %s", got)
	}
	if got := p.stats().Frontend.Endpoints; len(got) != 2 || got[0] != first || got[1] != second {
		t.Errorf("the frontend is at %q", got)
	}

	// It is removed: its publisher goes, the file too.
	reload(`msg=reloaded changed=frontend`, "frontend: "+first)
	eventually(t, "the other publisher is gone", func() bool { _, ok := p.peer(`"other"`); return !ok })
	if _, ok := p.peer(`"stays"`); !ok {
		t.Error("the first publisher is gone, too")
	}
	if _, err := os.Stat(filepath.Join(dir, "2")); err == nil {
		t.Error("the file of the removed endpoint is still there")
	}

	// The other direction: it connects.
	far := mustBind(t, third)
	reload(`msg=reloaded changed=frontend`, "frontend: ["+first+", connect:"+third+"]")
	if err := far.WaitSubscribers(patience(t), "", 1); err != nil {
		t.Fatal(err)
	}
	reload(`msg=reloaded changed=frontend`, "frontend: "+first)

	// Levels and limits; what cannot change is named and stays.
	reload(`msg=reloaded changed=log-level`, "frontend: "+first, "log-level: debug")
	reload(`settings="kind, send-hwm, on-full"`, "frontend: "+first, "kind: queue", "send-hwm: 7", "on-full: block", "drain-timeout: 1s")
	if s := p.stats(); s.Kind != "forwarder" || s.SendHWM != 1000 {
		t.Errorf("it is %s with %d", s.Kind, s.SendHWM)
	}
	p.logs(`msg=reloaded changed="drain-timeout, log-level"`)

	// A bad file, or one that cannot be done, changes nothing.
	const kept = "reload failed, the configuration stays as it was"
	reload(kept, "frontend: "+second, "nonsense: true")
	p.logs(`unknown key \"nonsense\"`)
	reload(kept, "frontend: "+second, "send-hwm: many")
	reload(kept, "frontend: ["+first+", "+second+", ipc://"+filepath.Join(dir, "none", "x")+"]")
	if _, err := os.Stat(filepath.Join(dir, "2")); err == nil {
		t.Error("what could be opened of a failed reload is still open")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	base[1] = "admin: " + l.Addr().String()
	reload(kept, "frontend: ["+first+", "+second+"]")
	if got := p.stats().Frontend.Endpoints; len(got) != 1 || got[0] != first {
		t.Errorf("the frontend is at %q", got)
	}

	// The admin moves, and takes another name.
	base[1] = "admin: 127.0.0.1:0"
	reload(`msg=reloaded changed="admin-host, drain-timeout, log-level"`, "frontend: "+first, "admin-host: elsewhere", "log-level: debug")
	if answer, _ := p.ask("GET", "/healthz", "Host", "elsewhere"); answer.StatusCode != 200 {
		t.Errorf("the new name of the admin: %s", answer.Status)
	}
	old := p.admin
	base[1] = "admin: localhost:0"
	rewrite(t, config, append(base, "frontend: "+first)...)
	p.signal(syscall.SIGHUP)
	p.logs("msg=admin url=")
	text := p.stderr.String()
	p.admin = adminWord.FindString(text[strings.LastIndex(text, "msg=admin url="):])
	if answer, _ := p.ask("GET", "/healthz"); answer.StatusCode != 200 || p.admin == old {
		t.Errorf("the admin at %s, before at %s: %s", p.admin, old, answer.Status)
	}
	if _, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", strings.TrimPrefix(old, "http://")); err == nil {
		t.Error("the old admin still listens")
	}
	p.signal(syscall.SIGTERM)
	if code := p.wait(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
}
