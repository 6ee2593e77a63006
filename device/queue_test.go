package device_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ringwire/ringwire/device"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// serve answers every request with itself until ctx ends or the socket is closed.
func serve(ctx context.Context, s *socket.Socket) {
	for {
		m, err := s.Recv(ctx)
		if err != nil || s.SendMessage(ctx, m) != nil {
			return
		}
	}
}

// TestQueue is libzmq's test_proxy: clients ask through the device, every reply is
// the answer to the request.
func TestQueue(t *testing.T) {
	for _, scheme := range schemes {
		t.Run(scheme, func(t *testing.T) {
			const clients, each, workers = 5, 200, 3
			d := start(t, device.NewQueue, scheme, nil, nil, nil)
			ctx, cancel := context.WithCancel(within(t))
			defer cancel()
			var serving, asking sync.WaitGroup
			for range workers {
				rep := connected(t, pattern.Rep, nil, d.back)
				serving.Go(func() { serve(ctx, rep) })
			}
			for c := range clients {
				req := connected(t, pattern.Req, nil, d.front)
				asking.Go(func() {
					for i := range each {
						m, err := req.Do(ctx, fmt.Appendf(nil, "%d/%d", c, i), nil, []byte("third"))
						if err != nil {
							t.Errorf("client %d, request %d: %v", c, i, err)
							return
						}
						if got := textOf(m); !slices.Equal(got, []string{fmt.Sprintf("%d/%d", c, i), "", "third"}) {
							t.Errorf("client %d, request %d: got %q", c, i, got)
						}
						m.Release()
					}
				})
			}
			asking.Wait()
			cancel()
			serving.Wait()
			eventually(t, "all are counted each way", func() bool {
				st := d.Stats()
				return st.Forward.Sent.Messages == clients*each && st.Backward.Sent.Messages == clients*each
			})
		})
	}
}

// TestQueueEnvelopes: identities and multipart bodies pass unchanged, both ways.
func TestQueueEnvelopes(t *testing.T) {
	d := start(t, device.NewQueue, "tcp", nil, nil, nil)
	worker := connected(t, pattern.Router, nil, d.back)
	client := connected(t, pattern.Dealer, &socket.Options{Identity: []byte("client")}, d.front)
	send(t, client, "a", "", "b", "\x00\xff")
	m, err := worker.Recv(within(t))
	if err != nil {
		t.Fatal(err)
	}
	want(t, textOf(m)[1:], "client", "a", "", "b", "\x00\xff")
	if err := worker.SendMessage(within(t), m); err != nil {
		t.Fatal(err)
	}
	want(t, recv(t, client), "a", "", "b", "\x00\xff")
}

// TestQueueBothFlood: both sides send as fast as they can, and neither starves the
// other or loses anything.
func TestQueueBothFlood(t *testing.T) {
	const each = 5000
	// The replies do not wait for room at a client: it has enough.
	d := start(t, device.NewQueue, "tcp", &socket.Options{SendHWM: -1, SendHWMBytes: -1}, nil, &device.Options{OneWay: true})
	client := connected(t, pattern.Dealer, &socket.Options{Identity: []byte("client")}, d.front)
	worker := connected(t, pattern.Dealer, nil, d.back)
	waitPeers(t, d.Front(), 1)
	ctx, cancel := context.WithCancel(within(t))
	defer cancel()
	var receiving, sending sync.WaitGroup
	up, down := newLedger(), newLedger()
	receiving.Go(func() { up.collect(ctx, worker, 1) })
	receiving.Go(func() { down.collect(ctx, client, 0) })
	sending.Go(func() {
		if _, err := flood(ctx, client, 0, 0, each); err != nil {
			t.Error(err)
		}
	})
	sending.Go(func() {
		if _, err := flood(ctx, worker, 0, 0, each, "client"); err != nil {
			t.Error(err)
		}
	})
	sending.Wait()
	eventually(t, "everything arrives", func() bool { return up.count() >= each && down.count() >= each })
	cancel()
	receiving.Wait()
	up.check(t, 1, each, true)
	down.check(t, 1, each, true)
}

