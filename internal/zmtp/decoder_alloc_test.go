//go:build !race

package zmtp_test

// Under the race detector sync.Pool drops what is put back, so that allocations
// say nothing.

import (
	"runtime"
	"testing"

	"github.com/ringwire/ringwire/internal/msg"
	"github.com/ringwire/ringwire/internal/zmtp"
)

// TestDecoderAllocation: a peer that declares much and sends little makes us
// hold what it sent and at most ReadSize more.
func TestDecoderAllocation(t *testing.T) {
	const declared = 64 << 20
	for _, sent := range []int{0, 100, 5_000, 9_000, 50_000, 200_000, 1_000_000} {
		stream := append(zmtp.AppendHeader(nil, 0, declared), make([]byte, sent)...)
		// The runtime's own allocations are counted, too: the least of three
		// measurements is ours.
		got := min(allocated(t, stream), allocated(t, stream), allocated(t, stream))
		if most := len(stream) + zmtp.ReadSize + 1024; got > most {
			t.Errorf("%d bytes of %d declared have arrived: allocated %d bytes, want at most %d", sent, declared, got, most)
		}
	}
}

// allocated is how many bytes decoding the stream allocates, with empty pools.
func allocated(t *testing.T, stream []byte) int {
	t.Helper()
	runtime.GC()
	runtime.GC()
	var before, after runtime.MemStats
	d := zmtp.NewDecoder(zmtp.Limits{})
	var m msg.Message
	runtime.ReadMemStats(&before)
	for rest := stream; ; {
		if item, err := d.Next(&m); item != zmtp.NeedMore || err != nil {
			t.Fatalf("got item %d, %v, want NeedMore", item, err)
		}
		if len(rest) == 0 {
			break
		}
		n := copy(d.Space(), rest)
		d.Filled(n)
		rest = rest[n:]
	}
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc)
}
