package device_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/device"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// TestFit: which sockets can be put together, and what the error says.
func TestFit(t *testing.T) {
	for _, c := range []struct {
		front, back *pattern.Spec
		says        string // empty: it works
	}{
		{pattern.XSub, pattern.XPub, ""},
		{pattern.XPub, pattern.XSub, ""},
		{pattern.Sub, pattern.Pub, ""},
		{pattern.Sub, pattern.Push, ""},
		{pattern.Router, pattern.Dealer, ""},
		{pattern.Dealer, pattern.Dealer, ""},
		{pattern.Router, pattern.Router, ""},
		{pattern.Pull, pattern.Push, ""},
		{pattern.Push, pattern.Pull, ""},
		{pattern.Pair, pattern.Pair, ""},
		{pattern.Push, pattern.Push, "a PUSH and a PUSH socket do not fit: neither sends what the other receives"},
		{pattern.Pull, pattern.Sub, "a PULL and a SUB socket do not fit"},
		{pattern.Req, pattern.Rep, "a REQ and a REP socket do not fit: a REQ has one request at a time, want a DEALER"},
		{pattern.Rep, pattern.Dealer, "want a ROUTER"},
		{pattern.Pair, pattern.Req, "want a DEALER"},
		{pattern.XPub, pattern.XPub, "two XPUB sockets do not fit"},
		{pattern.XSub, pattern.XSub, "two XSUB sockets do not fit"},
	} {
		t.Run(c.front.Name()+"-"+c.back.Name(), func(t *testing.T) {
			_, err := device.New(open(t, c.front, nil), open(t, c.back, nil), nil)
			refused(t, err, c.says)
		})
	}
	for _, c := range []struct {
		spec *pattern.Spec
		says string
	}{
		{pattern.Rep, ""}, {pattern.Router, ""}, {pattern.Dealer, ""}, {pattern.Pair, ""},
		{pattern.Req, "one REQ socket"}, {pattern.Push, "one PUSH socket"}, {pattern.XPub, "one XPUB socket"},
	} {
		t.Run("one "+c.spec.Name(), func(t *testing.T) {
			s := open(t, c.spec, nil)
			_, err := device.New(s, s, nil)
			refused(t, err, c.says)
		})
	}
}

func refused(t *testing.T, err error, says string) {
	t.Helper()
	switch {
	case says == "" && err != nil:
		t.Errorf("got %v, want a device", err)
	case says != "" && (err == nil || !strings.Contains(err.Error(), says)):
		t.Errorf("got %v, want an error that says %q", err, says)
	}
}

func TestClosedSockets(t *testing.T) {
	for _, which := range []string{"front", "back", "Capture", "Control"} {
		t.Run(which, func(t *testing.T) {
			all := map[string]*socket.Socket{"front": open(t, pattern.Pull, nil), "back": open(t, pattern.Push, nil),
				"Capture": open(t, pattern.Pub, nil), "Control": open(t, pattern.Rep, nil)}
			all[which].Close()
			_, err := device.New(all["front"], all["back"], &device.Options{Capture: all["Capture"], Control: all["Control"]})
			refused(t, err, which)
			if !errors.Is(err, ringwire.ErrClosed) {
				t.Errorf("got %v, want ErrClosed", err)
			}
		})
	}
}

// TestOptions: each option that is out of range is named.
func TestOptions(t *testing.T) {
	front, back := open(t, pattern.Pull, nil), open(t, pattern.Push, nil)
	pair := open(t, pattern.Pair, nil)
	for _, c := range []struct {
		opts device.Options
		says string
	}{
		{device.Options{Batch: -1}, "option Batch is -1"},
		{device.Options{CaptureBlocks: true}, "option CaptureBlocks"},
		{device.Options{Control: open(t, pattern.Req, nil)}, "option Control is a REQ socket"},
		{device.Options{Control: open(t, pattern.Pub, nil)}, "option Control is a PUB socket"},
		{device.Options{Control: front}, "option Control is a socket that the device uses already"},
		{device.Options{Capture: back}, "option Capture is a socket that the device uses already"},
		{device.Options{Capture: pair, Control: pair}, "option Capture is a socket that the device uses already"},
		{device.Options{Capture: open(t, pattern.Router, nil)}, "option Capture is a ROUTER socket"},
	} {
		_, err := device.New(front, back, &c.opts)
		refused(t, err, c.says)
	}
	for _, s := range [][2]*socket.Socket{{nil, back}, {front, nil}} {
		_, err := device.New(s[0], s[1], nil)
		refused(t, err, "is nil, want a socket")
	}
	_, err := device.NewForwarder(nil, &socket.Options{XPubManual: true}, nil)
	refused(t, err, "XPubManual")
	_, err = device.NewForwarder(nil, &socket.Options{XPubVerbose: true}, nil)
	refused(t, err, "XPubVerbose")
	_, err = device.NewQueue(&socket.Options{SendHWM: -2}, nil, nil)
	refused(t, err, "front: new: option SendHWM")
	_, err = device.NewQueue(nil, &socket.Options{SendHWM: -2}, nil)
	refused(t, err, "back: new: option SendHWM")
	err = device.Run(context.Background(), front, front, nil)
	refused(t, err, "one PULL socket")
}
