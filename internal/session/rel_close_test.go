package session_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// TestREL05CloseIsBounded: Close and Shutdown end when they should, whatever the peer
// does, and say what they threw away.
func TestREL05CloseIsBounded(t *testing.T) {
	const closeWait = 500 * time.Millisecond // see close.go: for a peer that does not close
	for _, peer := range []string{"reads", "never up", "nobody came", "stalled", "dead", "keeps it open"} {
		for _, linger := range []time.Duration{0, time.Second, 30 * time.Second} {
			for _, shutdown := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s,%v,shutdown=%v", peer, linger, shutdown), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						n := newMemNet()
						push := open(t, n, pattern.Push, socket.Options{Linger: linger, NoLinger: linger == 0 && !shutdown})
						total := 100
						got := 0
						var wg sync.WaitGroup
						switch peer {
						case "reads", "stalled":
							pull := open(t, n, pattern.Pull, socket.Options{RecvHWM: 1, NoLinger: true})
							join(t.Context(), t, pull, push)
							if peer == "reads" {
								wg.Go(func() {
									for ; got < total; got++ {
										ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
										m, err := pull.Recv(ctx)
										cancel()
										if err != nil {
											return
										}
										m.Release()
										time.Sleep(time.Millisecond) // slower than Send, faster than a second
									}
								})
							}
						case "never up":
							relConnect(t, push, "mem://nobody")
						case "nobody came":
							relBind(t, push, "mem://x")
							relConnect(t, push, "mem://nobody") // or Send waits
						case "dead", "keeps it open":
							if peer == "keeps it open" {
								total = 3 // the kernel takes them
							}
							relBind(t, push, "mem://x")
							relRaw(t, n, "x", "PULL", "")
							if err := push.WaitPeers(t.Context(), 1); err != nil {
								t.Fatal(err)
							}
						}
						for range total {
							if err := push.Send(t.Context(), make([]byte, 1000)); err != nil {
								t.Fatal(err)
							}
						}
						began := time.Now()
						var err error
						if shutdown {
							ctx, cancel := context.WithTimeout(t.Context(), linger)
							err = push.Shutdown(ctx)
							cancel()
						} else {
							err = push.Close()
						}
						took := time.Since(began)
						if limit := linger + closeWait; took > limit {
							t.Errorf("took %v, want at most %v", took, limit)
						}
						st := push.Stats()
						unsent, ok := errors.AsType[*ringwire.UnsentError](err)
						if ok && (unsent.Messages == 0 || unsent.Messages < st.SendDropped.Closed) || !ok && (err != nil || st.SendDropped.Closed != 0) {
							t.Errorf("Close = %v with %d dropped, want those", err, st.SendDropped.Closed)
						}
						balance(t, "push", push)
						wg.Wait()
						if peer == "reads" && linger > 0 && (got != total || err != nil) {
							t.Errorf("a peer that reads got %d of %d, Close = %v", got, total, err)
						}
						if peer == "reads" && linger == 30*time.Second && took > 2*time.Second {
							t.Errorf("Close took %v, want no longer than the delivery", took)
						}
					})
				})
			}
		}
	}
}
