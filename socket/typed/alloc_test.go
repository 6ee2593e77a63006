//go:build !race

package typed_test

import (
	"testing"

	"github.com/ringwire/ringwire/socket/typed"
)

// A struct without strings and slices is sent and received without an allocation: the
// values live in recycled memory, and so does what they are encoded to. The library
// underneath allocates one for each struct that comes as an array, and JSON's several.
func TestSmallStructAllocatesNothing(t *testing.T) {
	const burst = 100
	for _, c := range []struct {
		codec typed.Codec
		want  float64 // per message
	}{{typed.Msgpack{}, 0}, {typed.Msgpack{Arrays: true}, 1}, {typed.JSON{}, 6}} {
		for _, endpoint := range []string{"inproc://typed-alloc", "tcp://127.0.0.1:*"} {
			push, pull := pair[bid, bid](t, endpoint, &typed.Options{Codec: c.codec})
			ctx := t.Context()
			exchange := func() {
				for i := range burst {
					ok(t, push.Send(ctx, bid{i, i}))
				}
				for i := range burst {
					if got, err := pull.Recv(ctx); err != nil || got != (bid{i, i}) {
						t.Fatalf("got %+v, %v, want %d", got, err, i)
					}
				}
			}
			for range 50 {
				exchange()
			}
			// A collection in between may empty the pools: less than one allocation in
			// a hundred messages is none per message.
			got := testing.AllocsPerRun(200, exchange)
			t.Logf("%+v over %s: %v allocations per message", c.codec, endpoint, got/burst)
			if got >= c.want*burst+1 {
				t.Errorf("%+v over %s: got %v allocations in %d messages, want %v per message", c.codec, endpoint, got, burst, c.want)
			}
			ok(t, push.Close())
			ok(t, pull.Close())
		}
	}
}
