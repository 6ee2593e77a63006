package socket_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// TestSendBudget: what is queued for all peers together is bounded, and room for
// one is room for all.
func TestSendBudget(t *testing.T) {
	const budget, size = 1 << 20, 32 << 10
	ctx, cancel := context.WithTimeout(t.Context(), confGuard)
	defer cancel()
	push := tokenOpen(t, pattern.Push, socket.Options{SendBudget: budget, SendHWM: -1, SendBuffer: 4096})
	at := tokenBind(t, push, "tcp://127.0.0.1:0")
	var raws []*confRaw
	for range 8 {
		raw := confDial(t, at)
		raw.handshake(1, "Socket-Type", "PULL")
		raws = append(raws, raw)
	}
	if err := push.WaitPeers(ctx, len(raws)); err != nil {
		t.Fatal(err)
	}
	for {
		if err := push.TrySend(make([]byte, size)); errors.Is(err, ringwire.ErrAgain) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if st := push.Stats(); st.SendBytes < budget || st.SendBytes > budget+2*size {
		t.Errorf("%d bytes are queued, want about %d", st.SendBytes, budget)
	}
	done := make(chan error, 1)
	go func() { done <- push.Send(ctx, make([]byte, size)) }()
	// The peer with the most in its queue reads, and the others do not.
	most := slices.MaxFunc(push.Peers(), func(a, b socket.PeerInfo) int { return int(a.SendBytes - b.SendBytes) })
	for _, raw := range raws {
		if raw.conn.LocalAddr().String() == most.Remote {
			go io.Copy(io.Discard, raw.in)
		}
	}
	if err := <-done; err != nil {
		t.Errorf("Send when there is room again: %v; %+v", err, push.Stats().Counters)
	}
}

// TestRecvBudget: what is queued from all peers together is bounded, nothing is
// lost by it, and reading goes on when there is room again.
func TestRecvBudget(t *testing.T) {
	for _, endpoint := range []string{"tcp://127.0.0.1:0", "ipc://*", "inproc://budget"} {
		t.Run(endpoint, func(t *testing.T) {
			const budget, size, senders, each = 256 << 10, 4 << 10, 6, 500
			ctx, cancel := context.WithTimeout(t.Context(), confGuard)
			defer cancel()
			pull := tokenOpen(t, pattern.Pull, socket.Options{RecvBudget: budget, RecvHWM: 10_000})
			at := tokenBind(t, pull, endpoint)
			done := make(chan error, senders)
			for range senders {
				push := tokenOpen(t, pattern.Push, socket.Options{SendHWM: 10_000})
				tokenConnect(t, push, at)
				if err := push.WaitPeers(ctx, 1); err != nil { // inproc: what was sent before is the sender's
					t.Fatal(err)
				}
				go func() {
					for range each {
						if err := push.Send(ctx, make([]byte, size)); err != nil {
							done <- err
							return
						}
					}
					done <- push.Flush(ctx)
				}()
			}
			for i := range senders * each {
				m, err := pull.Recv(ctx)
				if err != nil {
					t.Fatalf("message %d: %v; %+v", i, err, pull.Stats().Counters)
				}
				m.Release()
				if i%100 == 0 {
					// A reader may have one batch of its read buffer in hand.
					if st := pull.Stats(); st.RecvQueued*size > budget+senders*(64<<10) {
						t.Fatalf("%d messages of %d bytes are queued, want at most about %d bytes", st.RecvQueued, size, budget)
					}
				}
			}
			for range senders {
				if err := <-done; err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// TestSendBudgetResumesRequests: a REP that takes no more requests because the budget
// is used up by the reply to one requester goes on with all of them when it is free.
func TestSendBudgetResumesRequests(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), confGuard)
	defer cancel()
	rep := tokenOpen(t, pattern.Rep, socket.Options{SendBudget: 64 << 10, SendBuffer: 64 << 10})
	at := tokenBind(t, rep, "tcp://127.0.0.1:0")
	reply := make([]byte, 8<<20) // more than the system keeps for a connection of which nothing is read
	var first, second *confRaw
	for i, raw := range []**confRaw{&first, &second} {
		*raw = confDial(t, at)
		(*raw).handshake(1, "Socket-Type", "REQ")
		(*raw).message("", "request")
		if i == 1 {
			break
		}
		if _, err := rep.Recv(ctx); err != nil {
			t.Fatal(err)
		}
		if err := rep.SendMessage(ctx, ringwire.NewMessage(reply)); err != nil {
			t.Fatal(err)
		}
	}
	tokenUntil(t, "the second request is here", func() bool { return rep.Stats().RecvQueued == 1 })
	if _, err := rep.TryRecv(); !errors.Is(err, ringwire.ErrAgain) {
		t.Fatalf("a request while the budget is used up: %v, want ErrAgain", err)
	}
	go io.Copy(io.Discard, first.in)
	if _, err := rep.Recv(ctx); err != nil {
		t.Fatalf("the second request: %v; %+v", err, rep.Stats().Counters)
	}
	if err := rep.Send(ctx, []byte("reply")); err != nil {
		t.Fatal(err)
	}
	second.wantMessage("", "reply")
}
