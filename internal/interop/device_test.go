package interop_test

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/ringwire/ringwire/device"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// runDevice binds and runs a device until the test ends.
func runDevice(t *testing.T, transport string, constructor func(front, back *socket.Options, opts *device.Options) (*device.Device, error),
	opts *device.Options) (d *device.Device, front, back string, ended chan error) {
	t.Helper()
	d, err := constructor(nil, nil, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	front, back = mustBind(t, d.Front(), anywhere(t, transport)), mustBind(t, d.Back(), anywhere(t, transport))
	ended = make(chan error, 1)
	ctx := within(t)
	go func() { ended <- d.Run(ctx) }()
	return d, front, back, ended
}

// pass has libzmq play both the source and the sink of a cell's traffic, in two
// processes with a device between them.
func pass(t *testing.T, from *pySocket, out string, to *pySocket, into string) {
	t.Helper()
	side := func(role string) map[string]any {
		return map[string]any{"role": role, "numbered": *messages, "shapes": shapes, "notice": false, "await_sync": false,
			"send_prefix": []string{}, "recv_prefix": []string{}}
	}
	sink := to.start(command{"op": "run", "id": to.id, "plan": side(into)})
	source := from.start(command{"op": "run", "id": from.id, "plan": side(out)})
	if _, err := source(); err != nil {
		t.Error(err)
	}
	if _, err := sink(); err != nil {
		t.Error(err)
	}
}

// TestDeviceStreamer: libzmq pushes on one side, libzmq pulls on the other.
func TestDeviceStreamer(t *testing.T) {
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			us, them := startPython(t), startPython(t)
			_, front, back, _ := runDevice(t, transport, device.NewStreamer, nil)
			push, pull := us.open("push", "PUSH", nil), them.open("pull", "PULL", nil)
			push.connect(front)
			pull.connect(back)
			pass(t, push, "out", pull, "into")
		})
	}
}

// TestDeviceForwarder: subscriptions of libzmq reach a libzmq publisher through the
// device, late ones and cancellations included, and messages come back.
func TestDeviceForwarder(t *testing.T) {
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			us, them := startPython(t), startPython(t)
			d, front, back, _ := runDevice(t, transport, device.NewForwarder, nil)
			// An XPUB shows which subscriptions come to it.
			pub, early := us.open("pub", "XPUB", settings{"XPUB_NODROP": 1}), them.open("early", "SUB", nil)
			pub.connect(front)
			early.subscribe("a")
			early.connect(back)
			want(t, pub.recv(), "\x01a")
			pub.send("b", "nobody wants it")
			pub.send("a1", "", "body")
			want(t, early.recv(), "a1", "", "body")
			if got := d.Stats().Forward.Received.Messages; got != 1 {
				t.Errorf("the device received %d messages, want only the one that somebody wants", got)
			}
			late := them.open("late", "SUB", nil)
			late.subscribe("b")
			late.connect(back)
			want(t, pub.recv(), "\x01b")
			pub.send("b1")
			want(t, late.recv(), "b1")
			late.unsubscribe("b")
			want(t, pub.recv(), "\x00b")
			early.close()
			want(t, pub.recv(), "\x00a")
		})
	}
}

// TestDeviceForwarderTraffic: every shape of message passes, in order.
func TestDeviceForwarderTraffic(t *testing.T) {
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			us, them := startPython(t), startPython(t)
			d, err := device.NewForwarder(nil, &socket.Options{XPubNoDrop: true}, nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { d.Close() })
			front, back := mustBind(t, d.Front(), anywhere(t, transport)), mustBind(t, d.Back(), anywhere(t, transport))
			ctx := within(t)
			go d.Run(ctx)
			pub, sub := us.open("pub", "XPUB", settings{"XPUB_NODROP": 1}), them.open("sub", "SUB", settings{"SUBSCRIBE": ""})
			pub.connect(front)
			sub.connect(back)
			want(t, pub.recv(), "\x01")
			pass(t, pub, "out", sub, "into")
		})
	}
}

// TestDeviceQueue: a libzmq REQ asks, a libzmq REP answers.
func TestDeviceQueue(t *testing.T) {
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			us, them := startPython(t), startPython(t)
			_, front, back, _ := runDevice(t, transport, device.NewQueue, nil)
			req, rep := us.open("req", "REQ", nil), them.open("rep", "REP", nil)
			req.connect(front)
			rep.connect(back)
			pass(t, req, "ask", rep, "echo")
		})
	}
}

// TestDeviceControl: libzmq steers a device between libzmq sockets.
func TestDeviceControl(t *testing.T) {
	for _, c := range []struct {
		inside  *pattern.Spec
		outside string
	}{{pattern.Rep, "REQ"}, {pattern.Pair, "PAIR"}, {pattern.Router, "DEALER"}} {
		t.Run(c.inside.Name(), func(t *testing.T) {
			us, them := startPython(t), startPython(t)
			inside := newSocket(t, c.inside, nil)
			at := mustBind(t, inside, "tcp://127.0.0.1:0")
			d, front, back, ended := runDevice(t, "tcp", device.NewQueue, &device.Options{Control: inside})
			control := us.open("control", c.outside, nil)
			control.connect(at)
			req, rep := us.open("req", "REQ", nil), them.open("rep", "REP", nil)
			req.connect(front)
			rep.connect(back)
			for i := range 10 {
				req.send("12345", "67")
				want(t, rep.recv(), "12345", "67")
				rep.send(fmt.Sprint(i))
				want(t, req.recv(), fmt.Sprint(i))
			}
			eventually(t, "the last reply is counted", func() bool { return d.Stats().Backward.Sent.Messages == 10 })
			control.send("STATISTICS")
			var got []uint64
			for _, f := range control.recv() {
				got = append(got, binary.NativeEndian.Uint64([]byte(f)))
			}
			// With an identity of 5 bytes and a delimiter before each.
			if wanted := "[40 120 30 60 30 60 40 120]"; fmt.Sprint(got) != wanted {
				t.Errorf("got the statistics %v, want %s", got, wanted)
			}
			control.send("PAUSE")
			want(t, control.recv(), "")
			if !d.Stats().Paused {
				t.Error("got a device that is not paused")
			}
			req.send("while paused")
			control.send("nonsense")
			want(t, control.recv(), "")
			control.send("RESUME")
			want(t, control.recv(), "")
			want(t, rep.recv(), "while paused")
			control.send("TERMINATE")
			want(t, control.recv(), "")
			select {
			case err := <-ended:
				if err != nil {
					t.Errorf("Run of a device that was terminated: got %v, want nil", err)
				}
			case <-time.After(limit()):
				t.Error("Run does not return")
			}
		})
	}
}
