package sockettest_test

import (
	"testing"
	"time"

	"github.com/ringwire/ringwire/socket/sockettest"
	"github.com/ringwire/ringwire/transport/transporttest"
)

// TestConformance: a host is a transport like any other, also over links that
// are slow, and that read and write in pieces.
func TestConformance(t *testing.T) {
	for name, link := range map[string]sockettest.Link{
		"perfect": {},
		"pieces":  {MaxRead: 3000, MaxWrite: 5000, Buffer: 16 << 10},
		"slow":    {Latency: 50 * time.Microsecond, Jitter: 20 * time.Microsecond, Buffer: 1 << 20, Bandwidth: 1 << 30},
	} {
		t.Run(name, func(t *testing.T) {
			n := sockettest.NewNetwork(1)
			n.SetLink("a", "a", link)
			transporttest.Run(t, n.Host("a"), func(*testing.T) string { return "a:0" })
			if got := n.Connections(); got != 0 {
				t.Errorf("%d connections are left, want 0", got)
			}
		})
	}
}
