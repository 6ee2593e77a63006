package device

import (
	"encoding/binary"
	"sync/atomic"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
)

// Pause has the device stop reading. It returns when nothing is read any more;
// what is in hand is still delivered. A paused device costs no processor time: its
// senders meet their high-water marks. It does nothing to a device that drains or
// has ended; before Run, the device starts paused.
func (d *Device) Pause() { d.gate.pause() }

// Resume undoes Pause.
func (d *Device) Resume() { d.gate.resume() }

// commands counts what came by the control socket. Atomic: written by obey, read
// by Stats.
type commands struct {
	all, unknown, unanswered atomic.Int64
}

// obey executes what comes by the control socket until the device ends.
func (d *Device) obey() {
	control := d.opts.Control
	for {
		m, err := control.Recv(d.gate.life)
		if err != nil {
			return // the device has ended, or somebody closed the socket
		}
		envelope, command := parse(control.Type(), m)
		d.commands.all.Add(1)
		answer, end := d.execute(command)
		if control.Type().Sends() && control.TrySend(append(envelope, answer...)...) != nil {
			// Whoever asks and does not read must not stop the device.
			d.commands.unanswered.Add(1)
		}
		m.Release()
		if end {
			d.Terminate()
		}
	}
}

// parse splits a message into what the answer has to begin with and the command,
// which is empty if there is not exactly one frame of it.
func parse(kind *pattern.Spec, m *ringwire.Message) (envelope [][]byte, command string) {
	var frames [][]byte
	for i := range m.Len() {
		frames = append(frames, m.Frame(i))
	}
	n := 0
	if kind == pattern.Router {
		n = 1 // the identity
	}
	if (kind == pattern.Router || kind == pattern.Dealer) && len(frames) > n+1 && len(frames[n]) == 0 {
		n++ // the delimiter of a REQ
	}
	if len(frames) == n+1 {
		command = string(frames[n])
	}
	return frames[:n:n], command
}

func (d *Device) execute(command string) (answer [][]byte, end bool) {
	switch command {
	case "PAUSE":
		d.Pause()
	case "RESUME":
		d.Resume()
	case "TERMINATE":
		end = true
	case "STATISTICS":
		for _, v := range d.Stats().Frames() {
			answer = append(answer, binary.NativeEndian.AppendUint64(nil, v))
		}
		return answer, false
	default:
		d.commands.unknown.Add(1)
	}
	return [][]byte{nil}, end
}
