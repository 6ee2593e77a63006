package chaos

import (
	"fmt"
	"slices"

	"github.com/ringwire/ringwire/socket"
)

// Party is one socket of a run, when the run is over.
type Party struct {
	Seat    string // parties of one seat followed one another: a restart
	Records []Record
	Stats   *socket.Stats // after Close; nil: its process was killed, or its library does not count
	Killed  bool          // its process was: what it had read and not returned is gone with it
}

// Flow is what goes one way in a run.
type Flow struct {
	Name     string
	Answers  bool // it is the answers of the run, else its messages
	Copies   bool // each receiver gets its own: PUB
	AnyOrder bool // messages may change from one lane to another: RequeueUnsent
	Silent   bool // the library counts nothing
	Corrupt  bool // bytes were changed under way, of which ZMTP without a mechanism knows nothing
	From, To []Party
	// Relayed is what a device on the way tells that it may have lost.
	Relayed int64
	// Runs is how many runs of messages that followed one another may be missing of
	// each lane. 0: this is not judged.
	Runs int
	// Unread bounds what one killed receiver may have confirmed without
	// returning it: its RecvHWM.
	Unread int64
}

// Figures are what was counted. nil is what was not.
type Figures struct {
	Accepted    int64            `json:"accepted"`
	Delivered   int64            `json:"delivered"`
	Dropped     map[string]int64 `json:"dropped"` // by the sender, by reason; null: it does not count
	Unread      *int64           `json:"unread"`  // arrived at a receiver that was closed before it returned them
	InDoubt     *int64           `json:"in_doubt"`
	Lost        *int64           `json:"lost"`
	Unexplained *int64           `json:"unexplained"`
	Duplicated  int64            `json:"duplicated"`
	Reordered   *int64           `json:"reordered"`
	Torn        *int64           `json:"torn"`
	Foreign     int64            `json:"foreign"`
}

// key is a message in a set.
type key struct {
	lane uint32
	seq  uint64
}

// Judge joins both sides of a flow. broken says which laws do not hold; it is
// empty when all do.
func Judge(f Flow) (figures Figures, broken []string) {
	j := &judgement{flow: f, fates: make(map[key]Entry)}
	for i := range f.From {
		j.sender(&f.From[i])
	}
	got := make(map[string]map[key]bool)
	for i := range f.To {
		seat := "" // of all receivers one takes a message
		if f.Copies {
			seat = f.To[i].Seat
		}
		if got[seat] == nil {
			got[seat] = make(map[key]bool)
		}
		j.receiver(&f.To[i], got[seat])
	}
	j.join(got)
	return j.figures, j.broken
}

type judgement struct {
	flow    Flow
	figures Figures
	broken  []string
	fates   map[key]Entry // of everything that was tried

	uncounted bool            // a sender has no counters
	counted   socket.Counters // of all senders
	accepted  int64           // calls that returned nil
	unknown   int64           // calls that did not say
	torn      int64
	reordered int64
	lostRead  int64 // arrived at a receiver and was not returned
	killed    int64 // receivers
	returned  int64
}

func (j *judgement) fail(format string, args ...any) {
	j.broken = append(j.broken, j.flow.Name+": "+fmt.Sprintf(format, args...))
}

// sender takes in what one sender did, and checks its counters.
func (j *judgement) sender(p *Party) {
	var accepted, unknown int64
	for _, r := range p.Records {
		if r.Entry > Unknown || (r.By != 0) != j.flow.Answers {
			continue
		}
		k := key{r.Lane, r.Seq}
		switch before := j.fates[k]; {
		case r.Entry == Trying && before == 0, r.Entry != Trying && before == Trying:
		default:
			// The judge must not be misled by a worker that is wrong itself.
			j.fail("the log of %s says %d after %d about message %d of lane %d", p.Seat, r.Entry, before, r.Seq, r.Lane)
		}
		j.fates[k] = r.Entry
		switch r.Entry {
		case Accepted:
			accepted++
		case Unknown:
			unknown++
		}
	}
	j.accepted += accepted
	j.unknown += unknown
	if p.Stats == nil {
		j.uncounted = true
		return
	}
	c := p.Stats.Counters
	if c.Accepted != c.Written+c.SendDropped.Total()+c.SendQueued {
		j.fail("%s: Accepted %d is not Written %d + dropped %d + queued %d", p.Seat, c.Accepted, c.Written, c.SendDropped.Total(), c.SendQueued)
	}
	if c.Written != c.Confirmed+c.InDoubt {
		j.fail("%s: after Close, Written %d is not Confirmed %d + InDoubt %d", p.Seat, c.Written, c.Confirmed, c.InDoubt)
	}
	if c.SendQueued != 0 {
		j.fail("%s: after Close, SendQueued is %d", p.Seat, c.SendQueued)
	}
	switch {
	case j.flow.Copies:
		if accepted > c.Accepted+p.Stats.Unmatched {
			j.fail("%s: Send returned nil %d times, but Accepted is %d and Unmatched %d", p.Seat, accepted, c.Accepted, p.Stats.Unmatched)
		}
	case c.Accepted < accepted || c.Accepted > accepted+unknown:
		j.fail("%s: Accepted is %d, but %d calls returned nil and %d did not say", p.Seat, c.Accepted, accepted, unknown)
	}
	j.counted = plus(j.counted, c)
}

