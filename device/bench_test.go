package device_test

import (
	"context"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/device"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// BenchmarkDevice is how fast 64-byte messages pass, with both peers and the device
// in one process; every message is received. direct is the same without a device.
func BenchmarkDevice(b *testing.B) {
	for _, scheme := range []string{"tcp", "inproc"} {
		b.Run("direct/"+scheme, func(b *testing.B) {
			pull := open(b, pattern.Pull, nil)
			measure(b, connected(b, pattern.Push, nil, bind(b, pull, anywhere(b, scheme))), pull)
		})
		b.Run("streamer/"+scheme, func(b *testing.B) {
			d := start(b, device.NewStreamer, scheme, nil, nil, nil)
			measure(b, connected(b, pattern.Push, nil, d.front), connected(b, pattern.Pull, nil, d.back))
		})
		b.Run("forwarder/"+scheme, func(b *testing.B) {
			d := start(b, device.NewForwarder, scheme, nil, noDrop, nil)
			sub := subscribe(b, connected(b, pattern.Sub, nil, d.back), "")
			pub := connected(b, pattern.Pub, noDrop, d.front)
			subscribed(b, pub, "x", 1)
			measure(b, pub, sub)
		})
		b.Run("lastvalue/"+scheme, func(b *testing.B) {
			_, d, pub := keeper(b, scheme, noDrop, nil)
			sub := subscribe(b, connected(b, pattern.Sub, nil, d.back), "")
			subscribed(b, d.Device.Back(), "x", 1)
			subscribed(b, pub, "x", 1)
			measure(b, pub, sub)
		})
	}
}

func measure(b *testing.B, from, to *socket.Socket) {
	ctx := context.Background()
	body := make([]byte, 64)
	b.SetBytes(64)
	b.ReportAllocs()
	b.ResetTimer()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for range b.N {
			if err := from.Send(ctx, body); err != nil {
				b.Error(err)
				return
			}
		}
	}()
	var m ringwire.Message
	for range b.N {
		if err := to.RecvInto(ctx, &m); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	<-sent
}
