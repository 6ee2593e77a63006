package interop_test

import (
	"context"
	"testing"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// TestProbeLibzmq: a probe finds out the type of every libzmq socket, and takes no
// message that one has waiting.
func TestProbeLibzmq(t *testing.T) {
	py := startPython(t)
	for _, row := range []struct {
		kind  string
		taker *pattern.Spec // of a message that waits there; nil: none
	}{
		{"PUB", nil}, {"XPUB", nil}, {"SUB", nil}, {"XSUB", nil}, {"REP", nil}, {"ROUTER", nil}, {"PULL", nil},
		{"DEALER", pattern.Dealer}, {"PUSH", pattern.Pull}, {"PAIR", pattern.Pair}, {"REQ", pattern.Rep},
	} {
		for _, transport := range []string{"tcp", "ipc"} {
			t.Run(row.kind+"/"+transport, func(t *testing.T) {
				here := &python{py.process, t}
				them := here.open(t.Name(), row.kind, nil)
				at := them.bind(anywhere(t, transport))
				var sent func() (answer, error)
				if row.taker != nil {
					sent = here.start(command{"op": "send", "id": them.id, "messages": [][]string{hexes([]string{"waiting"})}})
				}
				ctx, cancel := context.WithTimeout(t.Context(), limit())
				defer cancel()
				for range 50 {
					info, err := socket.Probe(ctx, at, nil)
					if err != nil || info.SocketType != row.kind {
						t.Fatalf("Probe = a %q, %v, want a %s", info.SocketType, err, row.kind)
					}
				}
				if row.taker != nil {
					us := newSocket(t, row.taker, nil)
					mustConnect(t, us, at)
					m, err := us.Recv(ctx)
					if err != nil {
						t.Fatalf("Recv = %v, want the message that waited", err)
					}
					if got := string(m.Bytes()); got != "waiting" {
						t.Errorf("got %q, want the message that waited", got)
					}
					if _, err := sent(); err != nil {
						t.Error(err)
					}
				}
				them.close()
			})
		}
	}
}
