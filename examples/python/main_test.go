package main

import (
	"bufio"
	"context"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ringwire/ringwire/internal/peertest"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve starts the example and returns its endpoint and a function that stops
// it and waits.
func serve(t *testing.T) (endpoint string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, "tcp://127.0.0.1:*", writer)
		writer.Close()
	}()
	lines := bufio.NewReader(reader)
	line, err := lines.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	go io.Copy(io.Discard, lines)
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	return strings.TrimSpace(strings.TrimPrefix(line, "waiting for requests at "))
}

func TestAnswersRingwire(t *testing.T) {
	endpoint := serve(t)
	client, err := socket.New(pattern.Req, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.Connect(endpoint); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	answer, err := client.Do(ctx, []byte("hello"), []byte("from a test"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(answer.Bytes()), "hello from Gohello"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// The lines of Python in the package comment and the README.
const python = `
import sys, zmq
s = zmq.Context().socket(zmq.REQ)
s.connect(sys.argv[1])
s.send_multipart([b"hello", b"from python"])
print(s.recv_multipart())
`

func TestAnswersPython(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), peertest.Python(t, "zmq"), "-c", python, serve(t)).CombinedOutput()
	if err != nil {
		t.Fatalf("python: %v\n%s", err, out)
	}
	if got, want := strings.TrimSpace(string(out)), "[b'hello from Go', b'hello']"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
