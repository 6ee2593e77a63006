package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ringwire/ringwire/pattern"
)

func TestAdminAnswers(t *testing.T) {
	p := start(t, "--name", "here")
	for _, x := range []struct {
		path, kind, has string
	}{
		{"/", "text/html; charset=utf-8", "page.js"},
		{"/page.js", "text/javascript; charset=utf-8", "live.json"},
		{"/plot.js", "text/javascript; charset=utf-8", "class Plot"},
		{"/page.css", "text/css; charset=utf-8", "prefers-color-scheme"},
		{"/healthz", "text/plain; charset=utf-8", "ok"},
		{"/readyz", "text/plain; charset=utf-8", "ok"},
		{"/metrics", "text/plain; version=0.0.4; charset=utf-8; escaping=underscores", "ringwire_build_info"},
		{"/stats.json", "application/json", `"name": "here"`},
		{"/peers.json", "application/json", `"peers": []`},
		{"/live.json?since=x", "application/json", `"history": [`},
	} {
		answer, body := p.ask("GET", x.path)
		if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != x.kind || !strings.Contains(body, x.has) {
			t.Errorf("%s: %s, %s, want 200, %s and %q in\n%.300s", x.path, answer.Status, answer.Header.Get("Content-Type"), x.kind, x.has, body)
		}
		for _, h := range []string{"Content-Security-Policy", "X-Content-Type-Options", "Cache-Control", "Cross-Origin-Resource-Policy"} {
			if answer.Header.Get(h) == "" {
				t.Errorf("%s: no %s", x.path, h)
			}
		}
		if answer, _ := p.ask("POST", x.path); answer.StatusCode != http.StatusMethodNotAllowed || answer.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("POST %s: %s, allow %q", x.path, answer.Status, answer.Header.Get("Allow"))
		}
	}
	for _, path := range []string{"/page", "/page/index.html", "/nothing", "/../main.go"} {
		if answer, _ := p.ask("GET", path); answer.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", path, answer.Status)
		}
	}
}

// TestAdminControls: only by POST, and not from elsewhere.
func TestAdminControls(t *testing.T) {
	p := start(t)
	for _, path := range []string{"/pause", "/resume", "/drain"} {
		for _, method := range []string{"GET", "HEAD", "PUT", "DELETE", "OPTIONS"} {
			if answer, _ := p.ask(method, path); answer.StatusCode != http.StatusMethodNotAllowed || answer.Header.Get("Allow") != "POST" {
				t.Errorf("%s %s: %s, allow %q", method, path, answer.Status, answer.Header.Get("Allow"))
			}
		}
		for _, header := range [][]string{
			{"Origin", "https://example.org"},
			{"Origin", "null"},
			{"Origin", "http://localhost:1"},
			{"Sec-Fetch-Site", "cross-site"},
			{"Sec-Fetch-Site", "same-site"},
			{"Host", "example.org"},
			{"Host", "127.0.0.1.example.org"},
			{"Host", "localhost.example.org:80"},
			{"Host", "example.org", "Origin", "http://example.org", "Sec-Fetch-Site", "same-origin"},
		} {
			if answer, _ := p.ask("POST", path, header...); answer.StatusCode != http.StatusForbidden {
				t.Errorf("POST %s with %q: %s", path, header, answer.Status)
			}
		}
	}
	if s := p.stats(); s.State != "running" {
		t.Fatalf("it is %s now", s.State)
	}

	sub := newSocket(t, pattern.Sub, nil, p.backend)
	pub := newSocket(t, pattern.Pub, nil, p.frontend)
	if err := pub.WaitSubscribers(patience(t), "", 1); err != nil {
		t.Fatal(err)
	}
	for _, header := range [][]string{nil, {"Origin", p.admin}, {"Sec-Fetch-Site", "same-origin"}} {
		if answer, _ := p.ask("POST", "/pause", header...); answer.StatusCode != http.StatusAccepted {
			t.Fatalf("pause with %q: %s", header, answer.Status)
		}
		if answer, body := p.ask("GET", "/readyz"); answer.StatusCode != http.StatusServiceUnavailable || body != "paused\n" {
			t.Errorf("readyz while paused: %s %q", answer.Status, body)
		}
		if answer, _ := p.ask("GET", "/healthz"); answer.StatusCode != http.StatusOK {
			t.Errorf("healthz while paused: %s", answer.Status)
		}
		send(t, pub, "one")
		eventually(t, "the message waits", func() bool { s := p.stats(); return s.State == "paused" && s.Frontend.Recv.Queued == 1 })
		if m, err := sub.TryRecv(); err == nil {
			t.Errorf("%v came while paused", m)
		}
		if answer, _ := p.ask("POST", "/resume"); answer.StatusCode != http.StatusAccepted {
			t.Fatalf("resume: %s", answer.Status)
		}
		if got := recv(t, sub); got != "[one]" {
			t.Errorf("got %s after resume", got)
		}
	}
	if answer, _ := p.ask("POST", "/drain"); answer.StatusCode != http.StatusAccepted {
		t.Fatalf("drain: %s", answer.Status)
	}
	if code := p.wait(); code != exitOK {
		t.Errorf("exit code %d after a drain", code)
	}
}

