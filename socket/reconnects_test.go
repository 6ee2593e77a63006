package socket_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

var (
	reconnects      = flag.Int("socket.reconnects", 60, "reconnects of TestReconnects with 100 topics; the long run has 10000")
	reconnectsLarge = flag.Int("socket.reconnects.large", 2, "reconnects of TestReconnects with -socket.reconnects.topics topics; the long run has 100")
	reconnectsMany  = flag.Int("socket.reconnects.topics", 20_000, "topics of TestReconnects' other half; the long run has 100000")
)

// resources is what a process holds on to.
type resources struct {
	heap       uint64
	goroutines int
	files      int
}

func held(t *testing.T) (r resources) {
	t.Helper()
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	r.heap, r.goroutines = m.HeapAlloc, runtime.NumGoroutine()
	if list, err := os.ReadDir("/proc/self/fd"); err == nil {
		r.files = len(list)
	}
	return r
}

// TestReconnects: REL-17. A subscriber that loses its connection again and again,
// under load, has every subscription back each time, and nothing grows.
//
//	go test ./socket -run TestReconnects -timeout 60m -socket.reconnects 10000 -socket.reconnects.large 100 -socket.reconnects.topics 100000
func TestReconnects(t *testing.T) {
	for _, run := range []struct{ times, topics int }{{*reconnects, 100}, {*reconnectsLarge, *reconnectsMany}} {
		t.Run(fmt.Sprintf("%d topics", run.topics), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute+time.Duration(run.times)*10*time.Second)
			defer cancel()
			pub := tokenOpen(t, pattern.Pub, socket.Options{})
			sub := tokenOpen(t, pattern.Sub, socket.Options{ReconnectMin: time.Millisecond, ReconnectMax: time.Millisecond})
			topic := func(i int) string { return fmt.Sprintf("topic %06d", i) }
			for i := range run.topics {
				if err := sub.Subscribe(topic(i)); err != nil {
					t.Fatal(err)
				}
			}
			tokenConnect(t, sub, tokenBind(t, pub, "tcp://127.0.0.1:0"))
			var load sync.WaitGroup
			load.Go(func() {
				for i := 0; ctx.Err() == nil; i++ {
					if err := pub.Send(ctx, []byte(topic(i%run.topics)), make([]byte, 100)); errors.Is(err, ringwire.ErrClosed) {
						return
					}
					if i%64 == 0 {
						runtime.Gosched()
					}
				}
			})
			load.Go(func() {
				var m ringwire.Message
				for sub.RecvInto(ctx, &m) == nil {
				}
			})
			var early, late resources
			var last uint64 // peers are numbered in the order in which they come
			for i := range run.times + 1 {
				var peer socket.PeerInfo
				for restored := false; !restored; {
					if err := pub.WaitSubscribers(ctx, topic(run.topics-1), 1); err != nil {
						t.Fatalf("connection %d: %v", i, err)
					}
					for _, peer = range pub.Peers() {
						restored = restored || peer.Peer.ID() > last && peer.Subscriptions == run.topics
						if restored {
							break
						}
					}
					if !restored {
						runtime.Gosched()
						if err := ctx.Err(); err != nil {
							t.Fatalf("connection %d: %d of %d subscriptions: %v", i, peer.Subscriptions, run.topics, err)
						}
					}
				}
				last = peer.Peer.ID()
				switch i {
				case run.times / 5:
					early = held(t)
				case run.times:
					late = held(t)
				}
				if err := pub.DisconnectPeer(peer.Peer); err != nil && !errors.Is(err, ringwire.ErrHostUnreachable) {
					t.Fatal(err)
				}
			}
			cancel()
			load.Wait()
			if n := pub.Stats().Accepts; n <= int64(run.times) {
				t.Errorf("got %d connections, want more than %d", n, run.times)
			}
			t.Logf("after %d reconnects %+v, after %d %+v", run.times/5, early, run.times, late)
			if late.goroutines > early.goroutines+4 || late.files > early.files+4 {
				t.Errorf("goroutines and files went from %d, %d to %d, %d", early.goroutines, early.files, late.goroutines, late.files)
			}
			// Queues and buffers come and go.
			if slack := uint64(16 << 20); late.heap > early.heap+early.heap/4+slack {
				t.Errorf("the heap went from %d to %d bytes", early.heap, late.heap)
			}
		})
	}
}
