package interop_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"
)

var messages = flag.Int("interop.messages", 5000, "numbered messages in each direction of a cell of the matrix; the long run has 100000")

// limit is how long anything here may take: a guard against hanging, far
// above what is expected. A cell of the long run takes longer.
func limit() time.Duration {
	return 20*time.Second + time.Duration(*messages)*4*time.Millisecond
}

// go-zeromq leaves goroutines behind when its sockets are closed: the writer
// of every PUB and XPUB, readers that found nobody to take their message, and
// accept loops that see the end late. Its functions are not ours to check.
func TestMain(m *testing.M) {
	const zmq4 = "github.com/go-zeromq/zmq4."
	var options []goleak.Option
	for _, f := range []string{
		"(*pubMWriter).run", "(*pubQReader).listen", "(*qreader).listen", "(*routerQReader).listen",
		"(*repReader).listen", "(*repWriter).run", "(*socket).connReaper", "(*socket).accept",
	} {
		options = append(options, goleak.IgnoreAnyFunction(zmq4+f))
	}
	goleak.VerifyTestMain(m, options...)
}

// shortPath is an ipc path that fits into a socket address whatever the test
// is called.
func shortPath(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "rw")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

// anywhere is an endpoint to bind on the given transport.
func anywhere(t testing.TB, transport string) string {
	t.Helper()
	if transport == "ipc" {
		return "ipc://" + shortPath(t)
	}
	return "tcp://127.0.0.1:0"
}
