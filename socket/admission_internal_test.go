package socket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwire/ringwire"
)

// guest is a connection of which only the address and the end matter.
type guest struct {
	net.Conn
	from   net.TCPAddr
	closed bool
}

func (g *guest) RemoteAddr() net.Addr { return &g.from }
func (g *guest) Close() error         { g.closed = true; return nil }

func from(ip string) *guest { return &guest{from: net.TCPAddr{IP: net.ParseIP(ip), Port: 1}} }

func admissionOf(t *testing.T, opts Options) *admission {
	t.Helper()
	o, err := opts.validate(nil)
	if err != nil {
		t.Fatal(err)
	}
	return newAdmission(o)
}

func refused(t *testing.T, err error, limit string) {
	t.Helper()
	if !errors.Is(err, ringwire.ErrRejected) || !strings.Contains(err.Error(), limit) {
		t.Errorf("got %v, want a refusal that names %s", err, limit)
	}
}

// TestAcceptRate: an address may come so often in a second, and twice as often at
// once; others are not held up by it.
func TestAcceptRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := admissionOf(t, Options{MaxAcceptRate: 50})
		come := func(ip string) error {
			e, err := a.admit(t.Context(), from(ip))
			if err == nil {
				e.shaken(nil)
				e.leave()
			}
			return err
		}
		for i := range 100 {
			if err := come("192.0.2.1"); err != nil {
				t.Fatalf("connection %d: %v", i, err)
			}
		}
		refused(t, come("192.0.2.1"), "MaxAcceptRate")
		refused(t, come("::ffff:192.0.2.1"), "MaxAcceptRate")
		if err := come("192.0.2.2"); err != nil {
			t.Errorf("another address: %v", err)
		}
		time.Sleep(time.Second / 50)
		if err := come("192.0.2.1"); err != nil {
			t.Errorf("a fiftieth of a second later: %v", err)
		}
		refused(t, come("192.0.2.1"), "MaxAcceptRate")

		for i := range 10_000 {
			come(fmt.Sprintf("2001:db8:%x::1", i))
		}
		time.Sleep(3 * time.Second)
		come("192.0.2.1")
		if n := len(a.origins); n != 1 {
			t.Errorf("%d addresses are remembered after they left, want 1", n)
		}
	})
}

// TestConnectionsPerAddress: what is one customer counts as one: an IPv4 address, an
// IPv6 network of 64 bits. This machine itself is exempt unless the option is set.
func TestConnectionsPerAddress(t *testing.T) {
	for _, test := range []struct {
		opts         Options
		first, other string
		same, exempt bool
	}{
		{opts: Options{MaxConnectionsPerAddress: 3}, first: "192.0.2.1", other: "192.0.2.1", same: true},
		{opts: Options{MaxConnectionsPerAddress: 3}, first: "192.0.2.1", other: "::ffff:192.0.2.1", same: true},
		{opts: Options{MaxConnectionsPerAddress: 3}, first: "192.0.2.1", other: "192.0.2.2"},
		{opts: Options{MaxConnectionsPerAddress: 3}, first: "2001:db8::1", other: "2001:db8::ffff:1", same: true},
		{opts: Options{MaxConnectionsPerAddress: 3}, first: "2001:db8::1", other: "2001:db8:0:1::1"},
		{opts: Options{MaxConnectionsPerAddress: 3}, first: "127.0.0.1", other: "127.0.0.1", same: true},
		{opts: Options{MaxConnectionsPerAddress: -1}, first: "192.0.2.1", exempt: true},
		{opts: Options{}, first: "127.0.0.1", exempt: true},
		{opts: Options{}, first: "::1", exempt: true},
	} {
		test.opts.MaxAcceptRate = -1
		a := admissionOf(t, test.opts)
		var held []*entrant
		most := 3
		if test.exempt {
			most = 2 * DefaultMaxConnectionsPerAddress
		}
		for i := range most {
			e, err := a.admit(t.Context(), from(test.first))
			if err != nil {
				t.Fatalf("%s, connection %d: %v", test.first, i, err)
			}
			e.shaken(nil)
			held = append(held, e)
		}
		if test.exempt {
			continue
		}
		_, err := a.admit(t.Context(), from(test.other))
		if test.same {
			refused(t, err, "MaxConnectionsPerAddress")
		} else if err != nil {
			t.Errorf("%s after 3 of %s: %v", test.other, test.first, err)
		}
		held[0].leave()
		if _, err := a.admit(t.Context(), from(test.first)); err != nil {
			t.Errorf("%s after one left: %v", test.first, err)
		}
	}
}

// TestHandshakesAtOnce: one more waits until another is done, or the oldest has had
// its time and is ended; nobody waits beyond the end of the listener.
func TestHandshakesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := admissionOf(t, Options{MaxHandshakes: 2})
		ctx, cancel := context.WithCancel(t.Context())
		conns := []*guest{from("127.0.0.1"), from("127.0.0.1"), from("127.0.0.1")}
		var entrants []*entrant
		start := time.Now()
		for _, c := range conns {
			e, err := a.admit(ctx, c)
			if err != nil {
				t.Fatal(err)
			}
			entrants = append(entrants, e)
		}
		if took := time.Since(start); took != shakeTime || !conns[0].closed || conns[1].closed {
			t.Errorf("after %v the oldest is closed: %v, the next: %v; want %v, true, false", took, conns[0].closed, conns[1].closed, shakeTime)
		}
		refused(t, entrants[0].shaken(errors.New("use of a closed connection")), "MaxHandshakes")

		time.Sleep(shakeTime / 2)
		done := make(chan error, 1)
		come := func() {
			_, err := a.admit(ctx, from("127.0.0.1"))
			done <- err
		}
		start = time.Now()
		a.mu.Lock()
		for at := a.shaking.Front(); at != nil; at = at.Next() {
			at.Value.(*entrant).since = start
		}
		a.mu.Unlock()
		go come()
		synctest.Wait()
		if err := entrants[1].shaken(nil); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil || time.Since(start) != 0 {
			t.Errorf("when another was done: %v, after %v", err, time.Since(start))
		}

		go come()
		synctest.Wait()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("when the listener ended: %v", err)
		}
		for _, e := range entrants {
			e.leave()
		}
		if a.accepted != 1 {
			t.Errorf("%d connections are counted, want 1", a.accepted)
		}
	})
}
