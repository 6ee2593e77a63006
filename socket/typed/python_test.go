package typed_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringwire/ringwire/socket/typed"
)

// quote is what testdata/typed.py calls one.
type quote struct {
	Symbol string            `msgpack:"symbol"`
	Bid    float64           `msgpack:"bid"`
	Size   int64             `msgpack:"size"`
	Seen   time.Time         `msgpack:"seen"`
	Raw    []byte            `msgpack:"raw"`
	Tags   map[string]string `msgpack:"tags"`
}

type terms struct {
	A int `msgpack:"a"`
	B int `msgpack:"b"`
}

type total struct {
	Sum int `msgpack:"sum"`
}

const interpreter = "/usr/bin/python3"

// python runs a role of testdata/typed.py and returns its output. It ends when its
// standard input does, or is killed.
func python(t *testing.T, role, endpoint string) *bufio.Reader {
	t.Helper()
	if out, err := exec.Command(interpreter, "-c", "import zmq, msgpack").CombinedOutput(); err != nil {
		if os.Getenv("RINGWIRE_INTEROP") == "require" {
			t.Fatalf("%s cannot import zmq and msgpack: %v; install python3-zmq and python3-msgpack\n%s", interpreter, err, out)
		}
		t.Skipf("%s cannot import zmq and msgpack (%v): install python3-zmq and python3-msgpack to run this test", interpreter, err)
	}
	cmd := exec.CommandContext(soon(t), interpreter, "testdata/typed.py", role, endpoint)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	in := must[io.WriteCloser](t)(cmd.StdinPipe())
	out := must[io.ReadCloser](t)(cmd.StdoutPipe())
	ok(t, cmd.Start())
	t.Cleanup(func() {
		in.Close()
		if strings.HasPrefix(role, "serve") {
			cmd.Process.Kill()
		}
		cmd.Wait()
		if stderr.Len() > 0 {
			t.Errorf("typed.py %s: %s", role, stderr.Bytes())
		}
	})
	return bufio.NewReader(out)
}

func line(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	return strings.TrimSpace(must[string](t)(r.ReadString('\n')))
}

func TestPythonPublisher(t *testing.T) {
	at := line(t, python(t, "publish", "tcp://127.0.0.1:*"))
	sub := must[*typed.Sub[quote]](t)(typed.NewSub[quote](nil))
	defer sub.Close()
	ok(t, sub.Subscribe("eur/"))
	ok(t, sub.Connect(at))
	for _, want := range []string{
		`eur/usd {eur/usd 2.25 -10 2031-05-06T00:00:00Z 00ff map[venue:x]}`,
		`eur/chf {eur/chf 3.25 -100 2031-05-06T00:00:00Z 00ff map[venue:x]}`,
		`eur/arr {eur/arr 9.5 1 2031-05-06T00:00:00Z  map[]}`,
	} {
		topic, q, err := sub.Recv(soon(t))
		ok(t, err)
		got := fmt.Sprintf("%s {%s %v %d %s %x %v}", topic, q.Symbol, q.Bid, q.Size, q.Seen.UTC().Format(time.RFC3339Nano), q.Raw, q.Tags)
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	_, _, err := sub.Recv(soon(t))
	if _, is := errors.AsType[*typed.DecodeError](err); !is || !strings.Contains(err.Error(), "a string") {
		t.Errorf("got %v, want that a string is no quote", err)
	}
}

func TestPythonSubscriber(t *testing.T) {
	for _, codec := range []typed.Msgpack{{}, {Arrays: true}} {
		pub := must[*typed.Pub[quote]](t)(typed.NewPub[quote](&typed.Options{Codec: codec}))
		defer pub.Close()
		out := python(t, "subscribe", must[string](t)(pub.Bind("tcp://127.0.0.1:*")))
		ok(t, pub.WaitSubscribers(soon(t), "eur/", 1))
		q := quote{"eur/usd", 1.5, 1 << 40, time.Date(2031, 5, 6, 7, 8, 9, 10000, time.UTC), []byte("raw"), map[string]string{"venue": "x"}}
		ok(t, pub.Send(soon(t), "usd/eur", q))
		ok(t, pub.Send(soon(t), "eur/usd", q))
		q.Seen, q.Size, q.Raw = time.Unix(-1, 0), -5, nil
		ok(t, pub.Send(soon(t), "eur/old", q))
		for _, want := range []string{
			"eur/usd eur/usd 1.5 1099511627776 2031-05-06 07:08:09.000010+00:00 b'raw' {'venue': 'x'}",
			"eur/old eur/usd 1.5 -5 1969-12-31 23:59:59+00:00 None {'venue': 'x'}",
		} {
			if got := line(t, out); got != want {
				t.Errorf("%+v: Python got %s, want %s", codec, got, want)
			}
		}
	}
}

func TestPythonClient(t *testing.T) {
	server, at := serve(t, "tcp://127.0.0.1:*", nil, func(ctx context.Context, q terms) (total, error) {
		switch q.A {
		case 7:
			return total{}, &typed.Error{Code: "unlucky", Text: "seven"}
		case 20:
			if deadline, has := ctx.Deadline(); q.B == 22 && (!has || time.Until(deadline) > 5*time.Second) {
				return total{}, fmt.Errorf("the deadline is %v, want 5s from now", deadline)
			}
		case 100:
			<-ctx.Done() // if the cancel was not faster than the worker
		}
		return total{q.A + q.B}, nil
	})
	if got := line(t, python(t, "call", at)); got != "{'sum': 42}" {
		t.Errorf("a REQ in Python got %s, want 42", got)
	}
	out := python(t, "call_many", at)
	if got, then := line(t, out), line(t, out); got != "7 unlucky seven" || then != "done" {
		t.Errorf("a DEALER in Python got %q, %q, want one error", got, then)
	}
	for ctx := soon(t); server.Stats().Abandoned == 0 && ctx.Err() == nil; {
		runtime.Gosched()
	}
	if got := settled(t, server); got.Received != 101 || got.Replied != 99 || got.Failed != 1 || got.Abandoned != 1 {
		t.Errorf("got %+v, want 99 replies, one error, and the cancelled request without an answer", got)
	}
}

func TestPythonServer(t *testing.T) {
	client := dial[terms, total](t, line(t, python(t, "serve", "tcp://127.0.0.1:*")), nil)
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			if got, err := client.Call(soon(t), terms{i, 1000}); err != nil || got.Sum != i+1000 {
				t.Errorf("got %+v, %v, want %d", got, err, i+1000)
			}
		})
	}
	all.Wait()
	_, err := client.Call(soon(t), terms{1, 0})
	if e, is := errors.AsType[*typed.Error](err); !is || *e != (typed.Error{Code: "zero", Text: "b is 0"}) {
		t.Errorf("got %v, want zero: b is 0", err)
	}
	// A REP is a server, too, for one request after the other.
	simple := dial[terms, total](t, line(t, python(t, "serve_one", "tcp://127.0.0.1:*")), nil)
	if got := must[total](t)(simple.Call(soon(t), terms{1, 2})); got.Sum != 3 {
		t.Errorf("got %+v of a REP, want 3", got)
	}
}
