package tcp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ringwire/ringwire/transport"
	"github.com/ringwire/ringwire/transport/tcp"
)

func ExampleTransport() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	l, err := tcp.Transport{}.Listen(ctx, "127.0.0.1:*", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer l.Close()
	dialed, err := tcp.Transport{}.Dial(ctx, l.Endpoint(), nil) // the port that the system chose
	if err != nil {
		fmt.Println(err)
		return
	}
	defer dialed.Close()
	taken, err := l.Accept()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Fprint(taken, "hello")
	taken.Close()
	text, err := io.ReadAll(dialed)
	fmt.Printf("%s %v\n", text, err)
	// Output: hello <nil>
}

func ExampleTransport_Check() {
	fmt.Println(tcp.Transport{}.Check(":5555", true))
	// Output: endpoint "tcp://:5555": host is empty, want *, an address, a name or an interface
}

func listen(t *testing.T, address string, opts *transport.Options) transport.Listener {
	t.Helper()
	l, err := tcp.Transport{}.Listen(t.Context(), address, opts)
	if err != nil {
		t.Fatalf("Listen(%q): %v", address, err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// connect dials address and accepts at l.
func connect(t *testing.T, l transport.Listener, address string, opts *transport.Options) (dialed, taken *net.TCPConn) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn, err := tcp.Transport{}.Dial(ctx, address, opts)
	if err != nil {
		t.Fatalf("Dial(%q): %v", address, err)
	}
	t.Cleanup(func() { conn.Close() })
	far, err := l.Accept() // the connection is in the backlog already
	if err != nil {
		t.Fatalf("Accept: %v", err)
	}
	t.Cleanup(func() { far.Close() })
	return conn.(*net.TCPConn), far.(*net.TCPConn)
}

func port(t *testing.T, l transport.Listener) string {
	t.Helper()
	where, err := netip.ParseAddrPort(l.Endpoint())
	if err != nil {
		t.Fatalf("Endpoint() = %q: %v", l.Endpoint(), err)
	}
	if where.Port() == 0 {
		t.Fatalf("Endpoint() = %q has port 0", l.Endpoint())
	}
	return fmt.Sprint(where.Port())
}

func TestWildcardAcceptsBothFamilies(t *testing.T) {
	needIPv6(t)
	for _, address := range []string{"*:*", "[::]:0"} {
		l := listen(t, address, nil)
		if !strings.HasPrefix(l.Endpoint(), "[::]:") {
			t.Errorf("Listen(%q): Endpoint() = %q, want [::]:port", address, l.Endpoint())
		}
		for _, host := range []string{"127.0.0.1:", "[::1]:", "localhost:"} {
			connect(t, l, host+port(t, l), nil)
		}
	}
}

func TestBindIPv4WildcardIsIPv4Alone(t *testing.T) {
	for _, test := range []struct {
		address string
		options *transport.Options
	}{{"0.0.0.0:0", nil}, {"*:0", &transport.Options{NoIPv6: true}}} {
		l := listen(t, test.address, test.options)
		if !strings.HasPrefix(l.Endpoint(), "0.0.0.0:") {
			t.Errorf("Listen(%q): Endpoint() = %q, want 0.0.0.0:port", test.address, l.Endpoint())
		}
		connect(t, l, "127.0.0.1:"+port(t, l), nil)
		conn, err := tcp.Transport{}.Dial(t.Context(), "[::1]:"+port(t, l), nil)
		if err == nil {
			conn.Close()
			t.Errorf("Listen(%q) accepts IPv6", test.address)
		}
	}
}

func TestNoIPv6RefusesIPv6Addresses(t *testing.T) {
	options := &transport.Options{NoIPv6: true}
	if l, err := (tcp.Transport{}).Listen(t.Context(), "[::1]:0", options); err == nil || !strings.Contains(err.Error(), "NoIPv6") {
		t.Errorf("Listen: %v, %v, want an error that names NoIPv6", l, err)
	}
	for _, address := range []string{"[::1]:5555", "[::1]:0;127.0.0.1:5555"} {
		if conn, err := (tcp.Transport{}).Dial(t.Context(), address, options); err == nil || !strings.Contains(err.Error(), "NoIPv6") {
			t.Errorf("Dial(%q): %v, %v, want an error that names NoIPv6", address, conn, err)
		}
	}
}

func TestUnknownZoneIsAnError(t *testing.T) {
	for _, zone := range []string{"nosuchif9", "999999"} {
		address := "[fe80::1%" + zone + "]:5555"
		if l, err := (tcp.Transport{}).Listen(t.Context(), address, nil); err == nil || !strings.Contains(err.Error(), "zone") {
			t.Errorf("Listen(%q): %v, %v, want an error about the zone", address, l, err)
		}
		if conn, err := (tcp.Transport{}).Dial(t.Context(), address, nil); err == nil || !strings.Contains(err.Error(), "zone") {
			t.Errorf("Dial(%q): %v, %v, want an error about the zone", address, conn, err)
		}
	}
}

// loopback is the name of the interface that has 127.0.0.1: "lo", "lo0".
func loopback(t *testing.T) string {
	t.Helper()
	interfaces, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, iface := range interfaces {
		addrs, _ := iface.Addrs()
		for _, addr := range addrs {
			if prefix, ok := addr.(*net.IPNet); ok && prefix.IP.Equal(net.IPv4(127, 0, 0, 1)) {
				return iface.Name
			}
		}
	}
	t.Skip("no interface has 127.0.0.1")
	return ""
}

func TestBindToInterface(t *testing.T) {
	l := listen(t, loopback(t)+":0", nil)
	if !strings.HasPrefix(l.Endpoint(), "127.0.0.1:") {
		t.Errorf("Endpoint() = %q, want the first IPv4 address of the interface", l.Endpoint())
	}
	connect(t, l, l.Endpoint(), nil)
}

func TestBindToHostname(t *testing.T) {
	l := listen(t, "localhost:0", nil)
	if !strings.HasPrefix(l.Endpoint(), "127.0.0.1:") {
		t.Errorf("Endpoint() = %q, want the IPv4 address of localhost", l.Endpoint())
	}
	connect(t, l, "localhost:"+port(t, l), nil)
}

// TestResolver makes sure that names go through the resolver given, at each
// attempt.
func TestResolver(t *testing.T) {
	broken := errors.New("this resolver answers nothing")
	var asked atomic.Int64 // both record types are asked for at once
	options := &transport.Options{Resolver: &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		asked.Add(1)
		return nil, broken
	}}}
	var notFound *net.DNSError
	for range 2 {
		before := asked.Load()
		if _, err := (tcp.Transport{}).Listen(t.Context(), "host.invalid:0", options); !errors.As(err, &notFound) {
			t.Errorf("Listen: %v, want a net.DNSError", err)
		}
		if asked.Load() == before {
			t.Error("Listen did not ask the resolver")
		}
		before = asked.Load()
		if _, err := (tcp.Transport{}).Dial(t.Context(), "host.invalid:1", options); !errors.As(err, &notFound) {
			t.Errorf("Dial: %v, want a net.DNSError", err)
		}
		if asked.Load() == before {
			t.Error("Dial did not ask the resolver")
		}
	}
}

