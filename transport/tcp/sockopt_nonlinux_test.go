//go:build !linux

package tcp_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ringwire/ringwire/transport"
	"github.com/ringwire/ringwire/transport/tcp"
)

func TestUnsupportedOptionsAreNamed(t *testing.T) {
	for name, options := range map[string]*transport.Options{
		"Device": {Device: "lo0"}, "UserTimeout": {UserTimeout: time.Second},
	} {
		_, err := tcp.Transport{}.Listen(t.Context(), "127.0.0.1:0", options)
		if !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "option "+name) {
			t.Errorf("Listen: %v, want errors.ErrUnsupported that names %s", err, name)
		}
	}
}
