package socket_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/transport/inproc"
)

// confGuard keeps a test that hangs from hanging for ever. Nothing here takes
// a thirtieth of it.
const confGuard = 20 * time.Second

// confBlocked is how long a call that must wait is watched. The check cannot
// fail because a machine is slow: only a call that did not wait fails it.
const confBlocked = 20 * time.Millisecond

// confEnv is one run of a test over one transport.
type confEnv struct {
	*testing.T
	ctx     context.Context
	scheme  string
	network *inproc.Network // inproc: nobody else's names
	names   int
}

// confClause is one sentence of a specification and the test of it.
type confClause struct {
	name string
	test func(e *confEnv)
}

// confTable runs every clause over every transport.
func confTable(t *testing.T, clauses []confClause) {
	for _, c := range clauses {
		t.Run(c.name, func(t *testing.T) { confEach(t, c.test) })
	}
}

// confEach runs test over inproc, where time is synctest's, and over tcp and
// ipc for real.
func confEach(t *testing.T, test func(e *confEnv)) {
	for _, scheme := range []string{"inproc", "tcp", "ipc"} {
		t.Run(scheme, func(t *testing.T) { confOn(t, scheme, test) })
	}
}

// confOn runs test over one transport.
func confOn(t *testing.T, scheme string, test func(e *confEnv)) {
	if scheme != "inproc" {
		test(confNew(t, scheme))
		return
	}
	synctest.Test(t, func(t *testing.T) { test(confNew(t, scheme)) })
}

func confNew(t *testing.T, scheme string) *confEnv {
	ctx, cancel := context.WithTimeout(context.Background(), confGuard)
	t.Cleanup(cancel)
	return &confEnv{T: t, ctx: ctx, scheme: scheme, network: new(inproc.Network)}
}

// New makes a socket that ends with the test. Reconnecting is made fast.
func (e *confEnv) New(spec *pattern.Spec, opts *socket.Options) *socket.Socket {
	e.Helper()
	var o socket.Options
	if opts != nil {
		o = *opts
	}
	if o.ReconnectMin == 0 {
		o.ReconnectMin = 2 * time.Millisecond
	}
	if o.ReconnectMax == 0 && o.ReconnectMin > 0 {
		o.ReconnectMax = max(20*time.Millisecond, o.ReconnectMin)
	}
	o.Transports = append(o.Transports, e.network)
	s, err := socket.New(spec, &o)
	if err != nil {
		e.Fatalf("New(%s) = %v, want a socket", spec, err)
	}
	e.Cleanup(func() { confAbort(s) })
	return s
}

// confAbort closes s without delivering anything more.
func confAbort(s *socket.Socket) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s.Shutdown(ctx)
}

// Bind binds s to an endpoint of its own.
func (e *confEnv) Bind(s *socket.Socket) string {
	e.Helper()
	at := map[string]string{"tcp": "tcp://127.0.0.1:0", "ipc": "ipc://*"}[e.scheme]
	if at == "" {
		e.names++
		at = fmt.Sprintf("inproc://conf-%d", e.names)
	}
	return e.BindTo(s, at)
}

// BindTo binds s to a given endpoint.
func (e *confEnv) BindTo(s *socket.Socket, at string) string {
	e.Helper()
	bound, err := s.Bind(at)
	if err != nil {
		e.Fatalf("Bind(%s) = %v, want nil", at, err)
	}
	return bound
}

// Reserve returns an endpoint at which nobody is bound now.
func (e *confEnv) Reserve() string {
	e.Helper()
	switch e.scheme {
	case "inproc":
		e.names++
		return fmt.Sprintf("inproc://conf-%d", e.names)
	case "ipc":
		return "ipc://" + filepath.Join(confDir(e.T), "s")
	}
	s := e.New(pattern.Pull, nil)
	at := e.Bind(s)
	e.Close(s)
	return at
}

// confDir is a directory with a name that is short enough for an ipc path,
// which the one of testing.T.TempDir may not be.
func confDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "rw")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// Connect connects s to endpoints.
func (e *confEnv) Connect(s *socket.Socket, endpoints ...string) {
	e.Helper()
	for _, at := range endpoints {
		if err := s.Connect(at); err != nil {
			e.Fatalf("Connect(%s) = %v, want nil", at, err)
		}
	}
}

