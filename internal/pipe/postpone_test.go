package pipe_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwire/ringwire/internal/msg"
	"github.com/ringwire/ringwire/internal/park"
	"github.com/ringwire/ringwire/internal/pipe"
	"github.com/ringwire/ringwire/pattern"
)

// talkWire notes what is asked of a connection on which a peer has sent what is
// in lines.
type talkWire struct {
	fakeWire
	end   *pipe.End
	asked []string
	batch pipe.Batch
}

func (w *talkWire) Fill(context.Context, bool) error {
	w.asked = append(w.asked, "fill")
	return nil
}

func (w *talkWire) Flush() {
	w.asked = append(w.asked, "flush")
	for w.end.Take(&w.batch) {
		for !w.batch.Empty() {
			w.batch.Advance(len(w.batch.Pieces()[0]))
		}
	}
}

func (w *talkWire) Serve(quiet bool) {
	if quiet {
		w.Flush()
		return
	}
	w.asked = append(w.asked, "serve")
}

func (w *talkWire) Postpone() bool {
	w.asked = append(w.asked, "postpone")
	return true
}

// talking returns a wire whose read token the receiver holds.
func talking(t *testing.T) (*pipe.Group, *talkWire) {
	t.Helper()
	g := pipe.NewGroup(true, 0)
	e := newEnd(g, pipe.Config{SendHWM: 100, RecvHWM: 100})
	w := &talkWire{end: e}
	g.Lock()
	e.Attach()
	connect(e, w)
	g.Unlock()
	if !g.LockRecv(nil) {
		t.Fatal("the receive lock is not free")
	}
	t.Cleanup(g.UnlockRecv)
	in := &offerDuring{Pattern: pattern.Dealer.New(&pattern.Config{Group: g}), offer: func() { g.Offer(e) }}
	if !g.AwaitInput(in, new(park.Spin), nil) || g.Token() != e {
		t.Fatal("the receiver did not get the read token")
	}
	w.asked = nil
	return g, w
}

func (w *talkWire) recv(t *testing.T) {
	t.Helper()
	var m msg.Message
	if !w.end.TryRecv(&m) {
		t.Fatal("nothing to receive")
	}
}

func (w *talkWire) answer(g *pipe.Group) {
	g.Lock()
	var m msg.Message
	m.SetBody([]byte("answer"))
	w.end.TrySend(&m)
	g.UnlockAndFlush()
}

// TestAnswersToOneReadLeaveTogether: answers wait for the last of what was read
// together, and leave with the answer to that, or when the receiver reads again.
func TestAnswersToOneReadLeaveTogether(t *testing.T) {
	lines := func(n int) [][]byte { return slices.Repeat([][]byte{[]byte("request")}, n) }
	for name, test := range map[string]struct {
		answered int
		want     []string
	}{
		"all":            {3, []string{"fill", "postpone", "flush", "fill"}},
		"all but one":    {2, []string{"fill", "postpone", "flush", "fill"}},
		"only the first": {1, []string{"fill", "postpone", "flush", "fill"}},
		"none":           {0, []string{"fill", "fill"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, w := talking(t)
				w.end.Fill(t.Context(), true)
				w.lines = lines(3)
				for i := range 3 {
					w.recv(t)
					if i < test.answered {
						w.answer(g)
					}
				}
				w.end.Fill(t.Context(), true)
				if !slices.Equal(w.asked, test.want) {
					t.Errorf("got %v, want %v", w.asked, test.want)
				}
			})
		})
	}
}

// TestSlowAnswerIsWrittenAtOnce: who takes its time for an answer does not have
// it wait for the next, though there is more to be answered.
func TestSlowAnswerIsWrittenAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, w := talking(t)
		w.answer(g) // the group's times begin in the bubble
		w.Flush()
		w.asked = nil
		w.end.Fill(t.Context(), true)
		w.lines = [][]byte{[]byte("1"), []byte("2"), []byte("3")}
		for range 3 {
			w.recv(t)
			time.Sleep(time.Millisecond)
			w.answer(g)
		}
		if want := []string{"fill", "flush", "flush", "flush"}; !slices.Equal(w.asked, want) {
			t.Errorf("got %v, want %v", w.asked, want)
		}
	})
}
