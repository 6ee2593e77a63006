package socket_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// TestSendReturnsTheCallersBytes: a large body is written from where it is.
// What the kernel does not take must not be read from there after Send has
// returned: the caller may change its buffers then.
func TestSendReturnsTheCallersBytes(t *testing.T) {
	for _, endpoint := range []string{"tcp://127.0.0.1:0", "ipc://*", "inproc://lent"} {
		for _, size := range []int{32 << 10, 100_000, 3 << 20} {
			t.Run(fmt.Sprintf("%.3s/%d", endpoint, size), func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				// Small kernel buffers: writes are cut off anywhere.
				opts := socket.Options{SendBuffer: 8 << 10, RecvBuffer: 8 << 10}
				pull, push := tokenOpen(t, pattern.Pull, opts), tokenOpen(t, pattern.Push, opts)
				at, err := pull.Bind(endpoint)
				if err != nil {
					t.Fatal(err)
				}
				if err := push.Connect(at); err != nil {
					t.Fatal(err)
				}
				if err := push.WaitPeers(ctx, 1); err != nil {
					t.Fatal(err)
				}
				const n = 20
				filling := func(i int) byte { return byte(i*7 + 1) }
				buffer := make([]byte, size)
				for i := range n {
					for j := range buffer {
						buffer[j] = filling(i)
					}
					// Nobody receives yet: all but the first bytes must wait.
					if err := push.Send(ctx, []byte{byte(i)}, buffer, []byte("after")); err != nil {
						t.Fatal(err)
					}
					clear(buffer)
				}
				var m ringwire.Message
				defer m.Release()
				for i := range n {
					if err := pull.RecvInto(ctx, &m); err != nil {
						t.Fatal(err)
					}
					want := bytes.Repeat([]byte{filling(i)}, size)
					if m.Len() != 3 || m.Frame(0)[0] != byte(i) || !bytes.Equal(m.Frame(1), want) || string(m.Frame(2)) != "after" {
						t.Fatalf("message %d: got %d frames, the first %v, the second %.8x..., want 3, %d, %.8x...", i, m.Len(), m.Frame(0), m.Frame(1), i, want)
					}
				}
				checkSent(t, push, n)
			})
		}
	}
}

// checkSent checks the sender's equation when everything has left.
func checkSent(t *testing.T, s *socket.Socket, n int64) {
	t.Helper()
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if st := s.Stats(); st.Accepted != n || st.Written != n || st.SendQueued != 0 || st.SendDropped.Total() != 0 {
		t.Errorf("got %d accepted, %d written, %d queued, %d dropped, want %d, %d, 0, 0", st.Accepted, st.Written, st.SendQueued, st.SendDropped.Total(), n, n)
	}
}

