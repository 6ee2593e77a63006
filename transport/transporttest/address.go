package transporttest

import (
	"context"
	"errors"
	"net"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ringwire/ringwire/transport"
)

func (k kit) scheme(t *testing.T) {
	address := k.addr(t)
	scheme, rest, err := transport.Split(k.stream.Scheme() + "://" + address)
	if err != nil || scheme != k.stream.Scheme() || rest != address {
		t.Fatalf("Split of scheme %q and address %q: %q, %q, %v", k.stream.Scheme(), address, scheme, rest, err)
	}
}

func (k kit) closeListener(t *testing.T) {
	for range 20 {
		l := k.listen(t)
		waiting := accept(l)
		runtime.Gosched()
		if err := l.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
		got := receive(t, waiting, "Accept was not woken")
		if !errors.Is(got.err, net.ErrClosed) {
			t.Fatalf("Accept ended with %v, want net.ErrClosed", got.err)
		}
	}
}

func (k kit) closeTwice(t *testing.T) {
	l := k.listen(t)
	if err := l.Close(); err != nil {
		t.Fatalf("first Close: %v", err)
	}
	if err := l.Close(); !errors.Is(err, net.ErrClosed) {
		t.Fatalf("second Close: %v, want net.ErrClosed", err)
	}
}

func (k kit) endpoint(t *testing.T) {
	l := k.listen(t)
	for _, bind := range []bool{true, false} {
		if err := k.stream.Check(l.Endpoint(), bind); err != nil {
			t.Errorf("Check(%q, %v): %v", l.Endpoint(), bind, err)
		}
	}
	dialed, taken := k.connect(t, l)
	exchange(t, dialed, taken, "found you")
}

func (k kit) rebind(t *testing.T) {
	l := k.listen(t)
	dialed, taken := k.connect(t, l)
	address := l.Endpoint()
	// The accepting side closes first, which leaves a TCP port in TIME_WAIT.
	taken.Close()
	dialed.Close()
	l.Close()
	again, err := k.stream.Listen(k.context(t), address, nil)
	if err != nil {
		t.Fatalf("Listen(%q) again: %v", address, err)
	}
	defer again.Close()
	if again.Endpoint() != address {
		t.Fatalf("Endpoint() = %q, want %q", again.Endpoint(), address)
	}
	k.connect(t, again)
}

func (k kit) inUse(t *testing.T) {
	l := k.listen(t)
	second, err := k.stream.Listen(k.context(t), l.Endpoint(), nil)
	if err == nil {
		second.Close()
		t.Fatalf("Listen(%q) succeeded twice", l.Endpoint())
	}
	if !errors.Is(err, syscall.EADDRINUSE) {
		t.Fatalf("second Listen: %v, want one that is syscall.EADDRINUSE", err)
	}
	k.connect(t, l)
}

// vacant is an address that somebody listened at a moment ago.
func (k kit) vacant(t *testing.T) string {
	t.Helper()
	l := k.listen(t)
	l.Close()
	return l.Endpoint()
}