// Join binds one socket, connects the others to it, and waits until all know
// each other.
func (e *confEnv) Join(bound *socket.Socket, others ...*socket.Socket) (at string) {
	e.Helper()
	at = e.Bind(bound)
	for _, s := range others {
		e.Connect(s, at)
		e.WaitPeers(s, 1)
	}
	e.WaitPeers(bound, len(others))
	return at
}

// WaitPeers waits until s has n ready peers.
func (e *confEnv) WaitPeers(s *socket.Socket, n int) {
	e.Helper()
	if err := s.WaitPeers(e.ctx, n); err != nil {
		e.Fatalf("%s: WaitPeers(%d) = %v, want nil", s.Type(), n, err)
	}
}

// WaitSubscribers waits until n peers of s would receive topic.
func (e *confEnv) WaitSubscribers(s *socket.Socket, topic string, n int) {
	e.Helper()
	if err := s.WaitSubscribers(e.ctx, topic, n); err != nil {
		e.Fatalf("%s: WaitSubscribers(%q, %d) = %v, want nil", s.Type(), topic, n, err)
	}
}

// Subscribe subscribes s to topics.
func (e *confEnv) Subscribe(s *socket.Socket, topics ...string) {
	e.Helper()
	for _, topic := range topics {
		if err := s.Subscribe(topic); err != nil {
			e.Fatalf("%s: Subscribe(%q) = %v, want nil", s.Type(), topic, err)
		}
	}
}

// Close closes s without delivering anything more.
func (e *confEnv) Close(s *socket.Socket) { confAbort(s) }

func confBytes(frames []string) [][]byte {
	b := make([][]byte, len(frames))
	for i, f := range frames {
		b[i] = []byte(f)
	}
	return b
}

// confText is the frames of a message, which it releases.
func confText(m *ringwire.Message) []string {
	frames := make([]string, m.Len())
	for i := range frames {
		frames[i] = string(m.Frame(i))
	}
	m.Release()
	return frames
}

// Send sends a message of the given frames.
func (e *confEnv) Send(s *socket.Socket, frames ...string) {
	e.Helper()
	if err := s.Send(e.ctx, confBytes(frames)...); err != nil {
		e.Fatalf("%s: Send(%.60q) = %v, want nil", s.Type(), frames, err)
	}
}

// Recv receives a message.
func (e *confEnv) Recv(s *socket.Socket) []string {
	e.Helper()
	m, err := s.Recv(e.ctx)
	if err != nil {
		e.Fatalf("%s: Recv = %v, want a message; stats %+v", s.Type(), err, s.Stats())
	}
	return confText(m)
}

// Want receives a message and compares it.
func (e *confEnv) Want(s *socket.Socket, frames ...string) {
	e.Helper()
	if got := e.Recv(s); !slices.Equal(got, frames) {
		e.Fatalf("%s: Recv = %.80q, want %.80q", s.Type(), got, frames)
	}
}

// WantNone checks that nothing is there to be received. It says something
// only when whatever could come has come: see Until.
func (e *confEnv) WantNone(s *socket.Socket) {
	e.Helper()
	m, err := s.TryRecv()
	if !errors.Is(err, ringwire.ErrAgain) {
		if err == nil {
			e.Fatalf("%s: TryRecv = %.80q, want ErrAgain", s.Type(), confText(m))
		}
		e.Fatalf("%s: TryRecv = %v, want ErrAgain", s.Type(), err)
	}
}

// WantFull checks that a message cannot be sent now: TrySend refuses, Send
// waits until its context ends.
func (e *confEnv) WantFull(s *socket.Socket, frames ...string) {
	e.Helper()
	before := s.Stats().Accepted
	if err := s.TrySend(confBytes(frames)...); !errors.Is(err, ringwire.ErrAgain) {
		e.Fatalf("%s: TrySend(%.60q) = %v, want ErrAgain; stats %+v", s.Type(), frames, err, s.Stats())
	}
	ctx, cancel := context.WithTimeout(e.ctx, confBlocked)
	defer cancel()
	if err := s.Send(ctx, confBytes(frames)...); !errors.Is(err, context.DeadlineExceeded) {
		e.Fatalf("%s: Send(%.60q) = %v, want to wait until the deadline", s.Type(), frames, err)
	}
	if got := s.Stats().Accepted; got != before {
		e.Fatalf("%s: %d messages accepted by calls that failed, want 0", s.Type(), got-before)
	}
}

