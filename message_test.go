package ringwire_test

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/ringwire/ringwire"
)

func TestErrClosedIsNetErrClosed(t *testing.T) {
	err := error(&ringwire.OpError{Op: "recv", Err: ringwire.ErrClosed})
	for _, target := range []error{ringwire.ErrClosed, net.ErrClosed} {
		if !errors.Is(err, target) {
			t.Errorf("errors.Is(%v, %v) = false, want true", err, target)
		}
	}
	if errors.Is(err, ringwire.ErrAgain) {
		t.Errorf("errors.Is(%v, ErrAgain) = true, want false", err)
	}
}

func TestOpErrorNamesOperationAndEndpoint(t *testing.T) {
	cause := errors.New("cause")
	err := fmt.Errorf("outer: %w", &ringwire.OpError{Op: "bind", Endpoint: "tcp://*:1", Err: cause})
	var op *ringwire.OpError
	if !errors.As(err, &op) || op.Op != "bind" || !errors.Is(err, cause) {
		t.Fatalf("got %#v, want a *OpError for bind that wraps the cause", err)
	}
	if got, want := op.Error(), "bind tcp://*:1: cause"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := (&ringwire.OpError{Op: "send", Err: cause}).Error(), "send: cause"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestUnsentErrorCounts(t *testing.T) {
	err := &ringwire.UnsentError{Messages: 3, Bytes: 99}
	for _, want := range []string{"3", "99"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %q, want it to contain %s", err, want)
		}
	}
}

// Frames are clipped: appending to one must not write into the next.
func TestFramesAreClipped(t *testing.T) {
	b := []byte("abcdef")
	m := ringwire.NewMessage(b[:3], b[3:])
	_ = append(m.Frame(0), 'X')
	if got, want := string(m.Frame(1)), "def"; got != want {
		t.Errorf("got frame 1 %q after appending to frame 0, want %q", got, want)
	}
}

func TestCloneSharesNothing(t *testing.T) {
	b := []byte("0123456789")
	m := ringwire.NewMessage(b, []byte("second"))
	c := m.Clone()
	b[0] = 'X'
	if got, want := string(c.Frame(0)), "0123456789"; got != want {
		t.Errorf("got clone %q, want %q", got, want)
	}
	if got, want := c.Len(), 2; got != want {
		t.Errorf("got %d frames, want %d", got, want)
	}
}

// A declared Message is emptied by Release and stays usable.
func TestReleaseOfDeclaredMessage(t *testing.T) {
	var m ringwire.Message
	m.Append([]byte("x"))
	m.Release()
	if got := m.Len(); got != 0 {
		t.Fatalf("got %d frames after Release, want 0", got)
	}
	m.Append([]byte("y"))
	if got, want := string(m.Bytes()), "y"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestMessageStringIsShort(t *testing.T) {
	m := ringwire.NewMessage([]byte("a\x00b"), nil)
	if got, want := fmt.Sprint(m), `["a\x00b" ""]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for range 1000 {
		m.Append(make([]byte, 1000))
	}
	if got := m.String(); len(got) > 1000 || !strings.Contains(got, "of 1000 bytes") || !strings.Contains(got, "more]") {
		t.Errorf("got a string of %d bytes that starts with %.100q, want a short one that says what is left out", len(got), got)
	}
}

func TestZeroPeer(t *testing.T) {
	var p ringwire.Peer
	if !p.IsZero() || p.ID() != 0 || p != ringwire.NewMessage().Peer() {
		t.Errorf("got zero Peer %v with ID %d, want zero", p, p.ID())
	}
}
