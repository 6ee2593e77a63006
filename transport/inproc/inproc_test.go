package inproc_test

import (
	"errors"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"github.com/ringwire/ringwire/internal/pipe"
	"github.com/ringwire/ringwire/transport"
	"github.com/ringwire/ringwire/transport/inproc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type binder struct{ name string }

func (*binder) Join(*pipe.End, string, []byte) (*pipe.End, error) { return nil, nil }

// connector notes whom it found.
type connector struct{ found []inproc.Binder }

func (c *connector) Found(b inproc.Binder) { c.found = append(c.found, b) }

func (c *connector) want(t *testing.T, when string, want ...inproc.Binder) {
	t.Helper()
	if len(c.found) != len(want) {
		t.Fatalf("%s: found %d binders, want %d", when, len(c.found), len(want))
	}
	for i, b := range want {
		if c.found[i] != b {
			t.Errorf("%s: found %v as number %d, want %v", when, c.found[i], i, b)
		}
	}
}

func TestConnectBeforeAndAfterBind(t *testing.T) {
	var n inproc.Network
	early, gone, late, patient := new(connector), new(connector), new(connector), new(connector)
	first, second := &binder{"first"}, &binder{"second"}
	n.Connect("name", early)
	n.Connect("name", gone)
	n.Connect("other", patient)
	n.Cancel("name", gone)
	early.want(t, "before the bind")
	if err := n.Bind("name", first); err != nil {
		t.Fatal(err)
	}
	early.want(t, "after the bind", first)
	gone.want(t, "cancelled before the bind")
	patient.want(t, "waiting for another name")
	n.Connect("name", late)
	late.want(t, "connected after the bind", first)

	// Wait is for the next binder, not for this one.
	if b := n.Wait("name", early, second); b != first {
		t.Errorf("Wait for another than the second: got %v, want the first, which is bound", b)
	}
	if b := n.Wait("name", early, first); b != nil {
		t.Errorf("Wait for another than the first: got %v, want to wait", b)
	}
	early.want(t, "waiting while the name is bound", first)
	if err := n.Bind("name", second); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("second Bind: got %v, want EADDRINUSE", err)
	}
	n.Unbind("name", second) // who is not bound cannot unbind
	n.Unbind("name", first)
	if err := n.Bind("name", second); err != nil {
		t.Fatal(err)
	}
	early.want(t, "after the next bind", first, second)
}

func TestCheckName(t *testing.T) {
	var n inproc.Network
	if err := n.Check(strings.Repeat("n", inproc.MaxName)); err != nil {
		t.Errorf("a name of %d bytes: got %v, want no error", inproc.MaxName, err)
	}
	var wrong *transport.EndpointError
	if err := n.Check(strings.Repeat("n", inproc.MaxName+1)); !errors.As(err, &wrong) || wrong.Part != "name" {
		t.Errorf("a name of %d bytes: got %v, want an EndpointError about the name", inproc.MaxName+1, err)
	}
}
