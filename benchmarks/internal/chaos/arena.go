package chaos

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/sockettest"
	"github.com/ringwire/ringwire/transport"
)

// guard is how long anything in memory may take that takes milliseconds, before
// it counts as a hang: far more than a busy machine delays it.
const guard = 5 * time.Second

// service is the name that leaves connect to; which host has it can change.
const (
	service = "service"
	port    = "5555"
)

// arena is one run in memory: a hub, which is bound, and leaves, which connect.
type arena struct {
	// Immutable.
	plan    *Plan
	network *sockettest.Network
	began   time.Time

	// Owned by the goroutine of the run.
	hub      *seat
	leaves   []*seat
	extra    []*seat // impostors
	lanes    uint32
	hosts    int
	failures []string
	recovery map[Fault][]float64
	keys     *keys

	frozen sync.Map // host name: a channel that is closed when it goes on; written by the goroutine of the run, read by the network's callers

	mu      sync.Mutex
	address string // the host that has the service's name; guarded by mu
}

// seat is one place of a run, with the sockets that were there one after another.
// Owned by the goroutine of the run.
type seat struct {
	name     string
	host     string
	hub      bool
	sends    bool
	identity []byte
	now      *tenant // nil: empty
	past     []*tenant
}

// principal names who is in the seat: an impostor has stolen that, too, or his socket
// would not even be compared with the owner's.
func (s *seat) principal() string {
	if s.identity != nil {
		return string(s.identity)
	}
	return s.name
}

// tenant is one socket.
type tenant struct {
	// Immutable after open.
	lane    uint32
	socket  *socket.Socket
	options *socket.Options
	station *Station
	watcher *watcher
	log     *Log
	closed  chan struct{} // closed when it is

	// Owned by close until closed is.
	unsent int64 // that Shutdown told of
	stats  socket.Stats
	failed string
}

func newArena(p *Plan) *arena {
	a := &arena{plan: p, network: sockettest.NewNetwork(p.Seed), began: time.Now(), recovery: make(map[Fault][]float64), address: "hub0"}
	a.hub = &seat{name: "the bound side", host: "hub0", hub: true, sends: p.HubSends}
	for i := range p.Leaves {
		name := fmt.Sprintf("leaf%d", i)
		a.leaves = append(a.leaves, &seat{name: name, host: name, sends: !p.HubSends, identity: []byte(name)})
	}
	a.network.Hook(a.hook)
	a.setLinks(p.Link)
	return a
}

func (a *arena) now() int64 { return int64(time.Since(a.began)) }

func (a *arena) fail(format string, args ...any) {
	a.failures = append(a.failures, fmt.Sprintf(format, args...))
}

// setLinks sets the links between the hub and all leaves.
func (a *arena) setLinks(l sockettest.Link) {
	for _, leaf := range a.leaves {
		a.network.SetLink(a.hub.host, leaf.host, l)
	}
}

// hook holds up what a frozen host does.
func (a *arena) hook(op sockettest.Op) error {
	host, _, _ := strings.Cut(op.Local, ":")
	if gate, ok := a.frozen.Load(host); ok && op.Kind != sockettest.OpClose {
		<-gate.(chan struct{})
	}
	return nil
}

// freeze stops hosts at their next operation, until the function it returns is
// called.
func (a *arena) freeze(hosts ...string) (thaw func()) {
	gate := make(chan struct{})
	for _, h := range hosts {
		a.frozen.Store(h, gate)
	}
	return func() {
		for _, h := range hosts {
			a.frozen.Delete(h)
		}
		close(gate)
	}
}

// moving is the transport of a host on which the service's name can change.
type moving struct {
	transport.Stream
	arena *arena
}

func (m moving) Dial(ctx context.Context, address string, o *transport.Options) (net.Conn, error) {
	if name, rest, _ := strings.Cut(address, ":"); name == service {
		m.arena.mu.Lock()
		address = m.arena.address + ":" + rest
		m.arena.mu.Unlock()
	}
	return m.Stream.Dial(ctx, address, o)
}

// open puts a new socket in a seat.
func (a *arena) open(s *seat) error {
	o := a.plan.Recv
	if s.sends {
		o = a.plan.Send
	}
	if a.keys == nil {
		k, err := newKeys()
		if err != nil {
			return err
		}
		a.keys = k
	}
	if err := a.keys.secure(&o, a.plan.Mechanism, s.principal(), s.hub); err != nil {
		return err
	}
	t := typeOf(a.plan.Pattern, s.sends)
	if t.Identifies() && s.identity != nil {
		o.Identity = s.identity
	}
	o.Transports = []transport.Transport{moving{a.network.Host(s.host), a}}
	sock, err := openRingwire(a.plan.Pattern, s.sends, &o)
	if err != nil {
		return err
	}
	a.lanes++
	n := &tenant{closed: make(chan struct{}), lane: a.lanes, socket: sock, options: &o, log: NewLog(a.now)}
	largest := a.plan.Load.largest() + 1<<10 // with a route in front, or an answer of no lane
	if a.plan.has(F13) {
		largest += limit
	}
	n.watcher = watch(sock, &o, largest)
	s.now = n
	if s.hub {
		end := time.Now().Add(guard)
		for {
			_, err = sock.Bind("mem://" + s.host + ":" + port)
			if !errors.Is(err, syscall.EADDRINUSE) || time.Now().After(end) {
				break
			}
			time.Sleep(time.Millisecond) // the socket before it is about to be closed
		}
	} else {
		err = sock.Connect("mem://" + service + ":" + port)
	}
	n.station = StartStation(a.plan.Pattern, s.sends, n.lane, a.plan.Load, 0, &ringwireLink{socket: sock}, n.log, a.now)
	return err
}

