package observe_test

import (
	"context"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/observe"
)

// TestRegistryAdmission: who was let in, as whom, and how many a limit kept out.
func TestRegistryAdmission(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), guard)
	defer cancel()
	pull, err := socket.New(pattern.Pull, &socket.Options{
		MaxConnections: 1,
		Authenticator: func(context.Context, ringwire.Credentials) (ringwire.Verdict, error) {
			return ringwire.Verdict{Allow: true, Principal: "ann\n"}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer pull.Close()
	var r observe.Registry
	r.Add("pull", pull)
	endpoint, err := pull.Bind("tcp://127.0.0.1:*")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		push, err := socket.New(pattern.Push, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer push.Close()
		if err := push.Connect(endpoint); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			if err := push.WaitPeers(ctx, 1); err != nil {
				t.Fatal(err)
			}
		}
	}
	until(t, "a connection that the limit kept out", func() bool {
		refused, ok := get(t, &r, "/").Sockets["pull"].Stats["refused"].(float64)
		return ok && refused > 0
	})
	s := get(t, &r, "/").Sockets["pull"]
	if got := s.Peers[0]["principal"]; got != `ann\n` {
		t.Errorf("the peer's principal is %v, want ann and an escaped line feed", got)
	}
	for _, ev := range s.Events {
		if ev["kind"] == "ready" && ev["principal"] != `ann\n` {
			t.Errorf("the principal of %v is not that of the peer", ev)
		}
	}
}
