package socket_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// The clauses that several socket types share, as tests of a sending and a
// receiving type.

// confFrames are bodies at which framing could go wrong.
var confFrames = []string{"", "\x00", "\x02\xff\x00", strings.Repeat("a", 255), strings.Repeat("b", 256), "", strings.Repeat("c", 70000)}

// confUnmodified: messages of one and of several frames, empty ones among
// them, arrive as they were sent.
func confUnmodified(from, to *pattern.Spec) func(e *confEnv) {
	return func(e *confEnv) {
		r, s := e.New(to, nil), e.New(from, nil)
		e.Join(r, s)
		for _, f := range confFrames {
			e.Send(s, f)
			e.Want(r, f)
		}
		e.Send(s, confFrames...)
		e.Want(r, confFrames...)
	}
}

// confRoundRobin: every peer gets every n-th message.
func confRoundRobin(from, to *pattern.Spec) func(e *confEnv) {
	return func(e *confEnv) {
		const peers, each = 3, 5
		s := e.New(from, nil)
		var rs []*socket.Socket
		for range peers {
			r := e.New(to, nil)
			e.Connect(s, e.Bind(r))
			rs = append(rs, r)
		}
		e.WaitPeers(s, peers)
		for i := range peers * each {
			e.Send(s, strconv.Itoa(i))
		}
		for p, r := range rs {
			last := -1
			for k := range each {
				got, err := strconv.Atoi(e.Recv(r)[0])
				if err != nil {
					e.Fatal(err)
				}
				if last >= 0 && got != last+peers || last < 0 && got >= peers {
					e.Errorf("peer %d: message %d is number %d after %d, want every third", p, k, got, last)
				}
				last = got
			}
			e.WantNone(r)
		}
	}
}

// confSkipsFull: a peer without room is passed over, the others get what would
// have been its turn.
func confSkipsFull(from, to *pattern.Spec) func(e *confEnv) {
	return func(e *confEnv) {
		s := e.New(from, &socket.Options{SendHWM: 2})
		nobody := e.Reserve()
		e.Connect(s, nobody) // its queue is the first to be full
		r := e.New(to, nil)
		e.Connect(s, e.Bind(r))
		e.WaitPeers(s, 1)
		const n = 20
		for i := range n {
			e.Send(s, strconv.Itoa(i))
		}
		got := make(map[string]bool)
		for range n - 2 {
			got[e.Recv(r)[0]] = true
		}
		if len(got) != n-2 {
			e.Errorf("the peer with room got %d different messages, want %d", len(got), n-2)
		}
		e.Until("only the dead endpoint's queue is left", func() bool { return s.Stats().SendQueued == 2 })
		if got := s.Stats().Accepted; got != n {
			e.Errorf("accepted %d, want %d", got, n)
		}
	}
}

// confFairQueue: with messages from all peers waiting, each peer gives one in
// turn.
func confFairQueue(from, to *pattern.Spec) func(e *confEnv) {
	return func(e *confEnv) {
		const peers, each = 3, 5
		r := e.New(to, nil)
		at := e.Bind(r)
		for p := range peers {
			s := e.New(from, nil)
			e.Connect(s, at)
			e.WaitPeers(s, 1)
			for i := range each {
				e.Send(s, fmt.Sprintf("%d:%d", p, i))
			}
		}
		confTurns(e, r, peers, each)
	}
}

// confTurns receives what peers have sent, each messages "peer:number" as the
// last frame, and checks that they take turns.
func confTurns(e *confEnv, r *socket.Socket, peers, each int) {
	e.Helper()
	e.Until("all messages have arrived", func() bool { return r.Stats().Arrived == int64(peers*each) })
	for i := range each {
		seen := make(map[string]bool)
		for range peers {
			m := e.Recv(r)
			peer, number, _ := strings.Cut(m[len(m)-1], ":")
			if number != strconv.Itoa(i) || seen[peer] {
				e.Fatalf("round %d: message %q after those of %v, want number %d of another peer", i, m, seen, i)
			}
			seen[peer] = true
		}
	}
	e.Accounts(r)
}

// confNoPeer: without a peer a send waits, or says so, and takes nothing.
func confNoPeer(from, to *pattern.Spec) func(e *confEnv) {
	return func(e *confEnv) {
		s := e.New(from, nil)
		at := e.Bind(s)
		e.WantFull(s, "early")
		r := e.New(to, nil)
		e.Connect(r, at)
		e.Send(s, "late")
		e.Want(r, "late")
	}
}

// confQueueBefore: a connecting socket queues from the call of Connect on, and
// the queue survives until there is a connection.
func confQueueBefore(from, to *pattern.Spec) func(e *confEnv) {
	return func(e *confEnv) {
		at := e.Reserve()
		s := e.New(from, nil)
		e.Connect(s, at)
		for i := range 3 {
			e.Send(s, strconv.Itoa(i))
		}
		if q := s.Stats().SendQueued; q != 3 {
			e.Errorf("%d messages queued before there is a connection, want 3", q)
		}
		r := e.New(to, nil)
		e.BindTo(r, at)
		for i := range 3 {
			e.Want(r, strconv.Itoa(i))
		}
		e.Accounts(s)
	}
}

