package socket_test

import (
	"errors"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// TestUnwantedIsCounted: a message that nobody subscribed to counts as unmatched
// whichever call sends it, SendMessage takes it, and a closed socket refuses it.
func TestUnwantedIsCounted(t *testing.T) {
	for _, spec := range []*pattern.Spec{pattern.Pub, pattern.XPub} {
		t.Run(spec.Name(), func(t *testing.T) {
			pub, sub := tokenOpen(t, spec, socket.Options{}), tokenOpen(t, pattern.Sub, socket.Options{})
			tokenConnect(t, sub, tokenBind(t, pub, "tcp://127.0.0.1:0"))
			if err := sub.Subscribe("wanted"); err != nil {
				t.Fatal(err)
			}
			if err := pub.WaitSubscribers(t.Context(), "wanted", 1); err != nil {
				t.Fatal(err)
			}
			calls := []func() error{
				func() error { return pub.Send(t.Context(), []byte("other"), []byte("more")) },
				func() error { return pub.TrySend([]byte("")) },
				func() error { return pub.SendMessage(t.Context(), ringwire.NewMessage([]byte("wante"))) },
				func() error {
					_, err := pub.SendBatch(t.Context(), []*ringwire.Message{ringwire.NewMessage([]byte("x"))})
					return err
				},
			}
			for i, call := range calls {
				if err := call(); err != nil {
					t.Errorf("call %d: %v", i, err)
				}
				if got := pub.Stats().Unmatched; got != int64(i+1) {
					t.Errorf("after call %d: got %d unmatched, want %d", i, got, i+1)
				}
			}
			if err := pub.Send(t.Context(), []byte("wanted")); err != nil {
				t.Fatal(err)
			}
			if m, err := sub.Recv(t.Context()); err != nil || string(m.Bytes()) != "wanted" {
				t.Errorf("got %v and %v, want the message that was wanted", m, err)
			}
			if got := pub.Stats().Unmatched; got != int64(len(calls)) {
				t.Errorf("got %d unmatched, want %d", got, len(calls))
			}
			pub.Close()
			for i, call := range calls {
				if err := call(); !errors.Is(err, ringwire.ErrClosed) {
					t.Errorf("call %d on a closed socket: got %v, want ErrClosed", i, err)
				}
			}
		})
	}
}
