package observe_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/curve"
	"github.com/ringwire/ringwire/socket/observe"
	"github.com/ringwire/ringwire/socket/plain"
)

// guard ends a test that hangs.
const guard = 20 * time.Second

func open(t *testing.T, spec *pattern.Spec, opts *socket.Options) *socket.Socket {
	t.Helper()
	s, err := socket.New(spec, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// joined returns a ROUTER and a DEALER that calls itself identity.
func joined(t *testing.T, identity string) (router, dealer *socket.Socket) {
	t.Helper()
	router = open(t, pattern.Router, nil)
	dealer = open(t, pattern.Dealer, &socket.Options{Identity: []byte(identity), Metadata: map[string]string{"X-Name": "<b>\xff", "X-None": ""}})
	at, err := router.Bind("tcp://127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := dealer.Connect(at); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), guard)
	defer cancel()
	for _, s := range []*socket.Socket{router, dealer} {
		if err := s.WaitPeers(ctx, 1); err != nil {
			t.Fatal(err)
		}
	}
	return router, dealer
}

// until polls until done is true.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(guard); !done(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("still waiting after %v for %s", guard, what)
		}
	}
}

func ask(h http.Handler, method, target string) *http.Response {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, target, nil))
	return w.Result()
}

type answer struct {
	Time    time.Time
	Sockets map[string]struct {
		Type        string
		Stats       map[string]any
		Peers       []map[string]any
		Events      []map[string]any
		EventsTotal int `json:"events_total"`
		EventsLost  int `json:"events_lost"`
	}
}

func get(t *testing.T, h http.Handler, target string) (a answer) {
	t.Helper()
	r := ask(h, "GET", target)
	if r.StatusCode != 200 {
		t.Fatalf("GET %s: got %s, want 200", target, r.Status)
	}
	if err := json.NewDecoder(r.Body).Decode(&a); err != nil {
		t.Fatalf("GET %s: %v", target, err)
	}
	return a
}

// TestRegistryAnswer: what the application and the peer did can be read, and bytes
// of a peer's come back as they were.
func TestRegistryAnswer(t *testing.T) {
	const identity = "a\"<\x00\xffé"
	var r observe.Registry
	router, dealer := joined(t, identity)
	r.Add("router", router)
	r.Add("dealer", dealer)
	ctx, cancel := context.WithTimeout(t.Context(), guard)
	defer cancel()
	if err := dealer.Send(ctx, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if err := dealer.Confirm(ctx); err != nil {
		t.Fatal(err)
	}
	a := get(t, &r, "/")
	if len(a.Sockets) != 2 || a.Sockets["router"].Type != "ROUTER" || time.Since(a.Time).Abs() > time.Hour {
		t.Fatalf("got %+v, want both sockets", a)
	}
	p := a.Sockets["router"].Peers[0]
	for _, field := range []string{"identity", "address", "name"} {
		if got, err := strconv.Unquote(p[field].(string)); err != nil || got != identity {
			t.Errorf("%s is %v, want %q quoted", field, p[field], identity)
		}
	}
	meta := p["metadata"].(map[string]any)
	if got, err := strconv.Unquote(meta["X-Name"].(string)); err != nil || got != "<b>\xff" || meta["X-None"] != `""` || len(meta) != 2 {
		t.Errorf("metadata is %v, want X-Name and X-None, quoted", meta)
	}
	if got := p["recv"].(map[string]any)["queued"]; got != 1.0 {
		t.Errorf("the router has queued %v, want 1", got)
	}
	p = a.Sockets["dealer"].Peers[0]
	if trip := p["round_trip_seconds"].(float64); trip <= 0 || trip > guard.Seconds() {
		t.Errorf("round trip is %v, want a part of a second", trip)
	}
	if since, err := time.Parse(time.RFC3339, p["since"].(string)); err != nil || since.Location() != time.UTC {
		t.Errorf("since is %v, want a time in UTC", p["since"])
	}
	if got := a.Sockets["dealer"].Stats["send"].(map[string]any)["confirmed"]; got != 1.0 {
		t.Errorf("the dealer has %v messages confirmed, want 1", got)
	}
	if a := get(t, &r, "/x?socket=dealer"); len(a.Sockets) != 1 || a.Sockets["dealer"].Type != "DEALER" {
		t.Errorf("with ?socket=dealer got %+v, want the dealer", a)
	}
	name := a.Sockets["router"].Peers[0]["name"]
	dealer.Close()
	until(t, "an event that calls the dealer by its name", func() bool {
		events := get(t, &r, "/").Sockets["router"].Events
		return len(events) > 0 && events[len(events)-1]["kind"] == "disconnected" && events[len(events)-1]["name"] == name
	})
}

// TestRegistryMethods: GET and HEAD alone, nothing is cached, no markup is let
// through, and an unknown name is 404.
func TestRegistryMethods(t *testing.T) {
	var r observe.Registry
	router, _ := joined(t, "<script>")
	r.Add("<i>", router)
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "get"} {
		if got := ask(&r, method, "/"); got.StatusCode != 405 || got.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: got %s, Allow %q, want 405 and the two", method, got.Status, got.Header.Get("Allow"))
		}
	}
	for _, target := range []string{"/?socket=no<b>", "/?socket="} {
		got := ask(&r, "GET", target)
		body := make([]byte, 100)
		n, _ := got.Body.Read(body)
		if got.StatusCode != 404 || strings.Contains(string(body[:n]), "<") {
			t.Errorf("%s: got %s, %q, want 404 without the name", target, got.Status, body[:n])
		}
	}
	head, whole := ask(&r, "HEAD", "/"), ask(&r, "GET", "/")
	body := make([]byte, 1<<16)
	if n, _ := head.Body.Read(body); n > 0 || head.StatusCode != 200 || head.Header.Get("Content-Length") == "" {
		t.Errorf("HEAD: got %s, a body of %d bytes, length %q, want 200, none, a length", head.Status, n, head.Header.Get("Content-Length"))
	}
	for name, want := range map[string]string{"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"} {
		if head.Header.Get(name) != want || whole.Header.Get(name) != want {
			t.Errorf("%s is %q and %q, want %q", name, head.Header.Get(name), whole.Header.Get(name), want)
		}
	}
	n, _ := whole.Body.Read(body)
	if strings.ContainsAny(string(body[:n]), "<>&\x00\x7f") {
		t.Errorf("the answer has markup or control characters:\n%s", body[:n])
	}
	if got := get(t, &r, "/?socket=%3Ci%3E"); len(got.Sockets) != 1 {
		t.Errorf("got %+v, want the socket named <i>", got)
	}
}