// confQueueBetween: the queue also survives the time between two connections.
func confQueueBetween(from, to *pattern.Spec) func(e *confEnv) {
	return func(e *confEnv) {
		at := e.Reserve()
		first := e.New(to, nil)
		e.BindTo(first, at)
		s := e.New(from, nil)
		e.Connect(s, at)
		e.Send(s, "first")
		e.Want(first, "first")
		e.Close(first)
		e.Until("the connection is lost", func() bool { return s.Stats().Peers == 0 })
		e.Send(s, "second")
		r := e.New(to, nil)
		e.BindTo(r, at)
		e.Want(r, "second")
	}
}

// confQueueDies: what was queued for a peer that connected to us is discarded
// when it goes, and counted; whoever comes next gets none of it.
func confQueueDies(from, to *pattern.Spec) func(e *confEnv) {
	return func(e *confEnv) {
		s := e.New(from, &socket.Options{SendHWM: 10})
		first := e.New(to, &socket.Options{RecvHWM: 2})
		at := e.Join(s, first)
		e.Fill(s, confBig)
		e.Close(first)
		e.Until("the peer is gone", func() bool { return len(s.Peers()) == 0 })
		if q := s.Stats().SendQueued; q != 0 {
			e.Errorf("%d messages queued for nobody, want 0", q)
		}
		e.Accounts(s)
		second := e.New(to, nil)
		e.Connect(second, at)
		e.Send(s, "new")
		e.Want(second, "new")
	}
}

// confLimit: the outgoing queue takes as many messages as its limit says.
func confLimit(from *pattern.Spec) func(e *confEnv) {
	return func(e *confEnv) {
		s := e.New(from, &socket.Options{SendHWM: 3})
		e.Connect(s, e.Reserve())
		if n := e.Fill(s, "x"); n != 3 {
			e.Errorf("%d messages queued, want 3", n)
		}
		e.WantFull(s, "x")
	}
}

// confRecvLimit: the incoming queue holds no more than its limit, and nothing
// is lost by that.
func confRecvLimit(from, to *pattern.Spec) func(e *confEnv) {
	return func(e *confEnv) {
		const n = 100
		limit := int64(4)
		r, s := e.New(to, &socket.Options{RecvHWM: int(limit)}), e.New(from, nil)
		e.Join(r, s)
		if e.scheme == "inproc" {
			limit += socket.DefaultHWM // one queue with the limits of both
		}
		for i := range n {
			e.Send(s, strconv.Itoa(i))
		}
		e.Until("the queue is full", func() bool { return r.Stats().RecvQueued >= min(n, limit) })
		for i := range n {
			if q := r.Stats().RecvQueued; q > limit {
				e.Fatalf("%d messages in the incoming queue, want at most %d", q, limit)
			}
			e.Want(r, strconv.Itoa(i))
		}
	}
}

// confKeeps: a message that cannot be queued is not discarded: its sender
// waits, and all arrive in order.
func confKeeps(from, to *pattern.Spec) func(e *confEnv) {
	return func(e *confEnv) {
		const n = 50
		at := e.Reserve()
		s := e.New(from, &socket.Options{SendHWM: 2})
		e.Connect(s, at)
		done := make(chan error, 1)
		go func() {
			for i := range n {
				if err := s.Send(e.ctx, []byte(strconv.Itoa(i))); err != nil {
					done <- fmt.Errorf("message %d: %w", i, err)
					return
				}
			}
			done <- nil
		}()
		e.Until("the queue is full", func() bool { return s.Stats().SendQueued == 2 })
		r := e.New(to, &socket.Options{RecvHWM: 2})
		e.BindTo(r, at)
		for i := range n {
			e.Want(r, strconv.Itoa(i))
		}
		if err := <-done; err != nil {
			e.Errorf("the sender ended with %v, want nil", err)
		}
	}
}

// confCannotSend: a socket that only receives says so.
func confCannotSend(spec *pattern.Spec) func(e *confEnv) {
	return func(e *confEnv) {
		s := e.New(spec, nil)
		e.Bind(s)
		for name, err := range map[string]error{
			"Send":        s.Send(e.ctx, nil),
			"TrySend":     s.TrySend(nil),
			"SendMessage": s.SendMessage(e.ctx, ringwire.NewMessage(nil)),
			"Flush":       s.Flush(e.ctx),
		} {
			if !errors.Is(err, errors.ErrUnsupported) {
				e.Errorf("%s = %v, want errors.ErrUnsupported", name, err)
			}
		}
	}
}

// confCannotRecv: a socket that only sends says so.
func confCannotRecv(spec *pattern.Spec) func(e *confEnv) {
	return func(e *confEnv) {
		s := e.New(spec, nil)
		e.Bind(s)
		_, err := s.Recv(e.ctx)
		_, errTry := s.TryRecv()
		_, errBatch := s.RecvBatch(e.ctx, make([]*ringwire.Message, 2))
		for name, err := range map[string]error{
			"Recv": err, "TryRecv": errTry, "RecvBatch": errBatch,
			"RecvInto": s.RecvInto(e.ctx, new(ringwire.Message)),
		} {
			if !errors.Is(err, errors.ErrUnsupported) {
				e.Errorf("%s = %v, want errors.ErrUnsupported", name, err)
			}
		}
	}
}
