package pipe_test

import (
	"bytes"
	"testing"

	"github.com/ringwire/ringwire/internal/msg"
	"github.com/ringwire/ringwire/internal/pipe"
	"github.com/ringwire/ringwire/internal/zmtp"
	"github.com/ringwire/ringwire/pattern"
)

// TestLargeLead: only a lead frame is large. (A REP's envelope is what the
// peer chose.)
func TestLargeLead(t *testing.T) {
	g := pipe.NewGroup(true, 0)
	e := newEnd(g, pipe.Config{})
	defer func() {
		if r := recover(); r != nil {
			t.Errorf("panic: %v", r)
		}
	}()
	g.Lock()
	e.Attach()
	g.Unlock()
	lead := [][]byte{bytes.Repeat([]byte("l"), 40<<10), {}}
	for _, body := range []string{"small", string(bytes.Repeat([]byte("b"), 1000))} {
		var m msg.Message
		m.SetBody([]byte(body))
		m.SetLead(lead)
		want := zmtp.AppendMessage(nil, &m)
		g.Lock()
		e.Reply(&m)
		g.Unlock()
		var b pipe.Batch
		e.Take(&b)
		got := bytes.Join(b.Pieces(), nil)
		if !bytes.Equal(got, want) {
			t.Errorf("body of %d bytes: got %d wire bytes, want %d", len(body), len(got), len(want))
		}
	}
}

// TestInDoubt: everything that was written to a connection which ended without
// a receipt is in doubt, not only what the last flush took.
func TestInDoubt(t *testing.T) {
	g := pipe.NewGroup(false, 0)
	e := newEnd(g, pipe.Config{Connecting: true})
	g.Lock()
	e.Attach()
	g.Unlock()
	var b pipe.Batch
	for range 3 {
		g.Lock()
		var m msg.Message
		m.SetBody([]byte("x"))
		if !e.TrySend(&m) {
			t.Fatal("no room")
		}
		g.Unlock()
		e.Take(&b)
		b.Advance(len(b.Pieces()[0]))
	}
	e.Abandon(&b)
	g.Lock()
	defer g.Unlock()
	if c := e.Counts(); c.Written != 3 || c.InDoubt != 3 {
		t.Errorf("3 messages in 3 flushes, then the connection ended: got Written %d, InDoubt %d, want 3, 3", c.Written, c.InDoubt)
	}
}

// TestConflatedLaneQueued: what a conflated inproc end holds for a peer that is
// not there yet is queued, and dropped if the peer never comes.
func TestConflatedLaneQueued(t *testing.T) {
	g := pipe.NewGroup(false, 0)
	e := newEnd(g, pipe.Config{Conflate: true, Connecting: true})
	e.NewLane()
	g.Lock()
	defer g.Unlock()
	e.Attach()
	var m msg.Message
	m.SetBody([]byte("x"))
	e.TrySend(&m)
	if c := e.Counts(); c.Accepted != 1 || c.SendQueued != 1 || c.Written != 0 || !e.Queued() {
		t.Errorf("one message for a peer that is not there: got %+v, Queued %v, want it queued, not written", c, e.Queued())
	}
	e.Detach(pipe.Closed)
	if c := e.Counts(); c.SendQueued != 0 || c.SendDropped[pipe.Closed] != 1 || c.Written != 0 {
		t.Errorf("after Detach: got %+v, want one message dropped because of the close", c)
	}
}

// TestPausedInprocReleased: requests of a peer that has gone can be received,
// or its end is never given up.
func TestPausedInprocReleased(t *testing.T) {
	ours, theirs := pipe.NewGroup(true, 0), pipe.NewGroup(true, 0)
	near := newEnd(theirs, pipe.Config{SendHWM: 1, RecvHWM: 1, Connecting: true})
	near.NewLane()
	theirs.Lock()
	near.Attach()
	far := near.Accept(ours, pipe.Config{SendHWM: 1, RecvHWM: 1}, nil, nil)
	far.Link(near)
	near.Link(far)
	theirs.Unlock()
	ours.Lock()
	far.Attach()
	connect(far, nil)
	p := pattern.Rep.New(&pattern.Config{Group: ours})
	p.Attach(far)
	for i := range 2 { // fill the way back
		var m msg.Message
		m.SetBody([]byte{byte(i)})
		if !far.TrySend(&m) {
			t.Fatal("no room")
		}
	}
	ours.Unlock()
	theirs.Lock()
	var m msg.Message
	m.Own([][]byte{{}, []byte("request")})
	if !near.TrySend(&m) {
		t.Fatal("no room")
	}
	theirs.Unlock()

	ours.LockRecv(nil)
	if err := p.TryRecv(&m); err == nil {
		t.Fatal("a request was taken although there is no room for its reply")
	}
	ours.UnlockRecv()
	ours.Lock()
	far.Unlink()
	p.Detach(far)
	far.Detach(pipe.PeerGone)
	ours.Unlock()
	ours.Room()
	ours.LockRecv(nil)
	defer ours.UnlockRecv()
	if err := p.TryRecv(&m); err != nil {
		t.Errorf("the peer is gone, there is nothing to wait for: got %v, want its request", err)
	}
}
