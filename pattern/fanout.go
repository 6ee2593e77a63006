package pattern

import (
	"fmt"
	"math"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/msg"
	"github.com/ringwire/ringwire/internal/pipe"
)

// MaxTopic is the longest subscription that a publisher accepts, in bytes.
const MaxTopic = 64 << 10

// fanOut gives each message to every peer that subscribed to a prefix of its
// first frame (RFC 29), matching and encoding it once. Guarded by the send
// lock.
type fanOut struct {
	group      *pipe.Group
	tree       prefixTree[*audience]
	filter     Filter
	shared     pipe.Shared
	generation uint64
	matched    []*pipe.End // scratch
	leaving    []*pipe.End // detached, with subscriptions that sweep has to remove
	most       int         // topics of one peer; 0: any number; immutable
	invert     bool
	noDrop     bool
	oldest     bool
	overflow   func(*pipe.End)
}

// audience is who subscribed to one prefix: a set, because a peer that
// subscribes twice cancels once (see docs/compatibility.md).
type audience struct {
	ends []*pipe.End
}

// topics is the set of prefixes of one peer, kept in its end.
type topics struct {
	set   map[string]struct{}
	bytes int64 // of the prefixes
}

func topicsOf(e *pipe.End) *topics {
	if t, ok := e.Data.(*topics); ok {
		return t
	}
	return new(topics)
}

// bytesPerTopic is how long the topics of a peer may be on average when it has as
// many as it may have.
const bytesPerTopic = 64

// admits reports whether e may subscribe to one more topic. Peers of this process
// may have any number.
func (f *fanOut) admits(e *pipe.End, topic string) bool {
	t := topicsOf(e)
	if f.within(e, len(t.set), t.bytes+int64(len(topic))) {
		return true
	}
	_, known := t.set[topic]
	return known
}

// within reports whether e, which has n topics, may have one more, and so many bytes.
func (f *fanOut) within(e *pipe.End, n int, bytes int64) bool {
	return f.most <= 0 || e.Linked() != nil || n < f.most && bytes <= int64(f.most)*bytesPerTopic
}

// refuse ends the connection of e, which wants too much. It is called without the
// send lock.
func (f *fanOut) refuse(e *pipe.End) {
	e.Close(fmt.Errorf("more than %d subscriptions or %d bytes of them (MaxSubscriptions): %w", f.most, int64(f.most)*bytesPerTopic, ringwire.ErrRejected))
}

// add subscribes e and reports whether it was not, and whether nobody was.
func (f *fanOut) add(e *pipe.End, topic string) (added, first bool) {
	t := topicsOf(e)
	if t.set == nil {
		t.set = make(map[string]struct{})
		e.Data = t
	}
	if _, ok := t.set[topic]; ok {
		return false, false
	}
	t.set[topic] = struct{}{}
	t.bytes += int64(len(topic))
	a, ok := f.tree.get(topic)
	if !ok {
		f.tree.set(topic, &audience{ends: []*pipe.End{e}})
		f.filter.sieve.add(topic, f.prefixes)
		return true, true
	}
	a.ends = append(a.ends, e)
	return true, false
}

// remove unsubscribes e and reports whether it was, and whether nobody is
// left.
func (f *fanOut) remove(e *pipe.End, topic string) (removed, last bool) {
	t := topicsOf(e)
	if _, ok := t.set[topic]; !ok {
		return false, false
	}
	delete(t.set, topic)
	t.bytes -= int64(len(topic))
	a, _ := f.tree.get(topic)
	for i, x := range a.ends {
		if x == e {
			k := len(a.ends) - 1
			a.ends[i], a.ends[k] = a.ends[k], nil
			a.ends = a.ends[:k]
			break
		}
	}
	if len(a.ends) > 0 {
		return true, false
	}
	f.tree.delete(topic)
	if f.filter.sieve.remove() {
		f.filter.sieve.refill(f.prefixes)
	}
	return true, true
}

// sweepStep is how many subscriptions sweep removes under one hold of the send
// lock: about a millisecond of publishing is held up.
const sweepStep = 256

// leave has the subscriptions of e removed, which is detached.
func (f *fanOut) leave(e *pipe.End) {
	if len(topicsOf(e).set) > 0 {
		f.leaving = append(f.leaving, e)
	}
}

// sweep removes some subscriptions of those that left, tells each to removed,
// and reports whether more are left.
func (f *fanOut) sweep(removed func(e *pipe.End, topic string, last bool)) (more bool) {
	n := len(f.leaving)
	if n == 0 {
		return false
	}
	e := f.leaving[n-1]
	steps := 0
	for topic := range topicsOf(e).set {
		if steps++; steps > sweepStep {
			return true
		}
		_, last := f.remove(e, topic)
		removed(e, topic, last)
	}
	e.Data = nil
	f.leaving[n-1] = nil
	f.leaving = f.leaving[:n-1]
	return n > 1
}

func (f *fanOut) prefixes(yield func(string) bool) {
	f.tree.all(func(prefix string, _ *audience) bool { return yield(prefix) })
}

// match finds the peers that get a message with the given topic.
func (f *fanOut) match(topic []byte) []*pipe.End {
	if f.generation == math.MaxUint64 {
		f.generation = 0
	}
	f.generation++
	out := f.matched[:0]
	walk := f.tree.walk(topic)
	for a, ok := walk.next(); ok; a, ok = walk.next() {
		for _, e := range a.ends {
			if e.Attached() && e.Mark(f.generation) {
				out = append(out, e)
			}
		}
	}
	if f.invert {
		out = out[:0]
		for _, e := range f.group.Ends() {
			if e.Ready() && e.Mark(f.generation) {
				out = append(out, e)
			}
		}
	}
	f.matched = out
	return out
}

// send queues m at every peer that matches. With noDrop a peer without room
// keeps m from all of them, and is returned; otherwise it misses m. Afterwards m is
// either unchanged or empty.
func (f *fanOut) send(m *msg.Message) (wait *pipe.End) {
	ends := f.match(m.Frame(0))
	switch len(ends) {
	case 0:
		f.filter.unmatched.Add(1)
		return nil
	case 1:
		return f.sendOne(ends[0], m)
	}
	if f.noDrop {
		for _, e := range ends {
			if e.FullFor(m) {
				e.Prod()
				return e
			}
		}
	}
	f.shared.Begin(m)
	for _, e := range ends {
		sent := e.TrySendShared(&f.shared)
		if sent {
			continue
		}
		for !sent && f.oldest && e.DropOldest() {
			sent = e.TrySendShared(&f.shared)
		}
		if !sent {
			e.Drop(pipe.HWM, m)
		}
		f.overflow(e)
	}
	f.shared.End()
	return nil
}

// sendOne queues m at the only peer that matches: there is nothing to share.
func (f *fanOut) sendOne(e *pipe.End, m *msg.Message) (wait *pipe.End) {
	if e.TrySend(m) {
		return nil
	}
	if f.noDrop {
		return e
	}
	sent := false
	for !sent && f.oldest && e.DropOldest() {
		sent = e.TrySend(m)
	}
	if !sent {
		e.Drop(pipe.HWM, m)
	}
	f.overflow(e)
	return nil
}

// count is how many peers would get a message that starts with topic.
func (f *fanOut) count(topic string) int { return len(f.match([]byte(topic))) }
