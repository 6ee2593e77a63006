package device

import (
	"sync/atomic"

	"github.com/ringwire/ringwire"
)

// Traffic counts messages.
type Traffic struct {
	Messages int64
	Frames   int64 // with envelopes and identities
	Bytes    int64 // of the frames, without headers
}

// Direction is what went one way. Received is the sum of Sent, Dropped, Refused
// and what is in hand.
type Direction struct {
	Received Traffic
	Sent     Traffic // accepted by the other socket, whose own Stats say what became of it
	Dropped  Traffic // in hand when the device ended
	Refused  Traffic // could never be sent: no envelope for a ROUTER, a subscription over the limit
}

// InHand is what was received and neither sent nor dropped yet: at most a batch.
func (d Direction) InHand() int64 {
	return d.Received.Messages - d.Sent.Messages - d.Dropped.Messages - d.Refused.Messages
}

// Stats is a snapshot of a device.
type Stats struct {
	Forward  Direction // from the front to the back
	Backward Direction // from the back to the front
	Paused   bool

	Captured       int64 // messages that the capture accepted
	CaptureDropped int64 // messages that it had no room for

	Commands        int64 // that came by the control socket
	UnknownCommands int64 // the part of those that was not understood
	Unanswered      int64 // commands whose sender had no room for the answer, or was gone
}

// Frames are the figures of the command STATISTICS: what the front received, what
// it sent, what the back received, what it sent, each as a number of frames and of
// bytes. libzmq counts frames, not messages.
func (s Stats) Frames() [8]uint64 {
	var f [8]uint64
	for i, t := range []Traffic{s.Forward.Received, s.Backward.Sent, s.Backward.Received, s.Forward.Sent} {
		f[2*i], f[2*i+1] = uint64(t.Frames), uint64(t.Bytes)
	}
	return f
}

// Stats returns the device's counters, at any time. They are exact when nothing
// is on its way.
func (d *Device) Stats() Stats {
	st := Stats{Paused: d.gate.is(paused)}
	for i, p := range d.pumps {
		to := &st.Forward
		if i == 1 {
			to = &st.Backward
		}
		// Backwards, so that what is in hand is never negative.
		to.Sent, to.Dropped, to.Refused = p.sent.load(), p.dropped.load(), p.refused.load()
		to.Received = p.received.load()
	}
	st.Captured, st.CaptureDropped = d.capture.taken.Load(), d.capture.dropped.Load()
	c := &d.commands
	st.Commands, st.UnknownCommands, st.Unanswered = c.all.Load(), c.unknown.Load(), c.unanswered.Load()
	return st
}

// tally is a Traffic with one writer and many readers.
type tally struct {
	messages, frames, bytes atomic.Int64
}

type size struct{ frames, bytes int64 }

func sizeOf(m *ringwire.Message) size {
	s := size{frames: int64(m.Len())}
	for i := range m.Len() {
		s.bytes += int64(len(m.Frame(i)))
	}
	return s
}

func (t *tally) add(sizes []size) {
	var sum size
	for _, s := range sizes {
		sum.frames += s.frames
		sum.bytes += s.bytes
	}
	t.frames.Add(sum.frames)
	t.bytes.Add(sum.bytes)
	t.messages.Add(int64(len(sizes)))
}

func (t *tally) load() Traffic {
	return Traffic{Messages: t.messages.Load(), Frames: t.frames.Load(), Bytes: t.bytes.Load()}
}
