package pipe_test

import (
	"context"
	"testing"

	"github.com/ringwire/ringwire/internal/msg"
	"github.com/ringwire/ringwire/internal/park"
	"github.com/ringwire/ringwire/internal/pipe"
	"github.com/ringwire/ringwire/pattern"
)

// fakeWire is a connection on which the messages in lines were read and not
// decoded yet.
type fakeWire struct {
	lines    [][]byte
	returned int
	recalled int
	reason   error
}

func (w *fakeWire) Fill(ctx context.Context, block bool) error { return ctx.Err() }
func (w *fakeWire) Next(m *msg.Message) bool {
	if len(w.lines) == 0 {
		return false
	}
	m.SetBody(w.lines[0])
	w.lines = w.lines[1:]
	return true
}
func (w *fakeWire) Claim() bool                               { return false }
func (w *fakeWire) FlushClaimed()                             {}
func (w *fakeWire) Flush()                                    {}
func (w *fakeWire) Postpone() bool                            { return false }
func (w *fakeWire) Serve(bool)                                {}
func (w *fakeWire) Subscription(topic string, subscribe bool) {}
func (w *fakeWire) Drained() bool                             { return len(w.lines) == 0 }
func (w *fakeWire) Ping()                                     {}
func (w *fakeWire) Recall()                                   { w.recalled++ }
func (w *fakeWire) Return()                                   { w.returned++ }
func (w *fakeWire) Close(reason error)                        { w.reason = reason }

// offerDuring is an Inbox during whose Settle the connection's reader offers
// its token.
type offerDuring struct {
	pattern.Pattern
	offer func()
}

func (o *offerDuring) Settle() bool {
	o.offer()
	return o.Pattern.Settle()
}

// TestOfferWhileLettingGo: the reader offers its token at the moment when the
// receiver, who has taken everything out of the queue, is about to let go of
// the end. Whoever holds the token must look at that end, or what is read
// over it is never decoded.
func TestOfferWhileLettingGo(t *testing.T) {
	g := pipe.NewGroup(false, 0)
	e := newEnd(g, pipe.Config{RecvHWM: 10})
	wire := new(fakeWire)
	g.Lock()
	e.Attach()
	connect(e, wire)
	g.Unlock()

	// The reader queues a message, the receiver takes it at once.
	slot := e.Slot()
	slot.SetBody([]byte("queued"))
	e.Commit(slot)
	e.Publish()
	p := pattern.Pull.New(&pattern.Config{Group: g})
	if !g.LockRecv(nil) {
		t.Fatal("the receive lock is not free")
	}
	defer g.UnlockRecv()
	var m msg.Message
	if err := p.TryRecv(&m); err != nil {
		t.Fatal(err)
	}

	// Nothing is left, the receiver is going to sleep; the reader, which has
	// just published that message, finds it waiting.
	offered := false
	in := &offerDuring{Pattern: p, offer: func() { offered = g.Offer(e) }}
	var spin park.Spin
	if !g.AwaitInput(in, &spin, nil) || !offered || g.Token() != e {
		t.Fatalf("AwaitInput: offered is %v, the token is with %v, want it with the receiver", offered, g.Token())
	}
	wire.lines = append(wire.lines, []byte("read by the receiver"))
	if err := p.TryRecv(&m); err != nil {
		t.Fatalf("TryRecv with the read token and a message to decode: %v, want the message", err)
	}
	if got, want := string(m.Bytes()), "read by the receiver"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
