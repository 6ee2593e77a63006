package session_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// relServe answers requests with what they were until the socket is closed.
func relServe(rep *socket.Socket) {
	for {
		m, err := rep.Recv(context.Background())
		if err != nil {
			return
		}
		if rep.SendMessage(context.Background(), m) != nil {
			return
		}
	}
}

// TestREL03ServerEnds: the server ends at each call of Read and Write of the
// exchange, its sockets cut off, and another one takes its place. Every Do gets its
// own reply or an error by its deadline, at most one fails, and the next one works.
func TestREL03ServerEnds(t *testing.T) {
	for at := int64(1); ; at++ {
		var calls atomic.Int64
		synctest.Test(t, func(t *testing.T) {
			n := newMemNet()
			ends := make(chan struct{})
			n.hook = func(c *memConn, write bool) error {
				if calls.Add(1) == at {
					close(ends)
				}
				return nil
			}
			var servers sync.WaitGroup
			serve := func() (stop func()) {
				rep := open(t, n, pattern.Rep, socket.Options{NoLinger: true})
				relBind(t, rep, "mem://x")
				servers.Go(func() { relServe(rep) })
				return func() {
					rep.Close()
					balance(t, "rep", rep)
				}
			}
			stop := serve()
			over := make(chan struct{})
			servers.Go(func() {
				select {
				case <-ends:
					stop()
					stop = serve()
				case <-over:
				}
			})
			req := open(t, n, pattern.Req, socket.Options{ReconnectMax: time.Second})
			relConnect(t, req, "mem://x")
			failed := 0
			for i := range 8 {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				want := fmt.Sprint("request ", i)
				began := time.Now()
				m, err := req.Do(ctx, []byte(want), make([]byte, 2000*i))
				took := time.Since(began)
				cancel()
				switch {
				case took > 10*time.Second:
					t.Errorf("the end at call %d: Do %d took %v, want at most its 10s", at, i, took)
				case err != nil:
					if failed++; !errors.Is(err, context.DeadlineExceeded) || failed > 1 {
						t.Errorf("the end at call %d: Do %d, failure %d: %v, want at most one, the deadline", at, i, failed, err)
					}
				case string(m.Frame(0)) != want || m.Len() != 2:
					t.Errorf("the end at call %d: Do(%q) got the reply %.40q", at, want, m.Frame(0))
				default:
					m.Release()
				}
			}
			close(over)
			req.Close()
			synctest.Wait()
			balance(t, "req", req)
			stop()
			servers.Wait()
		})
		if t.Failed() {
			t.Fatalf("with the server's end at call %d", at)
		}
		if calls.Load() < at {
			if at < 12 {
				t.Fatalf("only %d calls: nothing was tested", calls.Load())
			}
			return
		}
	}
}
