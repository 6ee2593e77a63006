package socket_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// TestSmallAmongOthers: small messages pass together, others alone; whatever
// their order, each sender's come whole and in order, and all are counted.
func TestSmallAmongOthers(t *testing.T) {
	const senders, each = 3, 4000
	sizes := []int{8, 8, 8, 8, 8, 90, 91, 92, 200, 255, 256, 5000, 40_000}
	for _, endpoint := range []string{"tcp://127.0.0.1:0", "ipc://*", "inproc://among"} {
		for _, opts := range []socket.Options{{}, {SendHWM: 5, RecvHWM: 5}, {SendHWM: -1, RecvHWM: -1, RecvHWMBytes: 10_000}} {
			t.Run(fmt.Sprintf("%.3s/%d", endpoint, opts.RecvHWM), func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				seed := rand.Uint64()
				pull := tokenOpen(t, pattern.Pull, opts)
				at := tokenBind(t, pull, endpoint)
				var wg sync.WaitGroup
				for s := range senders {
					push := tokenOpen(t, pattern.Push, opts)
					tokenConnect(t, push, at)
					wg.Go(func() {
						random := rand.New(rand.NewPCG(seed, uint64(s)))
						for i := range each {
							if err := push.Send(ctx, among(s, i, random, sizes)...); err != nil {
								t.Error(err)
								return
							}
						}
					})
				}
				var next [senders]int
				var random [senders]*rand.Rand
				for s := range random {
					random[s] = rand.New(rand.NewPCG(seed, uint64(s)))
				}
				var m ringwire.Message
				defer m.Release()
				for n := range senders * each {
					if err := pull.RecvInto(ctx, &m); err != nil {
						t.Fatalf("message %d: %v (seed %d)", n, err, seed)
					}
					s := int(m.Frame(0)[0])
					want := among(s, next[s], random[s], sizes)
					if m.Len() != len(want) {
						t.Fatalf("message %d of sender %d: got %d frames, want %d (seed %d)", next[s], s, m.Len(), len(want), seed)
					}
					for i, w := range want {
						if string(m.Frame(i)) != string(w) {
							t.Fatalf("message %d of sender %d, frame %d: got %d bytes %.16x, want %d bytes %.16x (seed %d)", next[s], s, i, len(m.Frame(i)), m.Frame(i), len(w), w, seed)
						}
					}
					next[s]++
				}
				wg.Wait()
				if st := pull.Stats(); st.Arrived != senders*each || st.Returned != senders*each || st.RecvQueued != 0 || st.RecvDropped.Total() != 0 {
					t.Errorf("got %d arrived, %d returned, %d queued, %d dropped, want %d, %d, 0, 0 (seed %d)", st.Arrived, st.Returned, st.RecvQueued, st.RecvDropped.Total(), senders*each, senders*each, seed)
				}
			})
		}
	}
}

// among is message i of sender s: usually one small frame.
func among(s, i int, random *rand.Rand, sizes []int) [][]byte {
	frame := func(size int) []byte {
		f := binary.BigEndian.AppendUint32([]byte{byte(s)}, uint32(i))
		for len(f) < size {
			f = append(f, byte(i+len(f)))
		}
		return f
	}
	if random.IntN(10) == 0 {
		return [][]byte{frame(8), {}, frame(sizes[random.IntN(len(sizes))])}
	}
	if random.IntN(2) == 0 {
		return [][]byte{frame(8)}
	}
	return [][]byte{frame(sizes[random.IntN(len(sizes))])}
}