// leave empties a seat: the socket goes on delivering for linger, which may be
// over at once. It does not wait for that.
func (a *arena) leave(s *seat, linger time.Duration) *tenant {
	n := s.now
	s.now = nil
	s.past = append(s.past, n)
	go func() {
		defer close(n.closed)
		n.close(linger)
	}()
	return n
}

// await waits for the end of a socket.
func (a *arena) await(n *tenant) {
	select {
	case <-n.closed:
	case <-time.After(3 * guard):
		a.fail("a Shutdown has not returned after %v", 3*guard)
	}
}

// close closes the socket and takes its last counters.
func (n *tenant) close(linger time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), linger)
	defer cancel()
	err := n.socket.Shutdown(ctx)
	if unsent, ok := errors.AsType[*ringwire.UnsentError](err); ok {
		n.unsent = unsent.Messages
	} else if err != nil {
		n.failed = err.Error()
	}
	n.station.Wait()
	n.watcher.end()
	n.stats = n.socket.Stats()
}

// all are the seats.
func (a *arena) all() []*seat { return append(append([]*seat{a.hub}, a.leaves...), a.extra...) }

// senders and receivers are seats by what they do with messages.
func (a *arena) senders() []*seat   { return a.side(true) }
func (a *arena) receivers() []*seat { return a.side(false) }

func (a *arena) side(sends bool) (list []*seat) {
	for _, s := range a.all() {
		if s.sends == sends {
			list = append(list, s)
		}
	}
	return list
}

// run plays the plan.
func (a *arena) run(ctx context.Context) {
	late := a.plan.has(F11)
	for _, s := range a.all() {
		if s.hub && late {
			continue
		}
		if err := a.open(s); err != nil {
			a.fail("open %s: %v", s.name, err)
			return
		}
	}
	if late {
		a.pause(30 * time.Millisecond)
		if err := a.open(a.hub); err != nil {
			a.fail("open %s: %v", a.hub.name, err)
			return
		}
		a.recovered(F11, a.now(), a.leaves)
	} else {
		a.recovered("", a.now(), a.leaves) // before that nothing can be interrupted
	}
	for _, f := range a.plan.Faults {
		if ctx.Err() != nil || len(a.failures) > 0 {
			break
		}
		a.pause(f.After)
		about := a.inject(f)
		a.recovered(f.Fault, a.now(), about)
	}
	a.end()
}

func (a *arena) pause(d time.Duration) { time.Sleep(d) }

// recovered waits until messages arrive that were made after the moment, from or
// at each of the leaves.
func (a *arena) recovered(f Fault, moment int64, leaves []*seat) {
	end := time.Now().Add(guard)
	for _, leaf := range leaves {
		for !a.arrives(leaf, moment) {
			if time.Now().After(end) {
				a.fail("no message went between %s and %s within %v after %s; the last failures: %q and %q", leaf.name, a.hub.name, guard, f,
					leaf.now.watcher.failure(), a.hub.now.watcher.failure())
				return
			}
			time.Sleep(500 * time.Microsecond)
		}
	}
	if f != "" {
		a.recovery[f] = append(a.recovery[f], float64(a.now()-moment)/1e6)
	}
}

// arrives reports whether a message made after the moment went to or from leaf.
func (a *arena) arrives(leaf *seat, moment int64) bool {
	if leaf.sends {
		return a.hub.now.log.Latest(leaf.now.lane) > moment
	}
	return leaf.now.log.Latest() > moment
}

// end stops sending, lets everything arrive, and closes what is left.
func (a *arena) end() {
	for _, s := range a.senders() {
		if s.now != nil {
			s.now.station.StopSending(a.patience())
		}
	}
	if a.plan.Confirmed && len(a.failures) == 0 {
		ctx, cancel := context.WithTimeout(context.Background(), guard)
		for _, s := range a.senders() {
			if s.now == nil {
				continue
			}
			// ErrNoReceipt tells of what was lost before.
			if err := s.now.socket.Confirm(ctx); err != nil && !errors.Is(err, ringwire.ErrNoReceipt) {
				a.fail("Confirm of %s: %v", s.name, err)
			}
		}
		cancel()
	}
	for _, s := range a.senders() {
		if s.now != nil {
			a.await(a.leave(s, guard/2))
		}
	}
	a.settle()
	for _, s := range a.receivers() {
		if s.now != nil {
			a.await(a.leave(s, 0))
		}
	}
	for _, s := range a.all() {
		for _, n := range s.past {
			a.await(n)
		}
	}
}

// patience is how long a last call may take that waits for room.
func (a *arena) patience() time.Duration { return 300 * time.Millisecond }

// settle waits until receivers have returned what arrived: until nothing is
// connected and queued any more, or nothing changes.
func (a *arena) settle() {
	const still = 150 * time.Millisecond
	last, since := int64(-1), time.Now()
	for time.Since(since) < still {
		queued, returned := int64(0), int64(0)
		for _, s := range a.receivers() {
			if s.now != nil {
				st := s.now.socket.Stats()
				queued += st.RecvQueued
				returned += st.Returned
			}
		}
		if queued == 0 && a.network.Connections() == 0 {
			return
		}
		if returned != last {
			last, since = returned, time.Now()
		}
		time.Sleep(2 * time.Millisecond)
	}
}
