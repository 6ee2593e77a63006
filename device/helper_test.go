package device_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/device"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// limit is a guard against hanging, far above what is expected.
const limit = 30 * time.Second

// quick makes reconnects fast.
const quick = 10 * time.Millisecond

func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	return ctx
}

// anywhere is an endpoint to bind, of the given transport.
func anywhere(t testing.TB, scheme string) string {
	switch scheme {
	case "ipc":
		dir, err := os.MkdirTemp("", "rw") // short: the name has to fit into a socket address
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		return "ipc://" + filepath.Join(dir, "s")
	case "inproc":
		return "inproc://" + t.Name() + unused()
	}
	return "tcp://127.0.0.1:0"
}

var (
	unusedMu sync.Mutex
	unusedAt int
)

// unused is a suffix that was not used before.
func unused() string {
	unusedMu.Lock()
	defer unusedMu.Unlock()
	unusedAt++
	return fmt.Sprint("-", unusedAt)
}

var schemes = []string{"tcp", "ipc", "inproc"}

func open(t testing.TB, spec *pattern.Spec, opts *socket.Options) *socket.Socket {
	t.Helper()
	s, err := socket.New(spec, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Shutdown(canceled()) })
	return s
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func bind(t testing.TB, s *socket.Socket, endpoint string) string {
	t.Helper()
	at, err := s.Bind(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// connected is a socket that connects to an endpoint.
func connected(t testing.TB, spec *pattern.Spec, opts *socket.Options, endpoints ...string) *socket.Socket {
	t.Helper()
	s := open(t, spec, opts)
	connect(t, s, endpoints...)
	return s
}

func connect(t testing.TB, s *socket.Socket, endpoints ...string) {
	t.Helper()
	for _, at := range endpoints {
		if err := s.Connect(at); err != nil {
			t.Fatal(err)
		}
	}
}

func send(t testing.TB, s *socket.Socket, frames ...string) {
	t.Helper()
	if err := s.Send(within(t), bytesOf(frames)...); err != nil {
		t.Fatal(err)
	}
}

func bytesOf(frames []string) (list [][]byte) {
	for _, f := range frames {
		list = append(list, []byte(f))
	}
	return list
}

func recv(t testing.TB, s *socket.Socket) []string {
	t.Helper()
	m, err := s.Recv(within(t))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Release()
	return textOf(m)
}

func textOf(m *ringwire.Message) (list []string) {
	for i := range m.Len() {
		list = append(list, string(m.Frame(i)))
	}
	return list
}

func want(t testing.TB, got []string, frames ...string) {
	t.Helper()
	if !slices.Equal(got, frames) {
		t.Fatalf("got %q, want %q", got, frames)
	}
}

func waitPeers(t testing.TB, s *socket.Socket, n int) {
	t.Helper()
	if err := s.WaitPeers(within(t), n); err != nil {
		t.Fatal(err)
	}
}

// eventually polls for what no call waits for.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	ctx := within(t)
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("not in time: %s", what)
		}
	}
}

// stage is a device that runs until the test ends, with both sockets bound.
type stage struct {
	*device.Device
	t           testing.TB
	front, back string // where they are bound
	ended       chan error
}

type constructor func(front, back *socket.Options, opts *device.Options) (*device.Device, error)

func start(t testing.TB, make constructor, scheme string, front, back *socket.Options, opts *device.Options) *stage {
	t.Helper()
	d, err := make(front, back, opts)
	if err != nil {
		t.Fatal(err)
	}
	return play(t, d, bind(t, d.Front(), anywhere(t, scheme)), bind(t, d.Back(), anywhere(t, scheme)))
}

// play runs a device.
func play(t testing.TB, d *device.Device, front, back string) *stage {
	t.Helper()
	s := &stage{Device: d, t: t, front: front, back: back, ended: make(chan error, 1)}
	t.Cleanup(func() { s.Close() })
	go func() { s.ended <- d.Run(context.Background()) }()
	return s
}

// end waits until Run returns.
func (s *stage) end() error {
	s.t.Helper()
	select {
	case err := <-s.ended:
		return err
	case <-time.After(limit):
		s.t.Fatal("Run does not return")
		return nil
	}
}

func isUnsent(err error) bool {
	var u *ringwire.UnsentError
	return errors.As(err, &u)
}
