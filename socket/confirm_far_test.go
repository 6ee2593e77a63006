package socket_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/sockettest"
	"github.com/ringwire/ringwire/transport"
)

// TestConfirmOfFarPeer: the receipt of a peer that is far away takes one round trip,
// also with heartbeats that are sent much more often and have no answer yet, and
// with Confirm called again and again meanwhile.
func TestConfirmOfFarPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const latency = 5 * time.Second
		network := sockettest.NewNetwork(1)
		network.SetLink("near", "far", sockettest.Link{Latency: latency})
		open := func(host string, spec *pattern.Spec, opts socket.Options) *socket.Socket {
			opts.Transports = []transport.Transport{network.Host(host)}
			opts.HandshakeTimeout = time.Minute
			s, err := socket.New(spec, &opts)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { confAbort(s) })
			return s
		}
		pull := open("far", pattern.Pull, socket.Options{})
		push := open("near", pattern.Push, socket.Options{HeartbeatInterval: 300 * time.Millisecond, HeartbeatTimeout: time.Minute})
		at, err := pull.Bind("mem://far:1")
		if err != nil {
			t.Fatal(err)
		}
		if err := push.Connect(at); err != nil {
			t.Fatal(err)
		}
		if err := push.WaitPeers(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second) // two PINGs are on their way
		const calls = 10
		done := make(chan error, calls)
		start := time.Now()
		for i := range int64(calls) {
			if err := push.Send(t.Context(), []byte("x")); err != nil {
				t.Fatal(err)
			}
			go func() {
				asked := time.Now()
				err := push.Confirm(t.Context())
				if took := time.Since(asked); took > 2*latency+10*time.Millisecond {
					t.Errorf("call %d took %v, want a round trip of %v", i, took, 2*latency)
				}
				if st := push.Stats(); st.Confirmed < i+1 {
					t.Errorf("call %d returned with %d messages confirmed", i, st.Confirmed)
				}
				done <- err
			}()
			time.Sleep(latency / 5)
		}
		for range calls {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if st := push.Stats(); st.Confirmed != calls || time.Since(start) > 5*latency {
			t.Errorf("%d of %d confirmed after %v", st.Confirmed, calls, time.Since(start))
		}
	})
}