// TestQueueOneSideStalled: replies go on while requests cannot, because the
// directions do not wait for each other.
func TestQueueOneSideStalled(t *testing.T) {
	d := start(t, device.NewQueue, "tcp", nil, &socket.Options{SendHWM: 1}, nil)
	client := connected(t, pattern.Dealer, &socket.Options{Identity: []byte("client")}, d.front)
	worker := connected(t, pattern.Dealer, &socket.Options{RecvHWM: 1}, d.back)
	waitPeers(t, d.Back(), 1)
	big := string(make([]byte, 1<<20))
	for d.Stats().Forward.InHand() == 0 {
		if client.TrySend([]byte(big)) != nil {
			eventually(t, "the requests stall", func() bool { return d.Stats().Forward.InHand() > 0 })
		}
	}
	for i := range 100 {
		send(t, worker, "client", fmt.Sprint(i))
		want(t, recv(t, client), fmt.Sprint(i))
	}
}

// TestQueueRefuses: a message that can never be sent is counted, and the rest
// goes on.
func TestQueueRefuses(t *testing.T) {
	d := start(t, device.NewQueue, "tcp", nil, nil, nil)
	client := connected(t, pattern.Dealer, &socket.Options{Identity: []byte("client")}, d.front)
	worker := connected(t, pattern.Dealer, nil, d.back)
	waitPeers(t, d.Front(), 1)
	send(t, worker, "no envelope")
	send(t, worker, "client", "reply")
	want(t, recv(t, client), "reply")
	eventually(t, "one is refused and one sent", func() bool {
		st := d.Stats().Backward
		return st.Refused.Messages == 1 && st.Sent.Messages == 1
	})
	send(t, worker, "nobody", "reply")
	eventually(t, "the front counts the reply to nobody", func() bool { return d.Front().Stats().SendDropped.NoRoute == 1 })
}

// TestQueueWorkersKilled: workers vanish under load; each request ends in its own
// reply or in an error, and new workers are used.
func TestQueueWorkersKilled(t *testing.T) {
	d := start(t, device.NewQueue, "tcp", nil, nil, nil)
	ctx, cancel := context.WithCancel(within(t))
	defer cancel()
	var all sync.WaitGroup
	var mu sync.Mutex
	answered := 0
	for c := range 4 {
		req := connected(t, pattern.Req, &socket.Options{ReconnectMin: quick}, d.front)
		all.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				bounded, done := context.WithTimeout(ctx, 200*time.Millisecond)
				body := fmt.Sprintf("%d/%d", c, i)
				m, err := req.Do(bounded, []byte(body))
				done()
				if err != nil {
					continue // its worker was killed
				}
				if got := string(m.Bytes()); got != body {
					t.Errorf("got the reply %q to %q", got, body)
				}
				m.Release()
				mu.Lock()
				answered++
				mu.Unlock()
			}
		})
	}
	for range 5 {
		rep := connected(t, pattern.Rep, nil, d.back)
		all.Go(func() { serve(ctx, rep) })
		mu.Lock()
		before := answered
		mu.Unlock()
		eventually(t, "requests are answered", func() bool {
			mu.Lock()
			defer mu.Unlock()
			return answered > before+50
		})
		rep.Shutdown(canceled())
	}
	cancel()
	all.Wait()
}

// TestSingleSocket is libzmq's test_proxy_single_socket: a device with one REP
// answers with what it receives.
func TestSingleSocket(t *testing.T) {
	for _, kind := range []*pattern.Spec{pattern.Rep, pattern.Router, pattern.Dealer} {
		t.Run(kind.Name(), func(t *testing.T) {
			s := open(t, kind, nil)
			d, err := device.New(s, s, nil)
			if err != nil {
				t.Fatal(err)
			}
			at := bind(t, s, "tcp://127.0.0.1:0")
			play(t, d, at, "")
			other := pattern.Req
			if kind == pattern.Dealer {
				other = pattern.Dealer
			}
			req := connected(t, other, nil, at)
			for i := range 20 {
				send(t, req, fmt.Sprint(i), "more")
				want(t, recv(t, req), fmt.Sprint(i), "more")
			}
		})
	}
}
