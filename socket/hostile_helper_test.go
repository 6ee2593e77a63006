package socket_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// hostileGuard ends a test that hangs; nothing is expected to take this long.
const hostileGuard = 30 * time.Second

// hostileUntil polls until done is true.
func hostileUntil(t testing.TB, what string, done func() bool) {
	t.Helper()
	if !hostileWaits(done) {
		stacks := make([]byte, 1<<20)
		t.Fatalf("still waiting after %v for %s\n%s", hostileGuard, what, stacks[:runtime.Stack(stacks, true)])
	}
}

func hostileWaits(done func() bool) bool {
	for end := time.Now().Add(hostileGuard); !done(); {
		if time.Now().After(end) {
			return false
		}
		time.Sleep(200 * time.Microsecond)
	}
	return true
}

// hostileFiles counts the open descriptors, or returns 0 where the system does
// not list them.
func hostileFiles() int {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(list)
}

// hostileHeap is what is reachable.
func hostileHeap() int64 {
	for range 3 { // pools let go in two collections
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// hostileUsage is what a process must not lose.
type hostileUsage struct{ goroutines, files int }

func hostileUse() hostileUsage {
	hostilePoller()
	return hostileUsage{runtime.NumGoroutine(), hostileFiles()}
}

// hostilePoller has the runtime open the descriptors that it keeps.
var hostilePoller = sync.OnceFunc(func() {
	if l, err := net.Listen("tcp", "127.0.0.1:0"); err == nil {
		l.Close()
	}
})

// returns waits until the usage is no more than it was, plus slack goroutines.
func (u hostileUsage) returns(t testing.TB, slack int) {
	t.Helper()
	hostileUntil(t, fmt.Sprintf("the usage of %+v to come back (and %d goroutines)", u, slack), func() bool {
		now := hostileUse()
		return now.goroutines <= u.goroutines+slack && now.files <= u.files
	})
}

// hostileEvents collects the events of a socket.
type hostileEvents struct {
	mu   sync.Mutex
	list []socket.Event
	lost int
}

func hostileWatch(s *socket.Socket) *hostileEvents {
	e := new(hostileEvents)
	seq := s.Events(context.Background())
	go func() { // ends with the socket
		for ev := range seq {
			e.mu.Lock()
			e.list = append(e.list, ev)
			e.lost += ev.Lost
			e.mu.Unlock()
		}
	}()
	return e
}

func (e *hostileEvents) find(match func(*socket.Event) bool) (found []socket.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range e.list {
		if match(&e.list[i]) {
			found = append(found, e.list[i])
		}
	}
	return found
}

func (e *hostileEvents) reset() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = nil
}

// wait returns the first event that matches.
func (e *hostileEvents) wait(t testing.TB, what string, match func(*socket.Event) bool) socket.Event {
	t.Helper()
	var found []socket.Event
	if !hostileWaits(func() bool { found = e.find(match); return len(found) > 0 }) {
		t.Fatalf("no event: %s; got %v", what, e.find(func(*socket.Event) bool { return true }))
	}
	return found[0]
}

// hostileEnds are the kinds that end a connection: a peer raises one of them.
func hostileEnds(k socket.EventKind) bool {
	return k == socket.HandshakeFailed || k == socket.Rejected || k == socket.Disconnected
}

// hostileArena is a bound socket under attack, and a well-behaved peer that
// exchanges numbered messages with it all the time.
type hostileArena struct {
	base   *testing.T // of the whole arena
	t      *testing.T // of the attack in progress
	victim *socket.Socket
	good   *socket.Socket
	at     map[string]string // address by network
	events *hostileEvents

	ctx    context.Context
	rounds atomic.Int64
	stop   atomic.Bool
	pause  sync.Mutex    // held during an exchange
	idle   chan struct{} // closed when traffic ended
	before hostileUsage  // of nothing
	peace  hostileUsage  // of victim and good
}

// hostileTypes are the socket types under attack; the peer's type is the one
// that the attackers announce, too.
var hostileTypes = []struct{ victim, peer *pattern.Spec }{
	{pattern.Pull, pattern.Push}, {pattern.Router, pattern.Dealer}, {pattern.XPub, pattern.Sub},
	{pattern.Rep, pattern.Req}, {pattern.Sub, pattern.Pub}, {pattern.Pub, pattern.Sub},
}

func hostilePeerOf(victim *pattern.Spec) *pattern.Spec {
	for _, x := range hostileTypes {
		if x.victim == victim {
			return x.peer
		}
	}
	panic("no peer for " + victim.Name())
}

func hostileNew(t *testing.T, spec *pattern.Spec, opts *socket.Options) *hostileArena {
	t.Helper()
	a := &hostileArena{base: t, t: t, idle: make(chan struct{}), at: make(map[string]string), before: hostileUse()}
	var cancel context.CancelFunc
	a.ctx, cancel = context.WithCancel(context.Background())
	a.victim = hostileSocket(t, spec, opts)
	a.events = hostileWatch(a.victim)
	a.good = hostileSocket(t, hostilePeerOf(spec), &socket.Options{Identity: hostileIdentity(spec)})
	t.Cleanup(func() { a.finish(cancel) })
	a.at["tcp"] = hostileBind(t, a.victim, "tcp://127.0.0.1:0")
	if runtime.GOOS == "linux" { // elsewhere clients of a Unix socket cannot be told apart
		a.at["ipc"] = hostileBind(t, a.victim, "ipc://*")
	}
	if err := a.good.Connect("tcp://" + a.at["tcp"]); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*socket.Socket{a.victim, a.good} {
		if s.Type().Subscribes() {
			if err := s.Subscribe("good"); err != nil {
				t.Fatal(err)
			}
		}
	}
	ctx, done := context.WithTimeout(a.ctx, hostileGuard)
	defer done()
	for _, s := range []*socket.Socket{a.victim, a.good} {
		if err := s.WaitPeers(ctx, 1); err != nil {
			t.Fatal(err)
		}
		if s.Type() == pattern.Pub || s.Type() == pattern.XPub {
			if err := s.WaitSubscribers(ctx, "good", 1); err != nil {
				t.Fatal(err)
			}
		}
	}
	go a.traffic()
	a.beat()
	a.peace = hostileUse()
	return a
}

func hostileIdentity(victim *pattern.Spec) []byte {
	if victim == pattern.Router {
		return []byte("good")
	}
	return nil
}

func hostileSocket(t testing.TB, spec *pattern.Spec, opts *socket.Options) *socket.Socket {
	t.Helper()
	s, err := socket.New(spec, opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// hostileBind returns the address without its scheme.
func hostileBind(t testing.TB, s *socket.Socket, endpoint string) string {
	t.Helper()
	bound, err := s.Bind(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	_, address, _ := strings.Cut(bound, "://")
	return address
}

// traffic exchanges numbered messages until it is stopped.
func (a *hostileArena) traffic() {
	defer close(a.idle)
	for n := 0; !a.stop.Load(); n++ {
		a.pause.Lock()
		ctx, cancel := context.WithTimeout(a.ctx, hostileGuard)
		err := hostileExchange(ctx, a.victim, a.good, n)
		a.pause.Unlock()
		cancel()
		if err != nil {
			if !a.stop.Load() {
				a.base.Errorf("well-behaved peer, message %d: %v; victim %+v, peers %+v", n, err, a.victim.Stats(), a.victim.Peers())
			}
			return
		}
		a.rounds.Add(1)
	}
}

// hostileExchange moves message n between the victim and its well-behaved
// peer: there and back if the types can.
func hostileExchange(ctx context.Context, victim, good *socket.Socket, n int) error {
	number := strconv.Itoa(n)
	frames := [][]byte{[]byte("good"), []byte(number)}
	if !victim.Type().Receives() || victim.Type() == pattern.XPub {
		if err := victim.Send(ctx, frames...); err != nil {
			return err
		}
		return hostileExpect(ctx, good, number)
	}
	if err := good.Send(ctx, frames...); err != nil {
		return err
	}
	for {
		m, err := victim.Recv(ctx)
		if err != nil {
			return fmt.Errorf("at the victim: %w", err)
		}
		i := 0
		if victim.Type() == pattern.Router {
			i = 1
		}
		mine := m.Len() == i+2 && string(m.Frame(i)) == "good"
		if mine && string(m.Frame(i+1)) != number {
			return fmt.Errorf("at the victim: got message %q, want %q", m.Frame(i+1), number)
		}
		answer := victim.Type() == pattern.Rep || victim.Type() == pattern.Router && mine
		if answer {
			if err := victim.SendMessage(ctx, m); err != nil {
				return fmt.Errorf("reply: %w", err)
			}
		} else {
			m.Release()
		}
		switch {
		case mine && answer:
			return hostileExpect(ctx, good, number)
		case mine:
			return nil
		}
	}
}

func hostileExpect(ctx context.Context, s *socket.Socket, number string) error {
	m, err := s.Recv(ctx)
	if err != nil {
		return fmt.Errorf("at the peer: %w", err)
	}
	defer m.Release()
	if m.Len() != 2 || string(m.Frame(0)) != "good" || string(m.Frame(1)) != number {
		return fmt.Errorf("at the peer: got %d frames, %.80q, want good and %q", m.Len(), m.Bytes(), number)
	}
	return nil
}

// heap is what is reachable while no exchange is going on.
func (a *hostileArena) heap() int64 {
	a.events.reset()
	a.pause.Lock()
	defer a.pause.Unlock()
	return hostileHeap()
}

// beat waits until two exchanges that began after the call are through.
func (a *hostileArena) beat() {
	a.t.Helper()
	goal := a.rounds.Load() + 3
	hostileUntil(a.t, "the well-behaved peer's messages", func() bool {
		select {
		case <-a.idle:
			a.t.Fatal("the well-behaved peer's traffic has failed")
		default:
		}
		return a.rounds.Load() >= goal
	})
}

// calm checks that the attackers are gone without a trace. The sessions of
// victim and good may have started their writers since.
func (a *hostileArena) calm() {
	a.t.Helper()
	hostileUntil(a.t, "the attackers to be gone", func() bool { return len(a.victim.Peers()) == 1 })
	a.peace.returns(a.t, 3)
	a.beat()
}

// finish ends the arena with the checks that hold for every attack.
func (a *hostileArena) finish(cancel context.CancelFunc) {
	a.t = a.base
	if !a.base.Failed() {
		a.calm()
	}
	a.stop.Store(true)
	if a.base.Failed() {
		cancel()
	}
	<-a.idle
	cancel()
	if peers := a.good.Peers(); len(peers) != 1 || peers[0].Connections != 1 {
		a.base.Errorf("the well-behaved peer was thrown out: %+v", peers)
	}
	for _, s := range []*socket.Socket{a.good, a.victim} {
		st := s.Stats()
		if st.Accepted != st.Written+st.SendDropped.Total()+st.SendQueued || st.Arrived != st.Returned+st.RecvDropped.Total()+st.RecvQueued {
			a.base.Errorf("%v: messages are not accounted for: %+v", s.Type(), st)
		}
		var unsent *ringwire.UnsentError
		if err := s.Close(); err != nil && !errors.As(err, &unsent) {
			a.base.Errorf("close %v: %v", s.Type(), err)
		}
	}
	if !a.base.Failed() {
		a.before.returns(a.base, 0)
	}
}
