package interop_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// counterpart is the other side of a cell: one socket of another
// implementation.
type counterpart interface {
	bind(endpoint string) (bound string)
	connect(endpoint string)
	// begin starts the plan and returns a function that waits for its end.
	begin(p *plan) (wait func() error)
	// probe publishes one sync, when a publisher cannot know its subscribers.
	probe() error
	probes() bool
	close()
}

// transports and sides of the matrix. "bind" means that we bind.
var (
	transports = []string{"tcp", "ipc"}
	sides      = []string{"bind", "connect"}
)

// cell moves the plan of a pair over one connection.
func cell(t *testing.T, p pair, side, transport string, numbered int, shapes [][]int, them counterpart) {
	ctx, cancel := context.WithTimeout(t.Context(), limit())
	defer cancel()
	us := newSocket(t, p.ours, p.options())
	if p.ours == pattern.Sub || p.ours == pattern.XSub {
		if err := us.Subscribe(""); err != nil {
			t.Fatal(err)
		}
	}
	if side == "bind" {
		them.connect(mustBind(t, us, anywhere(t, transport)))
	} else {
		mustConnect(t, us, them.bind(anywhere(t, transport)))
	}
	// Ours is known to be ready before anything is sent; for the other side
	// there are the sync and the probe.
	if err := us.WaitPeers(ctx, 1); err != nil {
		t.Fatal(err)
	}
	p.way.check(t, us)
	ours, theirs := p.plans(numbered, shapes)
	if them.probes() {
		theirs.notice = false
		probe(ctx, t, us, them)
	}
	wait := them.begin(theirs)
	if p.publishes() {
		if err := us.WaitSubscribers(ctx, "m", 1); err != nil {
			t.Fatal(err)
		}
	}
	if p.sync {
		if err := us.Send(ctx, append(ours.sendPrefix[:len(ours.sendPrefix):len(ours.sendPrefix)], syncBody)...); err != nil {
			t.Fatal(err)
		}
	}
	if meet(ctx, t, us, ours, wait) {
		nothingLost(t, us)
	}
	them.close()
	if err := us.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

// meet moves our part of the traffic and waits for the other side's. An error
// there ends ours.
func meet(ctx context.Context, t *testing.T, us *socket.Socket, ours *plan, wait func() error) bool {
	t.Helper()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	theirs := make(chan error, 1)
	go func() {
		err := wait()
		if err != nil {
			cancel()
		}
		theirs <- err
	}()
	err := ours.run(ctx, &ringwireParty{s: us})
	if err != nil {
		t.Errorf("ours: %v\n%+v", err, us.Stats())
	}
	other := <-theirs
	if other != nil {
		t.Errorf("theirs: %v\n%+v", other, us.Stats())
	}
	return err == nil && other == nil
}

// probe has the publisher on the other side send until something arrives:
// then it knows our subscription.
func probe(ctx context.Context, t *testing.T, us *socket.Socket, them counterpart) {
	t.Helper()
	for {
		if err := them.probe(); err != nil {
			t.Fatal(err)
		}
		short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
		_, err := us.Recv(short)
		cancel()
		switch {
		case err == nil:
			return
		case ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded):
			t.Fatalf("no probe arrived: %v", err)
		}
	}
}

// nothingLost holds the counters of a socket to what a cell did.
func nothingLost(t *testing.T, s *socket.Socket) {
	t.Helper()
	st := s.Stats()
	if d := st.SendDropped.Total() + st.RecvDropped.Total(); d != 0 || st.Unmatched != 0 {
		t.Errorf("dropped %d, unmatched %d messages, want none: %+v", d, st.Unmatched, st)
	}
	if st.Accepted != st.Written+st.SendQueued {
		t.Errorf("accepted %d, written %d + queued %d: %+v", st.Accepted, st.Written, st.SendQueued, st)
	}
	if st.Arrived != st.Returned+st.RecvQueued {
		t.Errorf("arrived %d, returned %d + queued %d: %+v", st.Arrived, st.Returned, st.RecvQueued, st)
	}
	if st.Peers != 1 || st.Disconnects != 0 || st.HandshakesFailed != 0 {
		t.Errorf("got %d peers, %d disconnects, %d failed handshakes, want 1, 0, 0", st.Peers, st.Disconnects, st.HandshakesFailed)
	}
}

func newSocket(t testing.TB, spec *pattern.Spec, opts *socket.Options) *socket.Socket {
	t.Helper()
	s, err := socket.New(spec, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func mustBind(t testing.TB, s *socket.Socket, endpoint string) string {
	t.Helper()
	bound, err := s.Bind(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	return bound
}

func mustConnect(t testing.TB, s *socket.Socket, endpoint string) {
	t.Helper()
	if err := s.Connect(endpoint); err != nil {
		t.Fatal(err)
	}
}
