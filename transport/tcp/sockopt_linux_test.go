package tcp_test

import (
	"errors"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ringwire/ringwire/transport"
	"github.com/ringwire/ringwire/transport/tcp"
)

// option reads one integer option of a connection.
func option(t *testing.T, conn *net.TCPConn, level, name int) int {
	t.Helper()
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var value int
	var inner error
	if err := raw.Control(func(fd uintptr) { value, inner = unix.GetsockoptInt(int(fd), level, name) }); err != nil || inner != nil {
		t.Fatalf("getsockopt %d %d: %v, %v", level, name, err, inner)
	}
	return value
}

// TestOptionsReachTheKernel asks the kernel at both ends of a connection, over
// IPv4, IPv6 and IPv4 on a dual-stack listener.
func TestOptionsReachTheKernel(t *testing.T) {
	options := &transport.Options{
		SendBuffer: 50_000, RecvBuffer: 60_000, TOS: 0x28,
		KeepAlive: 77 * time.Second, UserTimeout: 1234567 * time.Microsecond,
	}
	for _, test := range []struct{ bind, host string }{{"127.0.0.1:0", "127.0.0.1:"}, {"[::1]:0", "[::1]:"}, {"*:0", "127.0.0.1:"}} {
		t.Run(test.bind, func(t *testing.T) {
			if test.bind != "127.0.0.1:0" {
				needIPv6(t)
			}
			l := listen(t, test.bind, options)
			dialed, taken := connect(t, l, test.host+port(t, l), options)
			for end, conn := range map[string]*net.TCPConn{"dialed": dialed, "accepted": taken} {
				domain := option(t, conn, unix.SOL_SOCKET, unix.SO_DOMAIN)
				tosLevel, tosName := unix.IPPROTO_IP, unix.IP_TOS
				if domain == unix.AF_INET6 && test.host == "[::1]:" {
					tosLevel, tosName = unix.IPPROTO_IPV6, unix.IPV6_TCLASS
				}
				for _, want := range []struct {
					name               string
					level, code, value int
				}{
					{"SO_SNDBUF", unix.SOL_SOCKET, unix.SO_SNDBUF, 2 * 50_000},
					{"SO_RCVBUF", unix.SOL_SOCKET, unix.SO_RCVBUF, 2 * 60_000},
					{"TOS", tosLevel, tosName, 0x28},
					{"TCP_USER_TIMEOUT", unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 1235},
					{"SO_KEEPALIVE", unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
					{"TCP_KEEPIDLE", unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 77},
					{"TCP_NODELAY", unix.IPPROTO_TCP, unix.TCP_NODELAY, 1},
					{"SO_PROTOCOL", unix.SOL_SOCKET, unix.SO_PROTOCOL, unix.IPPROTO_TCP},
				} {
					if got := option(t, conn, want.level, want.code); got != want.value {
						t.Errorf("%s end: %s is %d, want %d", end, want.name, got, want.value)
					}
				}
			}
		})
	}
}

func TestKeepAliveDefaultAndOff(t *testing.T) {
	for _, test := range []struct {
		options   *transport.Options
		keepAlive int
	}{{nil, 1}, {&transport.Options{KeepAlive: -1}, 0}} {
		l := listen(t, "127.0.0.1:0", test.options)
		dialed, taken := connect(t, l, l.Endpoint(), test.options)
		for _, conn := range []*net.TCPConn{dialed, taken} {
			if got := option(t, conn, unix.SOL_SOCKET, unix.SO_KEEPALIVE); got != test.keepAlive {
				t.Errorf("%+v: SO_KEEPALIVE is %d, want %d", test.options, got, test.keepAlive)
			}
		}
	}
}

// TestBacklog counts what connects while nobody accepts: Linux queues one more
// than it was told, and then ignores the handshake.
func TestBacklog(t *testing.T) {
	l := listen(t, "127.0.0.1:0", &transport.Options{Backlog: 3})
	connected := 0
	for range 20 {
		conn, err := net.DialTimeout("tcp", l.Endpoint(), 200*time.Millisecond)
		if err != nil {
			break
		}
		defer conn.Close()
		connected++
	}
	if connected != 4 {
		t.Errorf("%d connections fit into a backlog of 3, want 4", connected)
	}
}

func TestDevice(t *testing.T) {
	options := &transport.Options{Device: "lo"}
	l, err := tcp.Transport{}.Listen(t.Context(), "127.0.0.1:0", options)
	if errors.Is(err, unix.EPERM) {
		t.Skipf("binding to a device is not permitted here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dialed, taken := connect(t, l, l.Endpoint(), options)
	for _, conn := range []*net.TCPConn{dialed, taken} {
		if option(t, conn, unix.SOL_SOCKET, unix.SO_BINDTOIFINDEX) == 0 {
			t.Errorf("%v is bound to no device", conn.LocalAddr())
		}
	}
	if _, err := (tcp.Transport{}).Listen(t.Context(), "127.0.0.1:0", &transport.Options{Device: "nosuchif9"}); !errors.Is(err, unix.ENODEV) {
		t.Errorf("unknown device: %v, want ENODEV", err)
	}
}
