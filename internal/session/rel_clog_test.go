package session_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// relClog is a network whose connections can be stopped, cut and counted.
type relClog struct {
	*memNet
	mu      sync.Mutex
	cond    sync.Cond
	stopped map[int]bool
	conns   map[int]*memConn
	over    bool
}

func newRelClog() *relClog {
	g := &relClog{memNet: newMemNet(), stopped: make(map[int]bool), conns: make(map[int]*memConn)}
	g.cond.L = &g.mu
	g.hook = func(c *memConn, _ bool) error {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.conns[c.id] = c
		for g.stopped[c.id] && !g.over {
			g.cond.Wait()
		}
		return nil
	}
	return g
}

// set stops a connection, or lets it go on.
func (g *relClog) set(id int, stop bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stopped[id] = stop
	g.cond.Broadcast()
}

// end lets everything go on for good.
func (g *relClog) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.over = true
	g.cond.Broadcast()
}

// cut ends the newest connection as a reset does, with what is on its way.
func (g *relClog) cut() {
	g.memNet.mu.Lock()
	newest := g.pairs - 1
	g.memNet.mu.Unlock()
	g.mu.Lock()
	defer g.mu.Unlock()
	if c := g.conns[newest]; c != nil {
		c.Close()
	}
}

// relLedger checks what comes from numbered senders: each in order, none twice.
type relLedger map[int]int

func (l relLedger) take(t testing.TB, b []byte) {
	t.Helper()
	n := relNumber(b)
	from, i := n>>20, n&(1<<20-1)
	if i < l[from] {
		t.Errorf("from sender %d: message %d after %d", from, i, l[from]-1)
	}
	l[from] = i + 1
}

// TestSIM03SwizzleClog: connections are stopped one after another and go on in another
// order, again and again, with heartbeats off. Nobody's messages are lost, and who is
// not stopped is not held up.
func TestSIM03SwizzleClog(t *testing.T) {
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			const senders, each = 8, 300
			random := rand.New(rand.NewPCG(seed, 3))
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			g := newRelClog()
			defer g.end()
			pull := open(t, g.memNet, pattern.Pull, socket.Options{RecvHWM: 2, NoLinger: true})
			relBind(t, pull, "mem://x")
			var wg sync.WaitGroup
			defer wg.Wait()
			for from := range senders {
				push := open(t, g.memNet, pattern.Push, socket.Options{SendHWM: 2, NoLinger: true})
				relConnect(t, push, "mem://x")
				wg.Go(func() {
					for i := range each {
						if err := push.Send(ctx, numbered(uint32(from<<20|i), 300)); err != nil {
							t.Errorf("seed %d: Send: %v", seed, err)
							return
						}
					}
				})
			}
			if err := pull.WaitPeers(ctx, senders); err != nil {
				t.Fatal(err)
			}
			wg.Go(func() {
				for range 40 {
					for _, id := range random.Perm(senders)[:senders-1] { // one is never stopped
						g.set(id, true)
						time.Sleep(time.Second)
					}
					for _, id := range random.Perm(senders) {
						g.set(id, false)
						time.Sleep(time.Second)
					}
				}
				g.end()
			})
			ledger := make(relLedger)
			for range senders * each {
				m, err := pull.Recv(ctx)
				if err != nil {
					t.Fatalf("seed %d: %v; %v", seed, err, ledger)
				}
				ledger.take(t, m.Bytes())
				m.Release()
				time.Sleep(10 * time.Millisecond)
			}
			if st := pull.Stats(); st.Arrived != senders*each || st.Disconnects != 0 {
				t.Errorf("seed %d: %d arrived, %d disconnects, want %d, 0", seed, st.Arrived, st.Disconnects, senders*each)
			}
			g.end()
		})
	}
}

// TestREL01Resets: the connection is reset every 50 ms under load, whichever side
// accepts, with RequeueUnsent and without. Each message that did not arrive is in
// doubt or dropped, none comes twice, and those of one lane come in order.
func TestREL01Resets(t *testing.T) {
	for _, bindPush := range []bool{false, true} {
		for _, requeue := range []bool{false, true} {
			t.Run(fmt.Sprintf("bindPush=%v,requeue=%v", bindPush, requeue), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					const total = 3000
					ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
					defer cancel()
					g := newRelClog()
					push := open(t, g.memNet, pattern.Push, socket.Options{SendHWM: 20, RequeueUnsent: requeue, Linger: time.Minute, ReconnectMax: 100 * time.Millisecond})
					pull := open(t, g.memNet, pattern.Pull, socket.Options{RecvHWM: 20, ReconnectMax: 100 * time.Millisecond})
					if bindPush {
						join(ctx, t, push, pull)
					} else {
						join(ctx, t, pull, push)
					}
					var wg sync.WaitGroup
					wg.Go(func() {
						for i := range uint32(total) {
							if err := push.Send(ctx, numbered(i, 500)); err != nil {
								t.Errorf("Send %d: %v", i, err)
								return
							}
							time.Sleep(time.Millisecond)
						}
						if err := push.Flush(ctx); err != nil {
							t.Error(err)
						}
						time.Sleep(time.Second) // without resets
						cancel()
					})
					wg.Go(func() {
						for range total / 50 {
							time.Sleep(50 * time.Millisecond)
							g.cut()
						}
					})
					ledger, got := make(relLedger), int64(0)
					for m, err := range pull.Messages(ctx) {
						if err != nil {
							break
						}
						if n := relNumber(m.Bytes()); requeue && bindPush {
							// What was queued for a connection that is gone goes to
							// another, on which newer ones may be already.
							if ledger[n]++; ledger[n] > 1 {
								t.Errorf("message %d came %d times", n, ledger[n])
							}
						} else {
							ledger.take(t, m.Bytes())
						}
						m.Release()
						got++
					}
					wg.Wait()
					push.Close()
					st := push.Stats()
					lost := total - got
					if limit := st.InDoubt + st.SendDropped.Total(); lost < st.SendDropped.Total() || lost > limit || got < total/10 {
						t.Errorf("%d are lost, %d in doubt, %d dropped: want each explained", lost, st.InDoubt, st.SendDropped.Total())
					}
					if st.Disconnects < total/200 {
						t.Errorf("only %d disconnects: nothing was tested", st.Disconnects)
					}
					if requeue && st.SendDropped.PeerGone != 0 {
						t.Errorf("%d were dropped because the peer was gone, want 0 with RequeueUnsent", st.SendDropped.PeerGone)
					}
					balance(t, "push", push)
				})
			})
		}
	}
}