// receiver takes in what one receiver got, and checks its counters.
func (j *judgement) receiver(p *Party, seen map[key]bool) {
	last := make(map[[2]uint32]uint64) // by lane, and by who answered it
	var returned int64
	for _, r := range p.Records {
		if r.Entry == Torn {
			j.torn++
			returned++
			continue
		}
		if r.Entry != Received && r.Entry != Foreign || (r.By != 0) != j.flow.Answers {
			continue
		}
		returned++
		if r.Entry == Foreign {
			j.figures.Foreign++
		}
		k, lane := key{r.Lane, r.Seq}, [2]uint32{r.Lane, r.By}
		switch j.fates[k] {
		case 0:
			j.fail("%s received message %d of lane %d, which nobody sent", p.Seat, r.Seq, r.Lane)
		case Refused:
			j.fail("%s received message %d of lane %d, of which Send had said that it was not sent", p.Seat, r.Seq, r.Lane)
		}
		switch {
		case seen[k]:
			j.figures.Duplicated++
		case r.Seq < last[lane]:
			j.reordered++
		}
		seen[k] = true
		last[lane] = max(last[lane], r.Seq)
	}
	j.returned += returned
	if p.Killed {
		j.killed++
	}
	if p.Stats == nil {
		return
	}
	c := p.Stats.Counters
	if c.Arrived != c.Returned+c.RecvDropped.Total()+c.RecvQueued {
		j.fail("%s: Arrived %d is not Returned %d + dropped %d + queued %d", p.Seat, c.Arrived, c.Returned, c.RecvDropped.Total(), c.RecvQueued)
	}
	if c.Returned != returned {
		j.fail("%s: Returned is %d, but Recv returned %d messages", p.Seat, c.Returned, returned)
	}
	j.lostRead += c.RecvDropped.Total() + c.RecvQueued
}

// join compares the two sides.
func (j *judgement) join(got map[string]map[key]bool) {
	f := &j.figures
	for _, seen := range got {
		f.Delivered += int64(len(seen))
	}
	if !j.flow.AnyOrder {
		f.Reordered = &j.reordered
	}
	if !j.flow.Corrupt {
		f.Torn = &j.torn
	}
	if j.uncounted {
		j.joinUncounted(got)
	} else {
		j.joinCounted(got)
	}
	if j.flow.Runs > 0 {
		for seat, seen := range got {
			j.joinRuns(seat, seen)
		}
	}
	for _, bad := range []struct {
		what  string
		count *int64
	}{
		{"unexplained", f.Unexplained}, {"duplicated", &f.Duplicated}, {"reordered", f.Reordered}, {"torn", f.Torn}, {"foreign", &f.Foreign},
	} {
		if bad.count != nil && *bad.count > 0 {
			j.fail("%d %s", *bad.count, bad.what)
		}
	}
}

