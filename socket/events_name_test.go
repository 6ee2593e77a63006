package socket_test

import (
	"testing"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// TestEventName: an event calls the peer what PeerInfo.Name does.
func TestEventName(t *testing.T) {
	named := map[string]string{"X-Name": "a \"name\""}
	for what, opts := range map[string]*socket.Options{
		"identity": {Identity: []byte("me"), Metadata: named},
		"X-Name":   {Metadata: named},
		"address":  {},
	} {
		t.Run(what, func(t *testing.T) {
			confEach(t, func(e *confEnv) {
				router, dealer := e.New(pattern.Router, nil), e.New(pattern.Dealer, opts)
				next := e.Events(router)
				e.Join(router, dealer)
				want := map[string]string{"identity": `"me"`, "X-Name": `"a \"name\""`, "address": router.Peers()[0].Remote}[what]
				if got := router.Peers()[0].Name(); got != want {
					e.Errorf("the peer's Name = %s, want %s", got, want)
				}
				if ev := next(socket.Ready); ev.Name != want {
					e.Errorf("Ready has the name %q, want %s", ev.Name, want)
				}
				e.Close(dealer)
				if ev := next(socket.Disconnected); ev.Name != want {
					e.Errorf("Disconnected has the name %q, want %s", ev.Name, want)
				}
			})
		})
	}
}
