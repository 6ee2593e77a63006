package device_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/device"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// captures are the types of capture sockets, and who listens to them.
var captures = map[*pattern.Spec]*pattern.Spec{
	pattern.Pub: pattern.Sub, pattern.XPub: pattern.Sub, pattern.Push: pattern.Pull,
	pattern.Dealer: pattern.Dealer, pattern.Pair: pattern.Pair,
}

// TestCapture: requests and replies are seen by a third party, whole and before
// they go on.
func TestCapture(t *testing.T) {
	for inside, outside := range captures {
		t.Run(inside.Name(), func(t *testing.T) {
			capture := open(t, inside, nil)
			spy := open(t, outside, nil)
			if outside == pattern.Sub {
				subscribe(t, spy, "")
			}
			connect(t, spy, bind(t, capture, "tcp://127.0.0.1:0"))
			waitPeers(t, capture, 1)
			if outside == pattern.Sub {
				subscribed(t, capture, "x", 1)
			}
			d := start(t, device.NewQueue, "tcp", nil, nil, &device.Options{Capture: capture})
			client := connected(t, pattern.Dealer, &socket.Options{Identity: []byte("me")}, d.front)
			worker := connected(t, pattern.Rep, nil, d.back)
			for i := range 10 {
				body := fmt.Sprint("request ", i)
				send(t, client, "", body)
				want(t, recv(t, worker), body)
				want(t, recv(t, spy), "me", "", body)
				send(t, worker, "reply", body)
				want(t, recv(t, client), "", "reply", body)
				want(t, recv(t, spy), "me", "", "reply", body)
			}
			if st := d.Stats(); st.Captured != 20 || st.CaptureDropped != 0 {
				t.Errorf("got %+v, want 20 captured", st)
			}
		})
	}
}

// TestCaptureFull: a capture without room drops and counts, and the traffic goes
// on.
func TestCaptureFull(t *testing.T) {
	capture := open(t, pattern.Push, nil) // nobody there
	d := start(t, device.NewStreamer, "tcp", nil, nil, &device.Options{Capture: capture})
	push, pull := connected(t, pattern.Push, nil, d.front), connected(t, pattern.Pull, nil, d.back)
	for i := range 100 {
		send(t, push, fmt.Sprint(i))
		want(t, recv(t, pull), fmt.Sprint(i))
	}
	if st := d.Stats(); st.Captured != 0 || st.CaptureDropped != 100 {
		t.Errorf("got %+v, want 100 dropped", st)
	}
	if err := capture.Close(); err != nil {
		t.Fatal(err)
	}
	send(t, push, "without capture")
	want(t, recv(t, pull), "without capture")
}

// TestCaptureBlocks: if that was asked for, nothing passes uncaptured.
func TestCaptureBlocks(t *testing.T) {
	capture := open(t, pattern.Push, nil)
	at := bind(t, capture, "tcp://127.0.0.1:0")
	d := start(t, device.NewStreamer, "tcp", nil, nil, &device.Options{Capture: capture, CaptureBlocks: true})
	push, pull := connected(t, pattern.Push, nil, d.front), connected(t, pattern.Pull, nil, d.back)
	for i := range 10 {
		send(t, push, fmt.Sprint(i))
	}
	eventually(t, "it has something in hand", func() bool { return d.Stats().Forward.InHand() > 0 })
	if m, err := pull.TryRecv(); !errors.Is(err, ringwire.ErrAgain) {
		t.Fatalf("got %v, %v, want nothing before it was captured", m, err)
	}
	spy := connected(t, pattern.Pull, nil, at)
	for i := range 10 {
		want(t, recv(t, spy), fmt.Sprint(i))
		want(t, recv(t, pull), fmt.Sprint(i))
	}
	if st := d.Stats(); st.Captured != 10 || st.CaptureDropped != 0 {
		t.Errorf("got %+v, want 10 captured", st)
	}
	if err := capture.Close(); err != nil {
		t.Fatal(err)
	}
	send(t, push, "x")
	if err := d.end(); !errors.Is(err, ringwire.ErrClosed) {
		t.Errorf("got %v, want ErrClosed: the capture is", err)
	}
	balanced(t, d.Device)
}

// TestCaptureBlocksTerminate: a device that waits for its capture can be ended.
func TestCaptureBlocksTerminate(t *testing.T) {
	capture := open(t, pattern.Push, nil)
	d := start(t, device.NewStreamer, "tcp", nil, nil, &device.Options{Capture: capture, CaptureBlocks: true})
	send(t, connected(t, pattern.Push, nil, d.front), "x")
	eventually(t, "it has something in hand", func() bool { return d.Stats().Forward.InHand() > 0 })
	d.Terminate()
	if err := d.end(); !isUnsent(err) {
		t.Errorf("got %v, want an UnsentError", err)
	}
	balanced(t, d.Device)
	if st := d.Stats(); st.CaptureDropped != 1 {
		t.Errorf("got %+v, want one not captured", st)
	}
}
