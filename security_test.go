package ringwire_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ringwire/ringwire/socket"
)

// TestSecurityPageLimits: its defaults are those of the options.
func TestSecurityPageLimits(t *testing.T) {
	page := readFile(t, "docs/security.md")
	for option, value := range map[string]string{
		"HandshakeTimeout":         fmt.Sprintf("%.0f s", socket.DefaultHandshakeTimeout.Seconds()),
		"MaxHandshakes":            fmt.Sprint(socket.DefaultMaxHandshakes),
		"MaxConnectionsPerAddress": fmt.Sprint(socket.DefaultMaxConnectionsPerAddress),
		"MaxAcceptRate":            fmt.Sprint(socket.DefaultMaxAcceptRate),
		"MaxSubscriptions":         fmt.Sprintf("%d,000,000", socket.DefaultMaxSubscriptions/1_000_000),
		"MaxMessageSize":           fmt.Sprintf("%d MiB", socket.DefaultMaxMessageSize>>20),
		"MaxFrames":                fmt.Sprint(socket.DefaultMaxFrames),
	} {
		if row := fmt.Sprintf("\n| `%s` | %s", option, value); !strings.Contains(page, row) {
			t.Errorf("docs/security.md has no row that begins with %q", row)
		}
	}
}
