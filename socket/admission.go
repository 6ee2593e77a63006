package socket

import (
	"container/list"
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/ringwire/ringwire"
)

// admission decides which connections become peers, before a byte of them is read:
// how many there may be, how many of one address, how often an address may come, and
// how many may be in the handshake at once.
type admission struct {
	// Immutable. No limit is -1.
	connections int
	perAddress  int
	rate        int
	handshakes  int
	ownExempt   [2]bool // perAddress, rate: they are defaults, which do not hold for this machine itself

	mu       sync.Mutex
	accepted int
	origins  map[netip.Prefix]*origin
	swept    time.Time // when origins that say nothing were last forgotten
	shaking  list.List // of *entrant, the oldest first
	freed    chan struct{}
}

// entrant is an accepted connection, or a peer of this process.
type entrant struct {
	admission *admission
	conn      net.Conn // nil over inproc
	from      *origin  // nil: nothing is counted for its address

	// Guarded by the admission's mu.
	since   time.Time // in the handshake since then
	at      *list.Element
	evicted error // why its handshake was ended to make room, nil if it was not; immutable after shaken
}

// origin is an IPv4 address, or an IPv6 network of 64 bits, which one customer has.
type origin struct {
	connections int
	tokens      float64 // connections that it may make at once
	at          time.Time
}

const (
	// rateBurst is how many seconds' worth of connections may come at once.
	rateBurst = 2
	// shakeTime is how long a handshake may take when there is no room for another
	// one. One of a peer that means well takes a round trip or two.
	shakeTime = 100 * time.Millisecond
	// sweepTime is how often origins are looked through.
	sweepTime = time.Second
)

func newAdmission(o *Options) *admission {
	limit := func(n, def int) (int, bool) {
		if n == 0 {
			return def, true
		}
		return n, false
	}
	a := &admission{
		connections: o.MaxConnections, handshakes: o.MaxHandshakes,
		origins: make(map[netip.Prefix]*origin), swept: time.Now(), freed: make(chan struct{}, 1),
	}
	a.perAddress, a.ownExempt[0] = limit(o.MaxConnectionsPerAddress, DefaultMaxConnectionsPerAddress)
	a.rate, a.ownExempt[1] = limit(o.MaxAcceptRate, DefaultMaxAcceptRate)
	return a
}

// admit takes a connection, or refuses it. It waits while too many handshakes are in
// progress; the error is then ctx's if that ends first.
func (a *admission) admit(ctx context.Context, conn net.Conn) (*entrant, error) {
	e := &entrant{admission: a, conn: conn}
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.full(); err != nil {
		return nil, err
	}
	if err := a.count(e, time.Now()); err != nil {
		return nil, err
	}
	a.accepted++
	for a.handshakes >= 0 && a.shaking.Len() >= a.handshakes {
		if err := a.evict(ctx); err != nil {
			a.left(e)
			return nil, err
		}
	}
	e.since = time.Now()
	e.at = a.shaking.PushBack(e)
	return e, nil
}

// join takes a peer of this process.
func (a *admission) join() (*entrant, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.full(); err != nil {
		return nil, err
	}
	a.accepted++
	return &entrant{admission: a}, nil
}

// full needs mu.
func (a *admission) full() error {
	if a.connections < 0 || a.accepted < a.connections {
		return nil
	}
	return fmt.Errorf("there are %d connections, limit %d (MaxConnections): %w", a.accepted, a.connections, ringwire.ErrRejected)
}

// count looks at the limits of the address that e comes from. Needs mu.
func (a *admission) count(e *entrant, now time.Time) error {
	tcp, ok := e.conn.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return nil
	}
	perAddress, rate := a.perAddress, a.rate
	if tcp.IP.IsLoopback() {
		if a.ownExempt[0] {
			perAddress = -1
		}
		if a.ownExempt[1] {
			rate = -1
		}
	}
	if perAddress < 0 && rate < 0 {
		return nil
	}
	a.sweep(now)
	prefix := network(tcp)
	from := a.origins[prefix]
	if from == nil {
		from = &origin{tokens: float64(rateBurst * rate), at: now}
		a.origins[prefix] = from
	}
	if rate >= 0 {
		from.refill(rate, now)
		if from.tokens < 1 {
			return fmt.Errorf("%v makes more than %d connections in a second (MaxAcceptRate): %w", prefix, rate, ringwire.ErrRejected)
		}
		from.tokens--
	}
	if perAddress >= 0 && from.connections >= perAddress {
		return fmt.Errorf("%v has %d connections, limit %d (MaxConnectionsPerAddress): %w", prefix, from.connections, perAddress, ringwire.ErrRejected)
	}
	from.connections++
	e.from = from
	return nil
}

func (o *origin) refill(rate int, now time.Time) {
	o.tokens = min(o.tokens+now.Sub(o.at).Seconds()*float64(rate), float64(rateBurst*rate))
	o.at = now
}

// network is what limits of one address hold for.
func network(tcp *net.TCPAddr) netip.Prefix {
	ip := tcp.AddrPort().Addr().Unmap().WithZone("")
	bits := 32
	if ip.Is6() {
		bits = 64
	}
	p, _ := ip.Prefix(bits) // of an address without a zone: cannot fail
	return p
}

// sweep forgets origins that say nothing any more. Needs mu.
func (a *admission) sweep(now time.Time) {
	if now.Sub(a.swept) < sweepTime {
		return
	}
	a.swept = now
	for prefix, o := range a.origins {
		if o.connections == 0 && now.Sub(o.at) >= rateBurst*time.Second {
			delete(a.origins, prefix)
		}
	}
}

// evict makes room for one more handshake: it ends the oldest, once that has had its
// time. It needs mu, which it gives back while it waits.
func (a *admission) evict(ctx context.Context) error {
	oldest := a.shaking.Front().Value.(*entrant)
	if left := shakeTime - time.Since(oldest.since); left > 0 {
		a.mu.Unlock()
		defer a.mu.Lock()
		timer := time.NewTimer(left)
		defer timer.Stop()
		select {
		case <-a.freed:
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		return nil
	}
	oldest.evicted = fmt.Errorf("%d handshakes are in progress, limit %d (MaxHandshakes), and this one is the oldest: %w",
		a.shaking.Len(), a.handshakes, ringwire.ErrRejected)
	a.shaking.Remove(oldest.at)
	oldest.at = nil
	oldest.conn.Close()
	return nil
}

// shaken ends the handshake, which had err; it returns why it failed.
func (e *entrant) shaken(err error) error {
	a := e.admission
	a.mu.Lock()
	defer a.mu.Unlock()
	if e.at != nil {
		a.shaking.Remove(e.at)
		e.at = nil
		select {
		case a.freed <- struct{}{}:
		default:
		}
	}
	if e.evicted != nil {
		return e.evicted
	}
	return err
}

// leave ends the connection.
func (e *entrant) leave() {
	e.admission.mu.Lock()
	defer e.admission.mu.Unlock()
	e.admission.left(e)
}

// left needs mu.
func (a *admission) left(e *entrant) {
	a.accepted--
	if e.from != nil {
		e.from.connections--
	}
}
