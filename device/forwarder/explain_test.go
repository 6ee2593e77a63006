package main

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// explained runs explain in this process and returns its lines by name.
func explained(t *testing.T, at string) map[string]string {
	t.Helper()
	var out, complaints bytes.Buffer
	p := &program{env: os.LookupEnv, stdout: &out, stderr: &complaints}
	if code := p.run(patience(t), []string{"explain", at}); code != exitOK {
		t.Fatalf("explain: exit code %d, %s", code, complaints.String())
	}
	lines := make(map[string]string)
	for line := range strings.Lines(out.String()) {
		parts := regexp.MustCompile(`  +`).Split(strings.TrimSpace(line), 2)
		if len(parts) != 2 {
			t.Fatalf("line %q", line)
		}
		lines[parts[0]] = parts[1]
	}
	return lines
}

// TestExplain: every socket type is told, and asked for the round trip only where
// that does no harm.
func TestExplain(t *testing.T) {
	for _, x := range []struct {
		spec  *pattern.Spec
		who   string
		asked bool
	}{
		{pattern.Pub, "SUB, XSUB", true},
		{pattern.XPub, "SUB, XSUB", true},
		{pattern.Sub, "PUB, XPUB", true},
		{pattern.XSub, "PUB, XPUB", true},
		{pattern.Push, "PULL", false},
		{pattern.Pull, "PUSH", true},
		{pattern.Req, "REP, ROUTER", false},
		{pattern.Rep, "REQ, DEALER", true},
		{pattern.Dealer, "REP, DEALER, ROUTER", false},
		{pattern.Router, "REQ, DEALER, ROUTER", true},
		{pattern.Pair, "PAIR", false},
	} {
		t.Run(x.spec.Name(), func(t *testing.T) {
			o := named("it's \x1b[31mred")
			identifies := x.spec == pattern.Req || x.spec == pattern.Dealer || x.spec == pattern.Router
			if identifies {
				o.Identity = []byte("me\x00")
			}
			s, err := socket.New(x.spec, o)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			at, err := s.Bind("tcp://127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			got := explained(t, at)
			for name, want := range map[string]string{
				"endpoint": at, "version": "ZMTP 3.1", "mechanism": "NULL", "socket type": x.spec.Name(),
				"metadata": `X-Name: "it's \x1b[31mred"`, "who can connect": x.who,
			} {
				if got[name] != want {
					t.Errorf("%s is %q, want %q", name, got[name], want)
				}
			}
			if want := map[bool]string{true: `"me\x00"`, false: "none"}[identifies]; got["identity"] != want {
				t.Errorf("identity is %s, want %s", got["identity"], want)
			}
			measured := regexp.MustCompile(`^[0-9.]+[µm]?s$`).MatchString(got["round trip"])
			if measured != x.asked {
				t.Errorf("the round trip is %q, want it measured: %v", got["round trip"], x.asked)
			}
			if st := s.Stats(); st.Arrived != 0 || st.Accepted != 0 {
				t.Errorf("messages moved: %+v", st.Counters)
			}
		})
	}
}

// TestExplainPyzmq: the same of libzmq.
func TestExplainPyzmq(t *testing.T) {
	for kind, who := range map[string]string{"XPUB": "SUB, XSUB", "ROUTER": "REQ, DEALER, ROUTER", "PULL": "PUSH"} {
		p := startPython(t, `
import sys, zmq
s = zmq.Context().socket(getattr(zmq, sys.argv[1]))
s.setsockopt(zmq.IDENTITY, b"libzmq")
s.bind("tcp://127.0.0.1:*")
print(s.getsockopt(zmq.LAST_ENDPOINT).decode(), flush=True)
sys.stdin.read()
`, kind)
		got := explained(t, p.line())
		if got["socket type"] != kind || got["who can connect"] != who || !strings.HasPrefix(got["version"], "ZMTP 3.") || got["round trip"] == "" {
			t.Errorf("%s is %q", kind, got)
		}
		if kind == "ROUTER" && got["identity"] != `"libzmq"` {
			t.Errorf("its identity is %s", got["identity"])
		}
	}
}
