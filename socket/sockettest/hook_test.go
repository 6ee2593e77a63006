package sockettest_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/ringwire/ringwire/socket/sockettest"
)

// TestHook: it sees every operation, in order and numbered, with who does it.
func TestHook(t *testing.T) {
	n := sockettest.NewNetwork(1)
	var got []string
	n.Hook(func(op sockettest.Op) error {
		got = append(got, fmt.Sprintf("%d %v %s %s", op.N, op.Kind, op.Local, op.Remote))
		return nil
	})
	l := listen(t, n, "b", "b:1")
	a := dial(t, n, "a", "b:1")
	b, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	write(t, a, "x")
	want(t, b, "x")
	a.(interface{ CloseWrite() error }).CloseWrite()
	a.Close()
	b.Close()
	n.Hook(nil)
	at := a.LocalAddr().String()
	want := []string{
		"1 dial a b:1", "2 accept b:1 ", "3 write " + at + " b:1", "4 read b:1 " + at,
		"5 close write " + at + " b:1", "6 close " + at + " b:1", "7 close b:1 " + at,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

// TestHookFails: an error stands in place of the operation, and breaks the
// connection of a Read or Write; closing closes all the same.
func TestHookFails(t *testing.T) {
	broken := errors.New("broken")
	for kind := sockettest.OpDial; kind <= sockettest.OpClose; kind++ {
		t.Run(kind.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := sockettest.NewNetwork(1)
				l := listen(t, n, "b", "b:1")
				a, b := connect(t, n)
				n.Hook(func(op sockettest.Op) error {
					if op.Kind == kind {
						return broken
					}
					return nil
				})
				do := map[sockettest.OpKind]func() error{
					sockettest.OpDial:       func() error { _, err := n.Host("a").Dial(t.Context(), "b:1", nil); return err },
					sockettest.OpAccept:     func() error { _, err := l.Accept(); return err },
					sockettest.OpRead:       func() error { _, err := a.Read(make([]byte, 1)); return err },
					sockettest.OpWrite:      func() error { _, err := a.Write([]byte("x")); return err },
					sockettest.OpCloseWrite: func() error { return a.(interface{ CloseWrite() error }).CloseWrite() },
					sockettest.OpClose:      func() error { return a.Close() },
				}[kind]
				if err := do(); !errors.Is(err, broken) {
					t.Errorf("got %v, want the hook's error", err)
				}
				n.Hook(nil)
				switch kind {
				case sockettest.OpDial, sockettest.OpAccept:
					write(t, a, "whole")
					want(t, b, "whole")
				case sockettest.OpClose:
					if _, err := b.Read(make([]byte, 1)); err != io.EOF {
						t.Errorf("read at the far end: %v, want EOF", err)
					}
				default:
					if _, err := b.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
						t.Errorf("read at the far end: %v, want a reset", err)
					}
				}
			})
		})
	}
}