// Fill sends copies of a message until TrySend refuses one and then a Send has
// waited in vain, and returns how many were taken. With a connection there may
// be a little room again afterwards, when the kernel has moved on.
func (e *confEnv) Fill(s *socket.Socket, frames ...string) (n int) {
	e.Helper()
	for refused := false; n < 5000; n++ {
		err := s.TrySend(confBytes(frames)...)
		if errors.Is(err, ringwire.ErrAgain) {
			refused = true
			ctx, cancel := context.WithTimeout(e.ctx, confBlocked)
			err = s.Send(ctx, confBytes(frames)...)
			cancel()
		}
		if refused && errors.Is(err, context.DeadlineExceeded) {
			return n
		}
		if err != nil {
			e.Fatalf("%s: TrySend after %d messages = %v, want nil or ErrAgain", s.Type(), n, err)
		}
	}
	e.Fatalf("%s: %d messages sent without end, want ErrAgain", s.Type(), n)
	return n
}

// Until polls for something that no call waits for.
func (e *confEnv) Until(what string, done func() bool) {
	e.Helper()
	for !done() {
		if e.ctx.Err() != nil {
			e.Fatalf("still not so after %v: %s", confGuard, what)
		}
		select {
		case <-time.After(time.Millisecond):
		case <-e.ctx.Done():
		}
	}
}

// Accounts checks that s can account for every message.
func (e *confEnv) Accounts(s *socket.Socket) {
	e.Helper()
	c := s.Stats().Counters
	if c.Accepted != c.Written+c.SendDropped.Total()+c.SendQueued {
		e.Errorf("%s: accepted %d, want written %d + dropped %d + queued %d; %+v",
			s.Type(), c.Accepted, c.Written, c.SendDropped.Total(), c.SendQueued, c)
	}
	if c.Arrived != c.Returned+c.RecvDropped.Total()+c.RecvQueued {
		e.Errorf("%s: arrived %d, want returned %d + dropped %d + queued %d; %+v",
			s.Type(), c.Arrived, c.Returned, c.RecvDropped.Total(), c.RecvQueued, c)
	}
}

// Events collects the events of s from now on; the returned function waits
// for the next one of a kind.
func (e *confEnv) Events(s *socket.Socket) (next func(kinds ...socket.EventKind) socket.Event) {
	ctx, cancel := context.WithCancel(e.ctx)
	events := s.Events(ctx)
	ch := make(chan socket.Event)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ev := range events {
			select {
			case ch <- ev:
			case <-ctx.Done():
			}
		}
	}()
	e.Cleanup(func() { cancel(); <-done })
	return func(kinds ...socket.EventKind) socket.Event {
		e.Helper()
		var seen []string
		for {
			select {
			case ev := <-ch:
				if slices.Contains(kinds, ev.Kind) {
					return ev
				}
				seen = append(seen, fmt.Sprintf("%v(%v)", ev.Kind, ev.Err))
			case <-done:
				e.Fatalf("%s: the events ended, want one of %v; seen %v", s.Type(), kinds, seen)
			case <-e.ctx.Done():
				e.Fatalf("%s: no event of %v within %v; seen %v", s.Type(), kinds, confGuard, seen)
			}
		}
	}
}

// confBig is a message body that fills queues and kernel buffers quickly.
var confBig = strings.Repeat("x", 64<<10)

// confDone is a context that has ended: a wait with it is a look.
var confDone = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// confPort is the port of a tcp endpoint.
func confPort(t *testing.T, endpoint string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(strings.TrimPrefix(endpoint, "tcp://"))
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// confHasIPv6 reports whether this machine has a loopback address of IPv6.
func confHasIPv6() bool {
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		return false
	}
	l.Close()
	return true
}
