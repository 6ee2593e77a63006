package main

import (
	"context"
	"log"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ringwire/ringwire/internal/peertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Without Python it still shows what it can.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := demo(ctx, []string{"no-such-python"}, os.Stdout); err != nil {
		log.Fatal(err)
	}
	// Output:
	// client: none of ["no-such-python"] is a Python with pyzmq; this one is in Go
	// server: a request of 2 frames: ["hello" "from Go"]
	// client in Go: the reply is ["hello from Go" "hello"]
}

// output is written to by several goroutines.
type output struct {
	mu sync.Mutex
	strings.Builder
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.Builder.Write(b)
}

// TestPython runs client.py.
func TestPython(t *testing.T) {
	interpreter := peertest.Python(t, "zmq")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out output
	if err := demo(ctx, []string{interpreter}, &out); err != nil {
		t.Fatal(err)
	}
	const want = `server: a request of 2 frames: ["hello" "from python"]
client in Python: the reply is [b'hello from Go', b'hello']
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}
