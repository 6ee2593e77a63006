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
	opts.SendHWM, opts.SendBuffer = 20, 4096
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
