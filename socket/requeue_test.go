package socket_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// stuffed returns a PUSH whose only peer takes the handshake and reads nothing,
// with messages of 64 KiB queued until there is no room; each begins with its
// number.
func stuffed(t *testing.T, opts socket.Options) (push *socket.Socket, at string, raw *confRaw, sent int) {
	t.Helper()
	opts.SendHWM, opts.SendBuffer = 20, 64<<10
	push = tokenOpen(t, pattern.Push, opts)
	at = tokenBind(t, push, "tcp://127.0.0.1:0")
	raw = confDial(t, at)
	raw.handshake(1, "Socket-Type", "PULL")
	if err := push.WaitPeers(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	for {
		err := push.TrySend(numbered(sent))
		if errors.Is(err, ringwire.ErrAgain) {
			return push, at, raw, sent
		}
		if err != nil {
			t.Fatal(err)
		}
		sent++
	}
}

func numbered(n int) []byte {
	return append(fmt.Appendf(nil, "%d ", n), make([]byte, 64<<10)...)
}

// TestRequeueUnsent: what was queued for a peer that is gone, and of which no
// byte was written, goes to the next one, in order; nothing comes twice.
func TestRequeueUnsent(t *testing.T) {
	for _, later := range []bool{false, true} {
		t.Run(fmt.Sprintf("later=%v", later), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), confGuard)
			defer cancel()
			push, at, raw, sent := stuffed(t, socket.Options{RequeueUnsent: true})
			events := confNew(t, "tcp").Events(push)
			pull := tokenOpen(t, pattern.Pull, socket.Options{})
			if !later {
				tokenConnect(t, pull, at)
				if err := push.WaitPeers(ctx, 2); err != nil {
					t.Fatal(err)
				}
			}
			raw.conn.Close()
			ev := events(socket.Disconnected)
			if ev.Unsent != 0 || ev.InDoubt == 0 || ev.InDoubt >= int64(sent) {
				t.Errorf("the event says %d unsent and %d in doubt of %d, want 0 and some", ev.Unsent, ev.InDoubt, sent)
			}
			if later {
				if st := push.Stats(); st.SendQueued != int64(sent)-ev.InDoubt || st.Accepted != int64(sent) {
					t.Errorf("got %d queued of %d accepted, want %d of %d", st.SendQueued, st.Accepted, int64(sent)-ev.InDoubt, sent)
				}
				tokenConnect(t, pull, at)
			}
			for i := int(ev.InDoubt); i < sent; i++ {
				m, err := pull.Recv(ctx)
				if err != nil {
					t.Fatalf("message %d: %v; %+v", i, err, push.Stats().Counters)
				}
				if !bytes.Equal(m.Bytes(), numbered(i)) {
					t.Fatalf("got %.10q, want message %d", m.Bytes(), i)
				}
			}
			st := push.Stats()
			if st.Accepted != int64(sent) || st.Written != int64(sent) || st.SendQueued != 0 || st.SendDropped.Total() != 0 {
				t.Errorf("sent %d: %+v", sent, st.Counters)
			}
			if err := push.Flush(ctx); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestRequeuedAtClose: what is held for nobody is unsent when the socket closes.
func TestRequeuedAtClose(t *testing.T) {
	push, _, raw, sent := stuffed(t, socket.Options{RequeueUnsent: true, NoLinger: true})
	events := confNew(t, "tcp").Events(push)
	raw.conn.Close()
	held := int64(sent) - events(socket.Disconnected).InDoubt
	err := push.Close()
	unsent, ok := errors.AsType[*ringwire.UnsentError](err)
	if !ok || unsent.Messages != held {
		t.Errorf("Close = %v, want %d unsent", err, held)
	}
	if st := push.Stats(); st.SendDropped.Closed != held || st.SendQueued != 0 {
		t.Errorf("got %d dropped as closed, %d queued, want %d, 0", st.SendDropped.Closed, st.SendQueued, held)
	}
}

// TestFlushWaitsForWhatIsHeld: what is held for nobody was not given to anybody, so
// Flush waits for it, and Confirm with it.
func TestFlushWaitsForWhatIsHeld(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), confGuard)
	defer cancel()
	push, at, raw, sent := stuffed(t, socket.Options{RequeueUnsent: true})
	events := confNew(t, "tcp").Events(push)
	raw.conn.Close()
	doubt := events(socket.Disconnected).InDoubt
	past, stop := context.WithCancel(ctx)
	stop()
	if err := push.Flush(past); !errors.Is(err, context.Canceled) {
		t.Errorf("Flush with %d messages held = %v, want its context's error", push.Stats().SendQueued, err)
	}
	if err := push.Confirm(past); !errors.Is(err, context.Canceled) {
		t.Errorf("Confirm with %d messages held = %v, want its context's error", push.Stats().SendQueued, err)
	}
	pull := tokenOpen(t, pattern.Pull, socket.Options{})
	tokenConnect(t, pull, at)
	if err := push.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	if st := push.Stats(); st.Written != int64(sent) || st.SendQueued != 0 {
		t.Errorf("after Flush %d of %d are written, %d queued", st.Written, sent, st.SendQueued)
	}
	if err := push.Confirm(ctx); !errors.Is(err, ringwire.ErrNoReceipt) {
		t.Errorf("Confirm with %d in doubt = %v, want ErrNoReceipt", doubt, err)
	}
	if err := push.Confirm(ctx); err != nil {
		t.Errorf("a second Confirm = %v", err)
	}
	if st, have := push.Stats(), pull.Stats().RecvQueued; st.Confirmed != int64(sent)-doubt || have != st.Confirmed {
		t.Errorf("%d of %d are confirmed, and the peer has %d; %d are in doubt", st.Confirmed, sent, have, doubt)
	}
}

// TestHeldMessagesAreInTheBudget: what is held for nobody uses the budget of the
// socket; it needs none anew when it goes to another peer, even one for which the
// budget leaves no room, and gives it back when it is written.
func TestHeldMessagesAreInTheBudget(t *testing.T) {
	for _, later := range []bool{false, true} {
		t.Run(fmt.Sprintf("later=%v", later), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), confGuard)
			defer cancel()
			const budget = 10 * 64 << 10
			push, at, raw, sent := stuffed(t, socket.Options{RequeueUnsent: true, SendBudget: budget})
			events := confNew(t, "tcp").Events(push)
			var heir *confRaw
			if !later {
				heir = confDial(t, at)
				heir.handshake(1, "Socket-Type", "PULL")
				if err := push.WaitPeers(ctx, 2); err != nil {
					t.Fatal(err)
				}
			}
			raw.conn.Close()
			ev := events(socket.Disconnected)
			if later {
				if st, want := push.Stats(), int64(sent)-ev.InDoubt; st.SendQueued != want || st.SendBytes < want*64<<10 {
					t.Errorf("%d messages, %d bytes are queued, want %d", st.SendQueued, st.SendBytes, want)
				}
				heir = confDial(t, at)
				heir.handshake(1, "Socket-Type", "PULL")
			}
			done := make(chan error, 1)
			go func() { done <- push.Send(ctx, numbered(sent)) }()
			for i := int(ev.InDoubt); i <= sent; i++ {
				heir.wantMessage(string(numbered(i)))
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
			tokenUntil(t, "everything is written", func() bool { return push.Stats().SendQueued == 0 })
			for range budget / (64 << 10) { // as much as fits at once, so none of it leaked
				if err := push.TrySend(numbered(0)); err != nil {
					t.Fatalf("with nothing queued: %v; %+v", err, push.Stats().Counters)
				}
			}
		})
	}
}
