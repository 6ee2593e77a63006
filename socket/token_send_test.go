package socket_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// TestTokenKernelFull: the peer stops reading. Send takes what its bounds
// allow, then waits and can be cancelled; when the peer reads again,
// everything accepted arrives once and in order.
func TestTokenKernelFull(t *testing.T) {
	tokenVariants(t, func(t *testing.T, endpoint string, opts socket.Options) {
		ctx := tokenContext(t)
		opts.SendHWM = 50
		push := tokenOpen(t, pattern.Push, opts)
		raw := tokenDial(t, tokenBind(t, push, endpoint), "PULL")
		if err := push.WaitPeers(ctx, 1); err != nil {
			t.Fatal(err)
		}
		accepted := uint32(0)
		sizes := []int{64, 40_000, 1000, 300_000}
		for round := range 3 {
			for refused := 0; refused < 20; {
				short, cancel := context.WithTimeout(ctx, time.Millisecond)
				body := tokenBody(1, accepted, sizes[accepted%4])
				var err error
				if accepted%3 == 0 {
					m := ringwire.NewMessage(body)
					if err = push.SendMessage(short, m); err != nil && m.Len() != 1 {
						t.Fatalf("a message that was not sent has %d frames, want it unchanged", m.Len())
					}
				} else {
					err = push.Send(short, body)
				}
				cancel()
				switch {
				case err == nil:
					accepted++
					refused = 0
				case errors.Is(err, context.DeadlineExceeded):
					refused++
				default:
					t.Fatal(err)
				}
			}
			if st := push.Stats(); st.SendQueued < 1 || st.SendQueued > 50 {
				t.Errorf("round %d: %d messages are queued, want 1 to 50: %+v", round, st.SendQueued, st.Counters)
			}
			for n := 0; n < 30 && raw.ledger[1] < accepted; n++ { // some room
				raw.frame2()
			}
		}
		last := accepted
		for raw.ledger[1] < last {
			raw.frame2()
		}
		if err := push.Flush(ctx); err != nil {
			t.Fatal(err)
		}
		if st := tokenBalance(t, "push", push); st.Accepted != int64(last) || st.Written != int64(last) || st.Disconnects != 0 {
			t.Errorf("got %+v, want %d accepted and written, no disconnect", st, last)
		}
	})
}

// frame2 takes one message of a tokenBody.
func (r *tokenRaw) frame2() {
	r.t.Helper()
	command, body := r.frame()
	if command {
		r.t.Fatalf("got the command %q, want a message", body)
	}
	if r.ledger == nil {
		r.ledger = tokenLedger{}
	}
	if err := r.ledger.take(body); err != nil {
		r.t.Fatal(err)
	}
}

// TestTokenManyGoroutines: several goroutines send and receive on both
// sockets of a connection. From each sender every receiver sees rising
// numbers, and all of them come exactly once.
func TestTokenManyGoroutines(t *testing.T) {
	tokenVariants(t, func(t *testing.T, endpoint string, opts socket.Options) {
		const workers, each = 4, 1500
		ctx := tokenContext(t)
		a, b := tokenOpen(t, pattern.Dealer, opts), tokenOpen(t, pattern.Dealer, opts)
		tokenConnect(t, b, tokenBind(t, a, endpoint))
		var wg sync.WaitGroup
		for _, s := range []*socket.Socket{a, b} {
			seen := make([][each]atomic.Int32, workers)
			var left atomic.Int64
			left.Store(workers * each)
			receiving, enough := context.WithCancel(ctx)
			t.Cleanup(enough)
			for id := range workers {
				wg.Go(func() {
					for n := range uint32(each) {
						if err := s.Send(ctx, tokenBody(byte(id), n, int(n%300))); err != nil {
							t.Error(err)
							return
						}
					}
				})
				wg.Go(func() {
					next := map[byte]uint32{}
					for {
						m, err := s.Recv(receiving)
						if err != nil {
							if left.Load() != 0 {
								t.Errorf("%d messages are missing: %v", left.Load(), err)
							}
							return
						}
						body := m.Bytes()
						sender, n := body[0], binary.BigEndian.Uint32(body[1:])
						if n < next[sender] {
							t.Errorf("from sender %d: got %d after %d", sender, n, next[sender]-1)
						}
						next[sender] = n + 1
						if got := seen[sender][n].Add(1); got != 1 {
							t.Errorf("message %d of sender %d came %d times", n, sender, got)
						}
						m.Release()
						if left.Add(-1) == 0 {
							enough()
						}
					}
				})
			}
		}
		wg.Wait()
		for name, s := range map[string]*socket.Socket{"a": a, "b": b} {
			if st := tokenBalance(t, name, s); st.Accepted != workers*each || st.Returned != workers*each {
				t.Errorf("%s: accepted %d, returned %d, want %d", name, st.Accepted, st.Returned, workers*each)
			}
		}
	})
}

