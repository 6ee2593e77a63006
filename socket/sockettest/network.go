// Package sockettest is for tests of programs that use Ringwire: a network in
// memory that can be slow, narrow, cut, partitioned and corrupted, and a check
// for leaks.
//
// A [Network] has hosts, each of which is a transport for socket.Options:
//
//	func TestPartition(t *testing.T) {
//		synctest.Test(t, func(t *testing.T) {
//			sockettest.CheckLeaks(t)
//			network := sockettest.NewNetwork(1)
//			server, err := socket.New(pattern.Rep, &socket.Options{
//				Transports: []transport.Transport{network.Host("server")},
//			})
//			...
//			endpoint, err := server.Bind("mem://server:5555")
//			...
//			client, err := socket.New(pattern.Req, &socket.Options{
//				Transports: []transport.Transport{network.Host("client")},
//			})
//			...
//			network.SetLink("client", "server", sockettest.Link{Latency: 20 * time.Millisecond})
//			network.Partition("client", "server")
//			// What does the code under test do now?
//			network.Heal("client", "server")
//		})
//	}
//
// The example of this package is such a program, to be copied. Everything
// waits on condition variables and timers only, so a network that is made
// inside a bubble of testing/synctest runs on the bubble's clock: an hour of
// latency takes no time, and is exact to the nanosecond. Outside of one it
// runs on the real clock. A network starts no goroutine but for timers
// and contexts that end, and keeps nothing outside of its [Network]; a bubble
// must not use the network of another.
//
// All that is drawn at random comes from the seed. What is drawn for a
// connection depends on the seed, the two hosts, how many connections were
// dialed that way before, and its own reads and writes, not on what other
// connections do; which goroutine comes first is the scheduler's to say.
//
// The package does not imitate everything that TCP does. There are no
// retransmissions, a reset discards what the other end has not read yet, which
// a kernel may or may not do, and room in a buffer is known to the writer at
// once. It has no datagrams and no names but those of hosts. Start reading at
// [Network].
package sockettest

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/ringwire/ringwire/transport"
)

// Network is hosts in memory and the links between them. Every pair of hosts
// has a link, and so has a host with itself; it is perfect until SetLink says
// otherwise. Methods are safe for concurrent use and, but for what they say,
// never wait; what they change holds for connections that exist and for those
// to come. A name that is not made of letters, digits, '-', '.' and '_' makes
// any of them panic. NewNetwork makes one; it needs no closing.
type Network struct {
	seed uint64 // immutable

	mu sync.Mutex
	// Guarded by mu.
	now      time.Time // when mu was taken
	changed  sync.Cond // where Dial and Accept wait
	machines map[string]*machine
	wires    map[way]*wire
	pairs    map[*pair]struct{} // of which an end is not closed
	hook     func(Op) error
	ops      int64
}

// machine is what is known about a host. Guarded by the network's mu.
type machine struct {
	vanished  bool
	refuses   bool
	acceptErr error
	listeners map[int]*listener
	port      int // the last that was chosen
}

// way is one direction of a link.
type way struct{ from, to string }

// NewNetwork returns a network without connections. The same seed draws the
// same jitter, sizes of partial reads and writes, and corruption.
func NewNetwork(seed uint64) *Network {
	n := &Network{
		seed:     seed,
		machines: make(map[string]*machine),
		wires:    make(map[way]*wire),
		pairs:    make(map[*pair]struct{}),
	}
	n.changed.L = &n.mu
	return n
}

// Host returns the transport of a host, for socket.Options.Transports: scheme
// "mem", endpoints "mem://host:port". It is the host that listens and dials
// through it, so each simulated machine needs its own. Two calls with one name
// are the same host.
//
// It listens at its own name, or "*", which means the same, and at port 1 to
// 65535, or 0 or "*", which choose one. It dials any host; a host that nobody
// asked for is one without listeners. Dialing takes a round trip, without
// jitter and bandwidth. A dial that nobody listens for is refused, one whose
// listener has more than transport.Options.Backlog connections (0: 128)
// waiting for Accept waits, too. Other transport.Options are checked and
// ignored.
//
// Connections have deadlines and CloseWrite. Errors are *net.OpError around
// the error that TCP has: syscall.ECONNREFUSED, ECONNRESET, EPIPE, EADDRINUSE,
// os.ErrDeadlineExceeded, net.ErrClosed. Close lets the far end read what is
// under way, then io.EOF, and fails its writes with EPIPE from when it learns
// of it; a Close with bytes that arrived and were not read is a reset: the far
// end loses what it has not read and gets ECONNRESET.
func (n *Network) Host(name string) transport.Stream {
	mustName(name)
	return host{n: n, name: name}
}

// Connections is how many connections there are of which at least one end was
// not closed, those that were cut or reset included: what an application that
// forgets to close leaves behind. One that waits for Accept counts.
func (n *Network) Connections() int {
	n.lock()
	defer n.mu.Unlock()
	return len(n.pairs)
}

// lock takes mu. All that is done under it is done at one instant: what has
// not come when it was looked at must not have come when the alarm is set, or
// nobody would be woken for it.
func (n *Network) lock() {
	n.mu.Lock()
	n.now = time.Now()
}

// sleep waits at a condition variable of mu.
func (n *Network) sleep(cond *sync.Cond) {
	cond.Wait()
	n.now = time.Now()
}

// machine needs mu.
func (n *Network) machine(name string) *machine {
	m := n.machines[name]
	if m == nil {
		m = &machine{listeners: make(map[int]*listener), port: firstPort - 1}
		n.machines[name] = m
	}
	return m
}

// wire needs mu.
func (n *Network) wire(from, to string) *wire {
	k := way{from, to}
	w := n.wires[k]
	if w == nil {
		w = &wire{n: n}
		n.wires[k] = w
	}
	return w
}

// between is the connections between two hosts, in no order. It needs mu.
func (n *Network) between(a, b string) []*pair {
	return slices.DeleteFunc(slices.Collect(maps.Keys(n.pairs)), func(p *pair) bool {
		from, to := p.ends[0].host, p.ends[1].host
		return (from != a || to != b) && (from != b || to != a)
	})
}

// wake has everybody who waits look again. It needs mu.
func (n *Network) wake() {
	n.changed.Broadcast()
	for p := range n.pairs {
		p.wake()
	}
}

// firstPort is the first of the ports that are chosen, as in the IANA range.
const firstPort = 49152

// choose returns a port without a listener, 0 if there is none. It needs the
// network's mu.
func (m *machine) choose() int {
	for range 1<<16 - firstPort {
		if m.port++; m.port >= 1<<16 {
			m.port = firstPort
		}
		if m.listeners[m.port] == nil {
			return m.port
		}
	}
	return 0
}

func mustName(names ...string) {
	for _, name := range names {
		if !isName(name) {
			panic(fmt.Sprintf("sockettest: %q is no name for a host, want letters, digits, '-', '.' and '_'.", name))
		}
	}
}
