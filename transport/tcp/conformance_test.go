package tcp_test

import (
	"context"
	"net"
	"testing"

	"github.com/ringwire/ringwire/transport/tcp"
	"github.com/ringwire/ringwire/transport/transporttest"
)

func TestConformance(t *testing.T) {
	for name, address := range map[string]string{"IPv4": "127.0.0.1:0", "IPv6": "[::1]:*", "wildcard": "*:*"} {
		t.Run(name, func(t *testing.T) {
			if name == "IPv6" {
				needIPv6(t)
			}
			transporttest.Run(t, tcp.Transport{}, func(*testing.T) string { return address })
		})
	}
}

// needIPv6 skips a test where the loopback interface has no IPv6 address.
func needIPv6(t *testing.T) {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(context.Background(), "tcp6", "[::1]:0")
	if err != nil {
		t.Skipf("this system has no IPv6: %v", err)
	}
	l.Close()
}
