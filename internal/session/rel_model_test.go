package session_test

import (
	"errors"
	"fmt"
	"testing/synctest"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

const (
	modelHWM   = 3
	modelPeers = 3
)

// modelLane is what is known of one receiving socket, from when it was made until it
// is closed.
type modelLane struct {
	s      *socket.Socket // nil: there is none
	at     string         // where it is bound, if it is
	linked bool           // Connect was called and Disconnect was not
	last   int            // the newest message that it returned
	mixed  bool           // it has messages of a connection that has ended: see parted
}

// modelRun is one sender and several receivers on a network whose connections break.
type modelRun struct {
	spec, peer *pattern.Spec
	connecting bool // the sender connects, lane by lane; else the receivers do
	g          *relClog
	from       *socket.Socket
	lanes      [modelPeers]modelLane
	next       int          // the next message's number
	accepted   int64        // by Send
	got        map[int]bool // messages that were returned
	breaks     bool         // a connection was broken, or a socket closed
}

func (r *modelRun) open(spec *pattern.Spec, identity string) *socket.Socket {
	s, err := socket.New(spec, &socket.Options{
		SendHWM: modelHWM, RecvHWM: modelHWM, NoLinger: true, Identity: []byte(identity), DropUnroutable: false,
		ReconnectMax: 100 * time.Millisecond, Transports: relTransports(r.g.memNet),
	})
	if err != nil {
		panic(err)
	}
	return s
}

// modelFailure is thrown by what does not hold.
type modelFailure string

func (r *modelRun) fail(format string, args ...any) {
	panic(modelFailure(fmt.Sprintf(format, args...)))
}

// settle lets everything happen that needs no call: reconnects, leases, retries.
func (r *modelRun) settle() {
	time.Sleep(300 * time.Millisecond)
	synctest.Wait()
	for i := range r.lanes {
		if l := &r.lanes[i]; l.s != nil && l.mixed {
			l.mixed = l.s.Stats().RecvQueued > 0
		}
	}
}

// up makes the receiver of a lane and connects it.
func (r *modelRun) up(i int) {
	l := &r.lanes[i]
	if l.s == nil {
		l.s, l.last, l.linked, l.mixed = r.open(r.peer, modelName(i)), -1, false, false
		if r.peer.Subscribes() {
			l.s.Subscribe("")
		}
		if r.connecting {
			l.at = fmt.Sprint("mem://r", i)
			if _, err := l.s.Bind(l.at); err != nil {
				r.fail("%v", err)
			}
		}
	}
	if l.linked {
		return
	}
	l.linked = true
	var err error
	if r.connecting {
		err = r.from.Connect(fmt.Sprint("mem://r", i))
	} else {
		err = l.s.Connect("mem://s")
	}
	if err != nil && r.connecting {
		r.fail("%v", err)
	}
}

// parted notes that connections have ended: what a receiver has of them and of newer
// ones it receives in turn.
func (r *modelRun) parted() {
	r.breaks = true
	for i := range r.lanes {
		if l := &r.lanes[i]; l.s != nil && l.s.Stats().RecvQueued > 0 {
			l.mixed = true
		}
	}
}

func modelName(i int) string { return fmt.Sprint("peer", i) }

// down takes a lane's endpoint away; its socket stays.
func (r *modelRun) down(i int) {
	l := &r.lanes[i]
	if l.s == nil || !l.linked {
		return
	}
	l.linked = false
	r.parted()
	if r.connecting {
		r.from.Disconnect(fmt.Sprint("mem://r", i))
	} else {
		l.s.Disconnect("mem://s")
	}
}

// end closes a lane's socket.
func (r *modelRun) end(i int) {
	l := &r.lanes[i]
	if l.s == nil {
		return
	}
	r.down(i)
	l.s.Close()
	l.s, r.breaks = nil, true
}

func (r *modelRun) send(to, size int) {
	frames := [][]byte{numbered(uint32(r.next), size), []byte("second")}
	if r.spec == pattern.Router {
		frames = append([][]byte{[]byte(modelName(to))}, frames...)
	}
	room := r.room(to)
	err := r.from.TrySend(frames...)
	switch {
	case err == nil:
		r.accepted++
		r.next++
	case errors.Is(err, ringwire.ErrAgain):
		if room {
			r.fail("TrySend = %v, want nil: a ready peer has room: %+v", err, r.from.Peers())
		}
	case r.spec == pattern.Router && errors.Is(err, ringwire.ErrHostUnreachable):
	default:
		r.fail("TrySend = %v", err)
	}
}

// room reports whether the message must be accepted.
func (r *modelRun) room(to int) bool {
	if r.spec == pattern.Pub || r.spec == pattern.XPub {
		return true
	}
	for _, p := range r.from.Peers() {
		if p.Ready && p.SendQueued < modelHWM-1 && (r.spec != pattern.Router || string(p.Address) == modelName(to)) {
			return true
		}
	}
	return false
}

func (r *modelRun) recv(i int) {
	l := &r.lanes[i]
	if l.s == nil {
		return
	}
	queued := l.s.Stats().RecvQueued
	m, err := l.s.TryRecv()
	if errors.Is(err, ringwire.ErrAgain) {
		if queued > 0 {
			r.fail("TryRecv = %v, want one of %d messages", err, queued)
		}
		return
	}
	if err != nil {
		r.fail("TryRecv = %v", err)
	}
	defer m.Release()
	first := 0
	if r.peer == pattern.Router {
		first = 1
	}
	n := relNumber(m.Frame(first))
	if m.Len() != first+2 || string(m.Frame(first+1)) != "second" || len(m.Frame(first)) != 4+n%3*700 {
		r.fail("message %d is torn: %d frames, %d bytes", n, m.Len(), len(m.Frame(first)))
	}
	if n >= r.next {
		r.fail("message %d was never sent", n)
	}
	copies := r.spec == pattern.Pub || r.spec == pattern.XPub
	if r.got[n] && !copies {
		r.fail("message %d came twice", n)
	}
	r.got[n] = true
	if n <= l.last && !l.mixed {
		r.fail("receiver %d: message %d came after %d", i, n, l.last)
	}
	l.last = max(l.last, n)
}

// check holds after each step, when nothing is going on.
func (r *modelRun) check() {
	st := r.from.Stats()
	if st.Accepted != st.Written+st.SendDropped.Total()+st.SendQueued {
		r.fail("sender: accepted is not written + dropped + queued: %+v", st.Counters)
	}
	if one := r.spec != pattern.Pub && r.spec != pattern.XPub; one && st.Accepted != r.accepted {
		r.fail("sender: %d accepted, want %d", st.Accepted, r.accepted)
	}
	if !r.breaks && st.SendDropped.Total() != st.SendDropped.HWM {
		r.fail("dropped without a reason: %+v", st.SendDropped)
	}
	for _, p := range r.from.Peers() {
		if p.SendQueued > modelHWM {
			r.fail("%d messages are queued for %s, want at most %d", p.SendQueued, p.Name(), modelHWM)
		}
	}
	for i := range r.lanes {
		if l := &r.lanes[i]; l.s != nil {
			c := l.s.Stats().Counters
			if c.Arrived != c.Returned+c.RecvDropped.Total()+c.RecvQueued || c.RecvDropped.Total() != 0 {
				r.fail("receiver %d: arrived is not returned + queued: %+v", i, c)
			}
		}
	}
}

// finish receives what is left and accounts for all of it.
func (r *modelRun) finish() {
	for more := true; more; {
		r.settle()
		before := len(r.got)
		for i := range r.lanes {
			for range 2 * modelHWM {
				r.recv(i)
			}
		}
		more = len(r.got) > before
	}
	if r.spec == pattern.Pub || r.spec == pattern.XPub {
		return
	}
	st := r.from.Stats()
	lost := r.accepted - int64(len(r.got)) - st.SendQueued
	if limit := st.InDoubt + st.SendDropped.Total(); lost > limit || lost < st.SendDropped.Total() || !r.breaks && lost != 0 {
		r.fail("%d of %d are lost, %d in doubt, %d dropped, breaks %v", lost, r.accepted, st.InDoubt, st.SendDropped.Total(), r.breaks)
	}
}
