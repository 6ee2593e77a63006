// Package transporttest checks that a transport.Stream keeps the promises that
// sockets rely on. Each subtest is named after the rule that it checks.
//
//	func TestConformance(t *testing.T) {
//		transporttest.Run(t, tcp.Transport{}, func(*testing.T) string { return "127.0.0.1:0" })
//	}
//
// The kit uses nothing but the interface: it refuses to judge options, speed
// and the grammar of one transport, which is for that transport's own tests.
// It finds hangs by deadlines of thirty seconds. Start reading at [Run].
package transporttest

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/ringwire/ringwire/transport"
)

// patience bounds every wait of the kit; a rule that takes this long is broken.
const patience = 30 * time.Second

// Run runs all rules against s as subtests of t. addr returns an address that
// can be bound and that no earlier call has returned, or one that lets the
// system choose, such as "127.0.0.1:0"; it may use t to clean up.
//
// The rules run one after the other, and each leaves no goroutine behind
// unless s does.
func Run(t *testing.T, s transport.Stream, addr func(t *testing.T) string) {
	k := kit{stream: s, addr: addr}
	for _, rule := range []struct {
		name  string
		check func(*testing.T)
	}{
		{"the scheme makes an endpoint that Split understands", k.scheme},
		{"bytes arrive unchanged in both directions", k.echo},
		{"large data arrives complete and in order both ways at once", k.large},
		{"a deadline in the past wakes a parked read and leaves the connection whole", k.deadline},
		{"closing a connection wakes its reader", k.closeWakes},
		{"the far end of a closed connection reads the rest, then EOF", k.drain},
		{"half close ends one direction only", k.halfClose},
		{"connections outlive their listener", k.outlive},
		{"closing a listener wakes Accept with net.ErrClosed", k.closeListener},
		{"closing a listener twice is an error that is net.ErrClosed", k.closeTwice},
		{"Endpoint can be dialed and checked", k.endpoint},
		{"an address is free again after its listener closed", k.rebind},
		{"an address in use is refused with EADDRINUSE", k.inUse},
		{"a dial to nobody fails within its deadline", k.nobody},
		{"a dial whose context is done fails with its error", k.cancelled},
		{"cancelling the context after a dial leaves the connection alone", k.cancelLater},
		{"a bad address is refused by Check, Dial and Listen with the same EndpointError", k.badAddress},
		{"Check does no I/O", k.checkOnly},
		{"an option without meaning is refused", k.badOption},
	} {
		t.Run(rule.name, rule.check)
	}
}

// kit is what every rule has at hand. Immutable.
type kit struct {
	stream transport.Stream
	addr   func(t *testing.T) string
}

func (k kit) context(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func (k kit) listen(t *testing.T) transport.Listener {
	t.Helper()
	address := k.addr(t)
	l, err := k.stream.Listen(k.context(t), address, nil)
	if err != nil {
		t.Fatalf("Listen(%q): %v", address, err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// accepted is what one call of Accept gave.
type accepted struct {
	conn net.Conn
	err  error
}

func accept(l transport.Listener) <-chan accepted {
	result := make(chan accepted, 1)
	go func() {
		conn, err := l.Accept()
		result <- accepted{conn, err}
	}()
	return result
}

// connect makes a connection to l. Both ends have a deadline, so that a broken
// rule cannot hang.
func (k kit) connect(t *testing.T, l transport.Listener) (dialed, taken net.Conn) {
	t.Helper()
	waiting := accept(l)
	dialed, err := k.stream.Dial(k.context(t), l.Endpoint(), nil)
	if err != nil {
		l.Close()
		if got := <-waiting; got.conn != nil {
			got.conn.Close()
		}
		t.Fatalf("Dial(%q): %v", l.Endpoint(), err)
	}
	t.Cleanup(func() { dialed.Close() })
	got := receive(t, waiting, "Accept did not return")
	if got.err != nil {
		t.Fatalf("Accept: %v", got.err)
	}
	t.Cleanup(func() { got.conn.Close() })
	limit := time.Now().Add(patience)
	for _, conn := range []net.Conn{dialed, got.conn} {
		if err := conn.SetDeadline(limit); err != nil {
			t.Fatalf("SetDeadline: %v", err)
		}
	}
	return dialed, got.conn
}

func (k kit) pair(t *testing.T) (dialed, taken net.Conn) {
	t.Helper()
	return k.connect(t, k.listen(t))
}

// receive waits for a value, but not for ever.
func receive[T any](t *testing.T, from <-chan T, complaint string) T {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case value := <-from:
		return value
	case <-timer.C:
		t.Fatal(complaint)
		panic("unreachable")
	}
}
