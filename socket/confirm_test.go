package socket_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// TestConfirm: what a peer has taken in is confirmed, by it and all before.
func TestConfirm(t *testing.T) {
	for _, endpoint := range []string{"tcp://127.0.0.1:0", "ipc://*", "inproc://confirm"} {
		t.Run(endpoint, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), confGuard)
			defer cancel()
			pull, push := tokenOpen(t, pattern.Pull, socket.Options{RecvHWM: 1000}), tokenOpen(t, pattern.Push, socket.Options{})
			tokenConnect(t, push, tokenBind(t, pull, endpoint))
			if err := push.Confirm(ctx); err != nil {
				t.Fatalf("with nothing sent: %v", err)
			}
			total := int64(0)
			for range 20 {
				for range 30 {
					if err := push.Send(ctx, make([]byte, 1000)); err != nil {
						t.Fatal(err)
					}
				}
				total += 30
				if err := push.Confirm(ctx); err != nil {
					t.Fatal(err)
				}
				if st := push.Stats(); st.Confirmed != total || st.Written != total || st.InDoubt != 0 {
					t.Fatalf("got %d confirmed of %d written, %d in doubt, want all %d", st.Confirmed, st.Written, st.InDoubt, total)
				}
				if queued := pull.Stats().RecvQueued; queued != total {
					t.Fatalf("%d were confirmed, and the peer has %d", total, queued)
				}
			}
			if info := push.Peers()[0]; endpoint[0] != 'i' && (info.RoundTrip <= 0 || info.RoundTrip > confGuard) {
				t.Errorf("round trip %v, want more than 0", info.RoundTrip)
			}
		})
	}
}

// TestConfirmWaitsForRoom: a peer without room has not taken it in.
func TestConfirmWaitsForRoom(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), confGuard)
	defer cancel()
	pull, push := tokenOpen(t, pattern.Pull, socket.Options{RecvHWM: 5}), tokenOpen(t, pattern.Push, socket.Options{})
	tokenConnect(t, push, tokenBind(t, pull, "tcp://127.0.0.1:0"))
	for range 50 {
		if err := push.Send(ctx, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	soon, stop := context.WithTimeout(ctx, 100*time.Millisecond)
	defer stop()
	if err := push.Confirm(soon); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Confirm with a full peer = %v, want its deadline", err)
	}
	if st := push.Stats(); st.Confirmed != 0 {
		t.Errorf("%d are confirmed, want 0", st.Confirmed)
	}
	done := make(chan error, 1)
	go func() { done <- push.Confirm(ctx) }()
	for range 50 {
		if _, err := pull.Recv(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestConfirmWithoutReceipts: a peer of ZMTP 3.0 cannot be asked, and one whose
// PONG is empty does not say what it answers.
func TestConfirmWithoutReceipts(t *testing.T) {
	for minor, name := range []string{"ZMTP 3.0", "PONG without context"} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), confGuard)
			defer cancel()
			push := tokenOpen(t, pattern.Push, socket.Options{})
			raw := confDial(t, tokenBind(t, push, "tcp://127.0.0.1:0"))
			raw.handshake(byte(minor), "Socket-Type", "PULL")
			if err := push.Send(ctx, []byte("x")); err != nil {
				t.Fatal(err)
			}
			go func() {
				for minor == 1 {
					flags, body := raw.frame()
					if flags&confCommand != 0 && len(body) > 5 && string(body[1:5]) == "PING" {
						raw.command("PONG", "")
						return
					}
				}
			}()
			if err := push.Confirm(ctx); !errors.Is(err, ringwire.ErrNoReceipt) {
				t.Errorf("Confirm = %v, want ErrNoReceipt", err)
			}
			if st := push.Stats(); st.Confirmed != 0 {
				t.Errorf("%d are confirmed, want 0", st.Confirmed)
			}
		})
	}
}

// TestConfirmTellsOfDoubt: messages over a connection that ended without a
// receipt, and those dropped because the peer was gone, are told of once.
func TestConfirmTellsOfDoubt(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), confGuard)
	defer cancel()
	push := tokenOpen(t, pattern.Push, socket.Options{})
	events := confNew(t, "tcp").Events(push)
	raw := confDial(t, tokenBind(t, push, "tcp://127.0.0.1:0"))
	raw.handshake(1, "Socket-Type", "PULL")
	events(socket.Ready)
	for range 7 {
		if err := push.Send(ctx, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if err := push.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	raw.conn.Close()
	if ev := events(socket.Disconnected); ev.InDoubt != 7 || ev.Next != socket.NextAccept {
		t.Errorf("the event says %d in doubt, next %v, want 7, it accepts", ev.InDoubt, ev.Next)
	}
	if err := push.Confirm(ctx); !errors.Is(err, ringwire.ErrNoReceipt) {
		t.Errorf("Confirm = %v, want ErrNoReceipt", err)
	}
	if err := push.Confirm(ctx); err != nil {
		t.Errorf("a second Confirm = %v, want nil: nothing was sent since", err)
	}
}

// TestReceiptNarrowsDoubt: what was confirmed is not in doubt when the
// connection ends.
func TestReceiptNarrowsDoubt(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), confGuard)
	defer cancel()
	push := tokenOpen(t, pattern.Push, socket.Options{})
	events := confNew(t, "tcp").Events(push)
	raw := confDial(t, tokenBind(t, push, "tcp://127.0.0.1:0"))
	raw.handshake(1, "Socket-Type", "PULL")
	events(socket.Ready)
	send := func(n int) {
		for range n {
			if err := push.Send(ctx, []byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		if err := push.Flush(ctx); err != nil {
			t.Fatal(err)
		}
	}
	send(5)
	done := make(chan error, 1)
	go func() { done <- push.Confirm(ctx) }()
	messages := 0
	for {
		flags, body := raw.frame()
		if flags&confCommand == 0 {
			messages++
			continue
		}
		if messages != 5 {
			t.Errorf("the PING came after %d messages, want 5", messages)
		}
		raw.command("PONG", string(body[len("\x04PING\x00\x00"):]))
		break
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	send(3)
	raw.conn.Close()
	if ev := events(socket.Disconnected); ev.InDoubt != 3 {
		t.Errorf("the event says %d in doubt, want 3", ev.InDoubt)
	}
	if st := push.Stats(); st.Confirmed != 5 || st.InDoubt != 3 || st.Written != 8 {
		t.Errorf("got %d confirmed, %d in doubt, %d written, want 5, 3, 8", st.Confirmed, st.InDoubt, st.Written)
	}
}

// TestNoReceiptFromClosing: a receiver that closes, and throws away what still
// comes, gives no receipt for it.
func TestNoReceiptFromClosing(t *testing.T) {
	for round := range 20 {
		ctx, cancel := context.WithTimeout(t.Context(), confGuard)
		pull, push := tokenOpen(t, pattern.Pull, socket.Options{RecvHWM: 5, NoLinger: round%2 == 0}), tokenOpen(t, pattern.Push, socket.Options{ReconnectMin: -1, NoLinger: true})
		tokenConnect(t, push, tokenBind(t, pull, "tcp://127.0.0.1:0"))
		for range 1000 {
			if err := push.Send(ctx, []byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		if err := push.Flush(ctx); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- push.Confirm(ctx) }()
		pull.Close()
		if err := <-done; err == nil {
			t.Errorf("round %d: Confirm = nil, and %d messages were thrown away", round, pull.Stats().RecvDropped.Closed)
		}
		cancel()
		push.Close()
	}
}