// TestStreamEnds: whatever number of messages a stream has, its end arrives
// without anybody sending or flushing again.
func TestStreamEnds(t *testing.T) {
	for _, endpoint := range []string{"tcp://127.0.0.1:0", "ipc://*", "inproc://ends"} {
		t.Run(fmt.Sprintf("%.3s", endpoint), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			pull, push := tokenOpen(t, pattern.Pull, socket.Options{}), tokenOpen(t, pattern.Push, socket.Options{})
			at, err := pull.Bind(endpoint)
			if err != nil {
				t.Fatal(err)
			}
			if err := push.Connect(at); err != nil {
				t.Fatal(err)
			}
			seed := rand.Uint64()
			random := rand.New(rand.NewPCG(seed, 0))
			body := make([]byte, 64)
			var m ringwire.Message
			defer m.Release()
			for round := range 100 {
				n := 1 + random.IntN(6000)
				sent := make(chan error, 1)
				go func() {
					for range n {
						if err := push.Send(ctx, body); err != nil {
							sent <- err
							return
						}
					}
					sent <- nil
				}()
				for i := range n {
					if err := pull.RecvInto(ctx, &m); err != nil {
						t.Fatalf("round %d, message %d of %d: got %v, want a message (seed %d)", round, i, n, err, seed)
					}
				}
				if err := <-sent; err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// TestInprocStagedIsCounted: messages that the sender makes visible in batches
// are in the receiver's counters all the same, while it is between two calls
// of Recv.
func TestInprocStagedIsCounted(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	pull, push := tokenOpen(t, pattern.Pull, socket.Options{}), tokenOpen(t, pattern.Push, socket.Options{})
	if _, err := pull.Bind("inproc://staged"); err != nil {
		t.Fatal(err)
	}
	if err := push.Connect("inproc://staged"); err != nil {
		t.Fatal(err)
	}
	if err := pull.WaitPeers(ctx, 1); err != nil {
		t.Fatal(err)
	}
	sent, received := int64(0), int64(0)
	send := func(n int) {
		for range n {
			if err := push.Send(ctx, []byte{byte(sent)}); err != nil {
				t.Fatal(err)
			}
			sent++
		}
	}
	recv := func(n int) {
		for range n {
			m, err := pull.Recv(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if got := m.Bytes()[0]; got != byte(received) {
				t.Fatalf("message %d: got %d, want %d", received, got, byte(received))
			}
			received++
			m.Release()
		}
	}
	check := func(what string) {
		t.Helper()
		st := pull.Stats()
		if st.Arrived != sent || st.Returned != received || st.RecvQueued != sent-received {
			t.Errorf("%s: got %d arrived, %d returned, %d queued, want %d, %d, %d", what, st.Arrived, st.Returned, st.RecvQueued, sent, received, sent-received)
		}
		if p := pull.Peers(); len(p) != 1 || p[0].RecvQueued != sent-received {
			t.Errorf("%s: got peers %+v, want one with %d queued", what, p, sent-received)
		}
	}
	send(200)
	check("before the first Recv")
	recv(100) // enough that the receiver is busy
	check("in the middle")
	send(20) // less than a batch
	check("with some staged")
	recv(110)
	send(5)
	check("again")
	recv(15)
	check("at the end")
	if m, err := pull.TryRecv(); err == nil {
		t.Errorf("got another message %v, want none", m)
	}
}

// TestSendOverlappingFrames: frames of one message may lie in the same bytes.
func TestSendOverlappingFrames(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	pull, push := tokenOpen(t, pattern.Pull, socket.Options{}), tokenOpen(t, pattern.Push, socket.Options{})
	tokenConnect(t, push, tokenBind(t, pull, "tcp://127.0.0.1:0"))
	if err := push.WaitPeers(ctx, 1); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 16<<20) // more than the kernel takes at once
	for i := range buffer {
		buffer[i] = byte(i >> 8)
	}
	want := [][]byte{bytes.Clone(buffer[8<<20:]), bytes.Clone(buffer), bytes.Clone(buffer[8<<20:])}
	if err := push.Send(ctx, buffer[8<<20:], buffer, buffer[8<<20:]); err != nil {
		t.Fatal(err)
	}
	clear(buffer)
	m, err := pull.Recv(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range want {
		if got := m.Frame(i); !bytes.Equal(got, w) {
			t.Errorf("frame %d: got %d bytes %.8x..., want %d bytes %.8x...", i, len(got), got, len(w), w)
		}
	}
}

// TestInprocStagedAtParting: what the sender had staged when the two were parted
// is received, and counted, whoever parts them.
func TestInprocStagedAtParting(t *testing.T) {
	for _, how := range []string{"receiver disconnects", "receiver unbinds", "receiver closes", "sender disconnects", "sender closes"} {
		t.Run(how, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			pull, push := tokenOpen(t, pattern.Pull, socket.Options{}), tokenOpen(t, pattern.Push, socket.Options{})
			bound, connecting := pull, push
			if how == "receiver disconnects" {
				bound, connecting = push, pull
			}
			const at = "inproc://parting"
			tokenBind(t, bound, at)
			tokenConnect(t, connecting, at)
			if err := push.WaitPeers(ctx, 1); err != nil {
				t.Fatal(err)
			}
			got := int64(0)
			for i := range 220 {
				for ; i == 200 && got < 100; got++ { // with 100 in front of it the receiver lets the sender batch
					if _, err := pull.Recv(ctx); err != nil {
						t.Fatal(err)
					}
				}
				if err := push.Send(ctx, []byte{byte(i)}); err != nil {
					t.Fatal(err)
				}
			}
			if how != "receiver closes" {
				for ; got < 200; got++ { // all that is visible
					if _, err := pull.Recv(ctx); err != nil {
						t.Fatal(err)
					}
				}
			}
			switch how {
			case "receiver disconnects":
				pull.Disconnect(at)
			case "receiver unbinds":
				pull.Unbind(at)
			case "receiver closes":
				pull.Close()
			case "sender disconnects":
				push.Disconnect(at)
			case "sender closes":
				push.Close()
			}
			for {
				for _, err := pull.TryRecv(); err == nil; _, err = pull.TryRecv() {
					got++
				}
				r, s := pull.Stats(), push.Stats()
				if r.Arrived == 220 && r.Returned == got && r.Returned+r.RecvQueued+r.RecvDropped.Total() == 220 && s.Written == 220 && (got == 220 || how == "receiver closes") {
					return
				}
				if ctx.Err() != nil {
					t.Fatalf("got %d messages; receiver: %d arrived, %d returned, %d queued, %d dropped; sender: %d written; want 220 accounted for", got, r.Arrived, r.Returned, r.RecvQueued, r.RecvDropped.Total(), s.Written)
				}
			}
		})
	}
}