// TestRegistryEvents: the last 64 events are kept, in order, the others counted.
func TestRegistryEvents(t *testing.T) {
	var r observe.Registry
	s := open(t, pattern.Pull, nil)
	r.Add("s", s)
	const rounds = 50 // Listening and Unbound each
	for i := range rounds {
		at := fmt.Sprintf("inproc://observe-events-%d", i)
		if _, err := s.Bind(at); err != nil {
			t.Fatal(err)
		}
		if err := s.Unbind(at); err != nil {
			t.Fatal(err)
		}
	}
	var got answer
	until(t, "all events", func() bool {
		got = get(t, &r, "/")
		return got.Sockets["s"].EventsTotal == 2*rounds
	})
	list := got.Sockets["s"].Events
	if len(list) != 64 || got.Sockets["s"].EventsLost != 0 {
		t.Fatalf("got %d events, %d lost, want 64, 0", len(list), got.Sockets["s"].EventsLost)
	}
	for i, ev := range list {
		n := 2*rounds - 64 + i
		kind := []string{"listening", "unbound"}[n%2]
		if ev["kind"] != kind || ev["endpoint"] != fmt.Sprintf("inproc://observe-events-%d", n/2) {
			t.Errorf("event %d is %v, want %s of endpoint %d", i, ev, kind, n/2)
		}
	}
	if err := s.Connect("tcp://127.0.0.1:1"); err != nil { // nobody listens
		t.Fatal(err)
	}
	until(t, "an attempt that failed", func() bool {
		list := get(t, &r, "/").Sockets["s"].Events
		ev := list[len(list)-1]
		return ev["kind"] == "connect retried" && ev["reason"] == "refused" && ev["next"] == "connects again" &&
			ev["retry_seconds"].(float64) > 0 && ev["error"] != ""
	})
}

// TestSEC17Published: what is published of a socket has no secret key and no password.
func TestSEC17Published(t *testing.T) {
	serverKey, err := curve.NewSecretKey()
	if err != nil {
		t.Fatal(err)
	}
	clientKey, err := curve.NewSecretKey()
	if err != nil {
		t.Fatal(err)
	}
	curveServer, err := curve.Server(serverKey)
	if err != nil {
		t.Fatal(err)
	}
	curveClient, err := curve.Client(clientKey, serverKey.Public())
	if err != nil {
		t.Fatal(err)
	}
	plainClient, err := plain.Client("alice", "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	anybody := func(_ context.Context, c ringwire.Credentials) (ringwire.Verdict, error) {
		return ringwire.Verdict{Allow: true, Principal: c.Username}, nil
	}
	for _, pair := range [][2]*socket.Options{
		{{Mechanism: curveServer, Authenticator: curve.AllowAny}, {Mechanism: curveClient}},
		{{Mechanism: plain.Server(), Authenticator: anybody}, {Mechanism: plainClient}},
	} {
		pull, push := open(t, pattern.Pull, pair[0]), open(t, pattern.Push, pair[1])
		registry := new(observe.Registry)
		defer registry.Add("pull", pull)()
		defer registry.Add("push", push)()
		at, err := pull.Bind("tcp://127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if err := push.Connect(at); err != nil {
			t.Fatal(err)
		}
		until(t, "the connection", func() bool { return pull.Stats().Peers == 1 && push.Stats().Peers == 1 })
		body, err := io.ReadAll(ask(registry, "GET", "/").Body)
		if err != nil {
			t.Fatal(err)
		}
		all := string(body) + observe.Var(pull).String() + observe.Var(push).String()
		if !strings.Contains(all, pull.Peers()[0].Mechanism) {
			t.Fatalf("got %s, want the mechanism in it", all)
		}
		for _, secret := range []string{serverKey.Text(), clientKey.Text(), "correct horse"} {
			if strings.Contains(all, secret) {
				t.Errorf("a secret is published: %s", all)
			}
		}
	}
}