func (k kit) nobody(t *testing.T) {
	address := k.vacant(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	start := time.Now()
	conn, err := k.stream.Dial(ctx, address, nil)
	if err == nil {
		conn.Close()
		t.Fatalf("Dial(%q) succeeded without a listener", address)
	}
	if took := time.Since(start); took > patience/2 {
		t.Errorf("Dial(%q) took %v with a deadline of 1s", address, took)
	}
}

func (k kit) cancelled(t *testing.T) {
	l := k.listen(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	conn, err := k.stream.Dial(ctx, l.Endpoint(), nil)
	if err == nil {
		conn.Close()
		t.Fatal("Dial succeeded with a cancelled context")
	}
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("Dial with a cancelled context: %v, want one that is context.Canceled", err)
	}
}

func (k kit) cancelLater(t *testing.T) {
	l := k.listen(t)
	waiting := accept(l)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	dialed, err := k.stream.Dial(ctx, l.Endpoint(), nil)
	if err != nil {
		l.Close()
		<-waiting
		t.Fatalf("Dial: %v", err)
	}
	defer dialed.Close()
	taken := receive(t, waiting, "Accept did not return")
	if taken.err != nil {
		t.Fatalf("Accept: %v", taken.err)
	}
	defer taken.conn.Close()
	cancel()
	// Whoever watches the context needs some time to notice: a read that waits
	// in vain gives it.
	dialed.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	if _, err := dialed.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("read after the context was cancelled: %v, want os.ErrDeadlineExceeded", err)
	}
	limit := time.Now().Add(patience)
	dialed.SetDeadline(limit)
	taken.conn.SetDeadline(limit)
	exchange(t, dialed, taken.conn, "up")
	exchange(t, taken.conn, dialed, "down")
}

// badAddress uses what no transport can accept.
func (k kit) badAddress(t *testing.T) {
	for _, address := range []string{"", "\x00", "a\x00b"} {
		for _, bind := range []bool{true, false} {
			err := k.stream.Check(address, bind)
			var wrong *transport.EndpointError
			if !errors.As(err, &wrong) {
				t.Errorf("Check(%q, %v): %v, want an EndpointError", address, bind, err)
				continue
			}
			if want := k.stream.Scheme() + "://" + address; wrong.Endpoint != want || wrong.Part == "" || wrong.Reason == "" {
				t.Errorf("Check(%q, %v): %#v, want endpoint %q, a part and a reason", address, bind, wrong, want)
			}
			var tried error
			if bind {
				l, err := k.stream.Listen(k.context(t), address, nil)
				if err == nil {
					l.Close()
				}
				tried = err
			} else {
				conn, err := k.stream.Dial(k.context(t), address, nil)
				if err == nil {
					conn.Close()
				}
				tried = err
			}
			if tried == nil || tried.Error() != err.Error() {
				t.Errorf("address %q, bind %v: got %v, want the error of Check: %v", address, bind, tried, err)
			}
		}
	}
}

// checkOnly looks at what can be seen from outside: Check neither takes an
// address, nor needs one to be free, nor notices that nobody is there.
func (k kit) checkOnly(t *testing.T) {
	address := k.addr(t)
	for range 3 {
		if err := k.stream.Check(address, true); err != nil {
			t.Fatalf("Check(%q, true): %v", address, err)
		}
	}
	l, err := k.stream.Listen(k.context(t), address, nil)
	if err != nil {
		t.Fatalf("Listen(%q) after Check: %v", address, err)
	}
	defer l.Close()
	waiting := accept(l)
	if err := k.stream.Check(l.Endpoint(), true); err != nil {
		t.Errorf("Check(%q, true) while it is in use: %v", l.Endpoint(), err)
	}
	if err := k.stream.Check(l.Endpoint(), false); err != nil {
		t.Errorf("Check(%q, false): %v", l.Endpoint(), err)
	}
	l.Close()
	if got := receive(t, waiting, "Accept was not woken"); got.err == nil {
		got.conn.Close()
		t.Errorf("Check connected to %q", l.Endpoint())
	}
	if err := k.stream.Check(l.Endpoint(), false); err != nil {
		t.Errorf("Check(%q, false) with nobody there: %v", l.Endpoint(), err)
	}
}

func (k kit) badOption(t *testing.T) {
	bad := &transport.Options{Backlog: -1}
	want := bad.Validate().Error()
	l, err := k.stream.Listen(k.context(t), k.addr(t), bad)
	if err == nil {
		l.Close()
	}
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Listen: %v, want %s", err, want)
	}
	good := k.listen(t)
	conn, err := k.stream.Dial(k.context(t), good.Endpoint(), bad)
	if err == nil {
		conn.Close()
	}
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Dial: %v, want %s", err, want)
	}
}
