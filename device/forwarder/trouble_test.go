//go:build unix

package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"regexp"
	"strings"
	"testing"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/curve"
)

// TestToolsSayWhyTheyWait: what keeps cat and tap waiting is on standard error, once,
// though there is no timeout.
func TestToolsSayWhyTheyWait(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "tcp://" + l.Addr().String()
	l.Close()
	key, err := curve.NewSecretKey()
	if err != nil {
		t.Fatal(err)
	}
	secret, err := curve.Server(key)
	if err != nil {
		t.Fatal(err)
	}
	bound := func(spec *pattern.Spec, o *socket.Options) string {
		s, err := socket.New(spec, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		at, err := s.Bind("tcp://127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	for _, test := range []struct{ name, args, want string }{
		{"nobody listens", "cat --type sub --connect " + nobody, "connect failed: .*refused"},
		{"wrong side", "cat --type sub --connect " + bound(pattern.XSub, nil), "XSUB"},
		{"wrong type", "cat --type req --connect " + bound(pattern.Pull, nil) + " hello", "PULL"},
		{"CURVE", "cat --type sub --connect " + bound(pattern.Pub, &socket.Options{Mechanism: secret, Authenticator: curve.AllowAny}), "CURVE"},
		{"nobody subscribed", "cat --type pub --connect " + bound(pattern.XSub, nil) + " hello", `connected, but nobody subscribed to "hello"$`},
		{"tap of nobody", "tap " + nobody, "connect failed: .*refused"},
		{"tap between", "tap --kind queue --frontend tcp://127.0.0.1:0 --backend connect:" + nobody, "connect failed: .*refused"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel() // each takes two seconds
			ctx, cancel := context.WithCancel(patience(t))
			defer cancel()
			r, w := io.Pipe()
			p := &program{env: func(string) (string, bool) { return "", false }, stdin: strings.NewReader(""), stdout: io.Discard, stderr: w}
			ended := make(chan int, 1)
			go func() {
				ended <- p.run(ctx, strings.Fields(test.args))
				w.Close()
			}()
			stderr := bufio.NewReader(r)
			line, err := stderr.ReadString('\n')
			want := "^forwarder: still waiting: .*" + test.want
			if err != nil || !regexp.MustCompile(want).MatchString(strings.TrimSpace(line)) {
				t.Errorf("it says %q (%v), want %q", line, err, want)
			}
			cancel()
			rest, _ := io.ReadAll(stderr)
			if code := <-ended; strings.Contains(string(rest), "still waiting") {
				t.Errorf("code %d, and then %q", code, rest)
			}
		})
	}
}
