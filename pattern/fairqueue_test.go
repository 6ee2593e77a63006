package pattern

import (
	"testing"

	"github.com/ringwire/ringwire/internal/msg"
	"github.com/ringwire/ringwire/internal/park"
	"github.com/ringwire/ringwire/internal/pipe"
)

// arrive queues one message from the peer of e.
func arrive(e *pipe.End, body string) {
	m := e.Slot()
	m.SetBody([]byte(body))
	e.Commit(m)
	e.Publish()
}

// join makes a new end of g ready.
func join(g *pipe.Group) *pipe.End {
	e := pipe.NewEnd(g, pipe.Config{RecvHWM: 10}, nil, nil)
	g.Lock()
	e.Attach()
	e.SetReady()
	g.Unlock()
	return e
}

// fairQueueTest is a fair queue whose receive lock the test holds.
type fairQueueTest struct {
	*testing.T
	fairQueue
	spin   park.Spin
	cancel chan struct{} // ready
}

func newFairQueueTest(t *testing.T) *fairQueueTest {
	q := &fairQueueTest{T: t, fairQueue: fairQueue{group: pipe.NewGroup(false, -1)}, cancel: make(chan struct{})}
	q.spin.Init(-1)
	close(q.cancel)
	q.group.LockRecv(nil)
	return q
}

// want checks which messages can be received now; after them a receiver sleeps.
func (q *fairQueueTest) want(bodies ...string) {
	q.Helper()
	var m msg.Message
	for _, want := range bodies {
		if e := q.tryRecv(&m); e == nil || string(m.Frame(0)) != want {
			q.Fatalf("got %q (from an end: %v), want %q", m.Frame(0), e != nil, want)
		}
	}
	if e := q.tryRecv(&m); e != nil {
		q.Fatalf("got %q, want nothing more", m.Frame(0))
	}
	for range 2 { // a wake may be left over
		if !q.group.AwaitInput(q, &q.spin, q.cancel) {
			return
		}
	}
	q.Fatal("a receiver that can receive nothing does not sleep, and so would not see its context")
}

// TestFairQueueSleepsWhileOneIsAwaited: while the messages of a newcomer wait for
// what one that has left before had sent, the receiver sleeps; and it is woken when
// that one is done.
func TestFairQueueSleepsWhileOneIsAwaited(t *testing.T) {
	for _, late := range []string{"", "late"} {
		q := newFairQueueTest(t)
		old := join(q.group)
		arrive(old, "early")
		q.group.Lock()
		old.Leave()
		q.group.Unlock()
		newcomer := join(q.group)
		arrive(newcomer, "new")
		q.want("early")

		var want []string
		if late != "" {
			arrive(old, late)
			want = append(want, late)
		}
		q.group.Lock()
		old.Detach(pipe.PeerGone)
		q.group.Unlock()
		if !q.group.AwaitInput(q, &q.spin, nil) {
			t.Error("the receiver was not woken")
		}
		q.want(append(want, "new")...)
	}
}

// TestFairQueueTakesFromThoseBefore: an end that was ready before another one left
// is not held up, and the order of leaving is the order of waiting.
func TestFairQueueTakesFromThoseBefore(t *testing.T) {
	q := newFairQueueTest(t)
	first, second, bystander := join(q.group), join(q.group), join(q.group)
	arrive(first, "first")
	arrive(second, "second")
	for _, e := range []*pipe.End{first, second} {
		q.group.Lock()
		e.Leave()
		q.group.Unlock()
		arrive(join(q.group), "after")
	}
	arrive(bystander, "bystander")
	q.want("first", "second", "bystander")
	q.group.Lock()
	second.Detach(pipe.PeerGone) // the first one is awaited by both
	q.group.Unlock()
	q.want()
	q.group.Lock()
	first.Detach(pipe.PeerGone)
	q.group.Unlock()
	q.want("after", "after")
}

// TestFairQueuePassesNobodyOver: the message of a newcomer is found at the first try
// when what it waits for is done, however many ends have run dry and are let go
// meanwhile, and wherever the turn begins.
func TestFairQueuePassesNobodyOver(t *testing.T) {
	for ends := 1; ends <= 2*hotMax+1; ends++ {
		for next := range ends + 1 {
			for gone := range ends {
				q := newFairQueueTest(t)
				var m msg.Message
				var list []*pipe.End
				for range ends {
					e := join(q.group)
					arrive(e, "before")
					list = append(list, e)
				}
				q.hot = q.group.TakeReady(q.hot)
				for _, e := range list {
					e.TryRecv(&m)
				}
				q.group.Lock()
				list[gone].Detach(pipe.PeerGone)
				q.group.Unlock()
				newcomer := join(q.group)
				arrive(newcomer, "now")
				q.next = next
				if e := q.tryRecv(&m); e != newcomer {
					t.Fatalf("%d ends, turn %d, end %d has left: the newcomer's message is not found", ends, next, gone)
				}
			}
		}
	}
}

// around is a fair queue to which something happens before and after its Settle.
type around struct {
	*fairQueueTest
	before, after func()
}

func (a around) Settle() bool {
	a.before()
	defer a.after()
	return a.fairQueueTest.Settle()
}

// TestFairQueueWakesForOneThatWaitsNoMore: a newcomer of which nothing has come yet,
// and which waits for one that has left, is let go when that one turns out to be done
// in the moment before the receiver sleeps. Else what it sends first wakes nobody.
func TestFairQueueWakesForOneThatWaitsNoMore(t *testing.T) {
	q := newFairQueueTest(t)
	old := join(q.group)
	arrive(old, "early")
	newcomer := pipe.NewEnd(q.group, pipe.Config{RecvHWM: 10}, nil, nil)
	newcomer.NewLane() // an inproc end is looked at as soon as it is ready
	q.group.Lock()
	old.Leave()
	newcomer.Attach()
	newcomer.SetReady()
	q.group.Unlock()
	var m msg.Message
	if e := q.tryRecv(&m); e != old {
		t.Fatal("got nothing from the end that has left, want its message")
	}

	for range 3 { // looking again is as good as being woken, if it comes to an end
		arrived := false
		woken := q.group.AwaitInput(around{q,
			func() {
				q.group.Lock()
				old.Detach(pipe.PeerGone)
				q.group.Unlock()
			},
			func() {
				arrive(newcomer, "new")
				arrived = true
			}}, &q.spin, q.cancel)
		if !arrived || !woken {
			t.Fatalf("arrived %v, woken %v, want the message of the newcomer to wake the receiver", arrived, woken)
		}
		if e := q.tryRecv(&m); e != newcomer {
			t.Fatal("got nothing from the newcomer, want its message")
		}
	}
}