func TestSourceAddress(t *testing.T) {
	l := listen(t, "*:0", nil)
	for _, test := range []struct{ source, host, from string }{
		{"127.0.0.2:0", "127.0.0.1", "127.0.0.2"},
		{"127.0.0.2:*", "localhost", "127.0.0.2"},
		{"*:*", "127.0.0.1", "127.0.0.1"},
		{"[::1]:0", "[::1]", "::1"},
		{loopback(t) + ":0", "127.0.0.1", "127.0.0.1"},
		{loopback(t) + ":0", "[::1]", "::1"},
	} {
		t.Run(test.source+";"+test.host, func(t *testing.T) {
			if strings.Contains(test.host, "::1") {
				needIPv6(t)
			}
			if probe, err := net.Listen("tcp", net.JoinHostPort(test.from, "0")); err != nil {
				t.Skipf("this system has no address %s: %v", test.from, err)
			} else {
				probe.Close()
			}
			dialed, taken := connect(t, l, test.source+";"+test.host+":"+port(t, l), nil)
			if got := dialed.LocalAddr().(*net.TCPAddr).IP.String(); got != test.from {
				t.Errorf("local address is %s, want %s", got, test.from)
			}
			if got := taken.RemoteAddr().(*net.TCPAddr).IP.String(); got != test.from {
				t.Errorf("the listener sees %s, want %s", got, test.from)
			}
		})
	}
}

// TestSourcePort dials twice from one port; the first connection still lingers
// in TIME_WAIT when the second is made to another listener.
func TestSourcePort(t *testing.T) {
	first, second := listen(t, "127.0.0.1:0", nil), listen(t, "127.0.0.1:0", nil)
	spare := listen(t, "127.0.0.1:0", nil)
	spare.Close()
	for _, l := range []transport.Listener{first, second} {
		dialed, taken := connect(t, l, spare.Endpoint()+";"+l.Endpoint(), nil)
		if got := taken.RemoteAddr().String(); got != spare.Endpoint() {
			t.Errorf("the listener sees %s, want %s", got, spare.Endpoint())
		}
		dialed.Close() // first: the lingering end is the source
		taken.Close()
	}
}

func TestUnknownSourceInterface(t *testing.T) {
	conn, err := tcp.Transport{}.Dial(t.Context(), "localhost:0;127.0.0.1:5555", nil)
	if err == nil || !strings.Contains(err.Error(), `source "localhost"`) {
		t.Errorf("Dial: %v, %v, want an error about the source: there is no DNS for it", conn, err)
	}
}

// TestSelfConnect forces by source port what a reconnecting dialer meets by
// chance: a dial to an ephemeral port that becomes its own source.
func TestSelfConnect(t *testing.T) {
	for range 50 {
		l := listen(t, "127.0.0.1:0", nil)
		address := l.Endpoint()
		l.Close()
		conn, err := tcp.Transport{}.Dial(t.Context(), address+";"+address, nil)
		if err == nil {
			conn.Close()
			t.Fatalf("Dial(%q) hands out a connection to itself", address)
		}
		if !errors.Is(err, tcp.ErrSelfConnect) {
			t.Fatalf("Dial(%q): %v, want ErrSelfConnect", address, err)
		}
		listen(t, address, nil).Close() // the port is free at once
	}
}

func TestAddressInUse(t *testing.T) {
	l := listen(t, "127.0.0.1:0", nil)
	_, err := tcp.Transport{}.Listen(t.Context(), l.Endpoint(), nil)
	if !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("Listen: %v, want syscall.EADDRINUSE", err)
	}
}