func TestAdminHosts(t *testing.T) {
	p := start(t, "--admin-host", "Forwarder.Example", "--admin-host", "other")
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(p.admin, "http://"))
	for host, want := range map[string]int{
		"localhost": 200, "localhost:" + port: 200, "LOCALHOST:1": 200, "127.0.0.1": 200, "[::1]:" + port: 200, "192.0.2.7": 200,
		"forwarder.example:" + port: 200, "FORWARDER.example": 200, "other": 200,
		"": 400, "example": 403, "x.forwarder.example": 403, "127.0.0.1.nip.io": 403, "localhost.": 403, "[::1": 400,
	} {
		if host == "" || host == "[::1" {
			continue // Go's client does not send these; TestGuardHosts has them
		}
		if answer, _ := p.ask("GET", "/stats.json", "Host", host); answer.StatusCode != want {
			t.Errorf("Host %q: %s, want %d", host, answer.Status, want)
		}
	}
	// A page of another site may link here, and may not read or embed.
	if answer, _ := p.ask("GET", "/", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"); answer.StatusCode != 200 {
		t.Errorf("a link: %s", answer.Status)
	}
	if answer, _ := p.ask("GET", "/live.json", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"); answer.StatusCode != 403 {
		t.Errorf("a script: %s", answer.Status)
	}
}

func TestGuardHosts(t *testing.T) {
	g := newGuard(nil, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for _, host := range []string{"", "[::1", ":80", "::1::", "0x7f.1", "127.1", "localhost.localdomain", "example.org:80:90"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		g.ServeHTTP(w, r)
		if want := http.StatusForbidden; w.Code != want && host != "[::1" {
			t.Errorf("Host %q: %d, want %d", host, w.Code, want)
		}
	}
}

// TestAdminOff: an empty admin is none.
func TestAdminOff(t *testing.T) {
	p := start(t, "--admin", "")
	if p.admin != "" || strings.Contains(p.greeting, "http") {
		t.Errorf("it says %q", p.greeting)
	}
}

// TestHostileNames: what a peer chose comes out as text that breaks nothing.
func TestHostileNames(t *testing.T) {
	p := start(t, "--metrics-peers", "--kind", "queue")
	name := "</script>\"\\\x00\xff\u202e\n{}" + strings.Repeat("x", 100)
	o := named("unused")
	o.Identity = []byte(name)
	o.Metadata["X-\n\"evil"] = name
	newSocket(t, pattern.Dealer, o, p.frontend)
	eventually(t, "the peer is there", func() bool { return len(p.peers()) == 1 })
	v := p.peers()[0]
	for _, s := range []string{v.Name, v.Identity, v.Metadata[`"X-\n\"evil"`]} {
		for _, r := range s {
			if r < ' ' || r == '\u202e' || r == 0xfffd {
				t.Errorf("%q has a character that is not printable", s)
			}
		}
		if !strings.HasPrefix(s, `"`) {
			t.Errorf("%q is not quoted", s)
		}
	}
	p.logs("msg=ready")
	for _, r := range p.stderr.String() {
		if r < ' ' && r != '\n' || r == '\u202e' || r == 0xfffd {
			t.Errorf("the log has the character %q", r)
		}
	}
	if families := p.metrics(); families["ringwire_peer_send_queued_messages"] == nil {
		t.Error("there are no metrics of peers")
	}
}