// joinUncounted is for senders that say nothing: a message is lost or not.
func (j *judgement) joinUncounted(got map[string]map[key]bool) {
	f := &j.figures
	f.Accepted = j.accepted
	if j.flow.Corrupt {
		return
	}
	var lost int64
	for _, seen := range got {
		// Before its first message a subscriber had not subscribed.
		first := make(map[uint32]uint64)
		for k := range seen {
			if n, ok := first[k.lane]; !ok || k.seq < n {
				first[k.lane] = k.seq
			}
		}
		for k, fate := range j.fates {
			if n, ok := first[k.lane]; fate == Accepted && !seen[k] && (!j.flow.Copies || ok && k.seq > n) {
				lost++
			}
		}
	}
	if j.flow.Copies {
		f.Accepted *= int64(len(got))
	}
	f.Lost = &lost
	unexplained := max(0, lost-j.flow.Relayed)
	killed := slices.ContainsFunc(j.flow.From, func(p Party) bool { return p.Killed })
	if j.flow.Silent && !j.flow.Copies && !killed {
		// Nobody told of any of them. What was published while a subscriber was
		// away cannot be told apart, nor what died with its sender.
		f.Unexplained = &unexplained
	}
}

// joinCounted has every message that is missing covered by a counter.
func (j *judgement) joinCounted(got map[string]map[key]bool) {
	f, c := &j.figures, &j.counted
	f.Accepted, f.Dropped, f.InDoubt, f.Unread = c.Accepted, reasons(c.SendDropped), &c.InDoubt, &j.lostRead
	if j.flow.Corrupt {
		return // a changed length makes other messages of the same bytes
	}
	lost := c.Accepted - f.Delivered - j.torn
	f.Lost = &lost
	if !j.flow.Copies && j.unknown == 0 {
		var missing int64
		for k, fate := range j.fates {
			if fate == Accepted && !got[""][k] {
				missing++
			}
		}
		if missing != lost+j.torn {
			j.fail("%d messages are missing by number, but %d by count", missing, lost)
		}
	}
	// What arrived is a part of what was written, and all of what was confirmed.
	excess := lost - c.SendDropped.Total() - c.SendQueued - j.lostRead
	if excess < 0 && f.Duplicated == 0 {
		j.fail("%d messages more have arrived than were written", -excess)
	}
	unexplained := max(0, excess-(c.Written-c.Confirmed)-j.flow.Relayed)
	if j.killed > 0 {
		unexplained = max(0, unexplained-j.killed*j.flow.Unread)
	}
	f.Unexplained = &unexplained
}

// reasons are the drops that there were.
func reasons(d socket.Drops) map[string]int64 {
	list := make(map[string]int64)
	for name, n := range map[string]int64{
		"hwm": d.HWM, "peer_gone": d.PeerGone, "no_route": d.NoRoute, "closed": d.Closed, "oversize": d.Oversize,
		"conflated": d.Conflated, "malformed": d.Malformed, "stale": d.Stale,
	} {
		if n != 0 {
			list[name] = n
		}
	}
	return list
}

// plus is the sum of what senders count.
func plus(a, b socket.Counters) socket.Counters {
	a.Accepted += b.Accepted
	a.Written += b.Written
	a.Confirmed += b.Confirmed
	a.InDoubt += b.InDoubt
	a.SendQueued += b.SendQueued
	a.SendDropped = plusDrops(a.SendDropped, b.SendDropped)
	return a
}

func plusDrops(x, y socket.Drops) socket.Drops {
	x.HWM += y.HWM
	x.PeerGone += y.PeerGone
	x.NoRoute += y.NoRoute
	x.Closed += y.Closed
	x.Oversize += y.Oversize
	x.Conflated += y.Conflated
	x.Malformed += y.Malformed
	x.Stale += y.Stale
	return x
}

// add adds up figures. What a run does not know is left out of the sum, which is
// unknown only when no run knows it.
func (f *Figures) add(o Figures) {
	f.Accepted += o.Accepted
	f.Delivered += o.Delivered
	f.Duplicated += o.Duplicated
	f.Foreign += o.Foreign
	if o.Dropped != nil && f.Dropped == nil {
		f.Dropped = make(map[string]int64)
	}
	for name, n := range o.Dropped {
		f.Dropped[name] += n
	}
	total(&f.Unread, o.Unread)
	total(&f.InDoubt, o.InDoubt)
	total(&f.Lost, o.Lost)
	total(&f.Unexplained, o.Unexplained)
	total(&f.Reordered, o.Reordered)
	total(&f.Torn, o.Torn)
}

// total adds one to a sum that may be unknown so far.
func total(sum **int64, one *int64) {
	if one == nil {
		return
	}
	v := *one
	if *sum != nil {
		v += **sum
	}
	*sum = &v
}

// median is the middle one, of a list that is not empty.
func median(list []float64) float64 {
	list = slices.Sorted(slices.Values(list))
	return list[len(list)/2]
}
