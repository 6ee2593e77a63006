package interop_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/ringwire/ringwire/socket"
)

// watcher collects a socket's events from the moment it is made.
type watcher struct {
	t      testing.TB
	events chan socket.Event
	seen   []socket.Event
}

func watch(t testing.TB, s *socket.Socket) *watcher {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	w := &watcher{t: t, events: make(chan socket.Event, 4096)}
	seq := s.Events(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for e := range seq {
			w.events <- e
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	return w
}

// await returns the next event of one of these kinds.
func (w *watcher) await(kinds ...socket.EventKind) socket.Event {
	w.t.Helper()
	guard := time.After(limit())
	for {
		select {
		case e := <-w.events:
			w.seen = append(w.seen, e)
			if slices.Contains(kinds, e.Kind) {
				return e
			}
		case <-guard:
			w.t.Fatalf("no event %v after %v", kinds, w.seen)
		}
	}
}

// eventually polls until a condition holds. It is for what neither events nor
// messages tell.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	guard := time.After(limit())
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-guard:
			t.Fatalf("never came true: %s", what)
		}
	}
}

func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit())
	t.Cleanup(cancel)
	return ctx
}

func send(t testing.TB, s *socket.Socket, frames ...string) {
	t.Helper()
	list := make([][]byte, len(frames))
	for i, f := range frames {
		list[i] = []byte(f)
	}
	if err := s.Send(within(t), list...); err != nil {
		t.Fatal(err)
	}
}

func recv(t testing.TB, s *socket.Socket) []string {
	t.Helper()
	m, err := s.Recv(within(t))
	if err != nil {
		t.Fatalf("%v: %+v", err, s.Stats())
	}
	defer m.Release()
	var list []string
	for k := range m.Len() {
		list = append(list, string(m.Frame(k)))
	}
	return list
}

// want compares one message.
func want(t testing.TB, got []string, frames ...string) {
	t.Helper()
	ok := len(got) == len(frames)
	for i := 0; ok && i < len(got); i++ {
		ok = got[i] == frames[i]
	}
	if !ok {
		t.Fatalf("got message %q, want %q", got, frames)
	}
}

func waitPeers(t testing.TB, s *socket.Socket, n int) {
	t.Helper()
	if err := s.WaitPeers(within(t), n); err != nil {
		t.Fatal(err)
	}
}