// TestTokenChurn: connections come and go while the first one streams; the
// token goes out and comes back each time.
func TestTokenChurn(t *testing.T) {
	tokenVariants(t, func(t *testing.T, endpoint string, opts socket.Options) {
		const first, others, per = 20_000, 12, 300
		ctx := tokenContext(t)
		pull := tokenOpen(t, pattern.Pull, opts)
		at := tokenBind(t, pull, endpoint)
		send := func(id byte, n uint32) {
			s := tokenOpen(t, pattern.Push, opts)
			tokenConnect(t, s, at)
			for i := range n {
				if err := s.Send(ctx, tokenBody(id, i, 40)); err != nil {
					t.Error(err)
					return
				}
			}
			if err := s.Shutdown(ctx); err != nil {
				t.Error(err)
			}
			if st := tokenBalance(t, fmt.Sprint("sender ", id), s); st.Written != int64(n) {
				t.Errorf("sender %d: written %d, want %d", id, st.Written, n)
			}
		}
		var wg sync.WaitGroup
		wg.Go(func() { send(0, first) })
		wg.Go(func() {
			for id := range others {
				send(byte(id+1), per)
			}
		})
		ledger := tokenLedger{}
		for n := range first + others*per {
			m, err := pull.Recv(ctx)
			if err != nil {
				t.Fatalf("after %d messages: %v; %v; %+v", n, err, ledger, pull.Stats())
			}
			if err := ledger.take(m.Bytes()); err != nil {
				t.Fatal(err)
			}
			m.Release()
		}
		wg.Wait()
		if st := tokenBalance(t, "pull", pull); st.Returned != first+others*per {
			t.Errorf("returned %d, want %d", st.Returned, first+others*per)
		}
	})
}

// TestTokenDo: requests with random patience to a server that takes its time.
// Never the reply to another request.
func TestTokenDo(t *testing.T) {
	tokenVariants(t, func(t *testing.T, endpoint string, opts socket.Options) {
		ctx := tokenContext(t)
		opts.ReconnectMin, opts.ReconnectMax = time.Millisecond, 2*time.Millisecond
		rep, req := tokenOpen(t, pattern.Rep, opts), tokenOpen(t, pattern.Req, opts)
		tokenConnect(t, req, tokenBind(t, rep, endpoint))
		seed := rand.Uint64()
		var wg sync.WaitGroup
		serving, stop := context.WithCancel(ctx)
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, 7))
			for {
				m, err := rep.Recv(serving)
				if err != nil {
					return
				}
				if r.IntN(4) == 0 {
					time.Sleep(time.Duration(r.IntN(1500)) * time.Microsecond)
				}
				if err := rep.SendMessage(serving, m); err != nil {
					t.Errorf("reply: %v", err)
					return
				}
			}
		})
		r := rand.New(rand.NewPCG(seed, 8))
		answered := 0
		for n := range uint32(400) {
			short, cancel := context.WithTimeout(ctx, time.Duration(100+r.IntN(3000))*time.Microsecond)
			m, err := req.Do(short, tokenBody(1, n, r.IntN(200)))
			cancel()
			if err != nil {
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Fatalf("seed %d: request %d: %v", seed, n, err)
				}
				continue
			}
			answered++
			if got := binary.BigEndian.Uint32(m.Bytes()[1:]); got != n {
				t.Fatalf("seed %d: request %d got the reply to %d", seed, n, got)
			}
			m.Release()
		}
		want := tokenBody(1, 1000, 9) // and it still works
		if m, err := req.Do(ctx, want); err != nil || string(m.Bytes()) != string(want) {
			t.Fatalf("seed %d: the last request: %v", seed, err)
		}
		if answered == 0 {
			t.Errorf("seed %d: no request was answered: nothing was tested", seed)
		}
		stop()
		wg.Wait()
		tokenBalance(t, "req", req)
		tokenBalance(t, "rep", rep)
	})
}
