package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ringwire/ringwire/socket"
)

// trouble knows why a tool's socket waits in vain. Without it the tools would be
// silent about a wrong address, side or key: a socket goes on connecting for ever.
type trouble struct {
	socket *socket.Socket  // immutable
	ctx    context.Context // until close
	leave  func()          // immutable
	done   sync.WaitGroup

	mu      sync.Mutex
	reasons map[string]string // by the endpoint, while it has no peer; guarded by mu
	lacking string            // what is waited for although there is a peer; guarded by mu
}

// newTrouble listens to the events of s from now on, until close.
func newTrouble(s *socket.Socket) *trouble {
	ctx, cancel := context.WithCancel(context.Background())
	t := &trouble{socket: s, ctx: ctx, leave: cancel, reasons: make(map[string]string)}
	events := s.Events(ctx)
	t.done.Go(func() {
		for ev := range events {
			t.note(ev)
		}
	})
	return t
}

// close returns when nothing is written any more.
func (t *trouble) close() {
	t.leave()
	t.done.Wait()
}

func (t *trouble) note(ev socket.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch ev.Kind {
	case socket.Ready:
		delete(t.reasons, ev.Endpoint)
	case socket.ConnectFailed, socket.HandshakeFailed, socket.Rejected, socket.Disconnected:
		if ev.Err != nil {
			t.reasons[ev.Endpoint] = printable(fmt.Sprintf("%s: %s: %v", ev.Endpoint, ev.Kind, ev.Err))
		}
	}
}

// lack notes what is waited for although there may be a peer; empty: nothing.
func (t *trouble) lack(what string) {
	t.mu.Lock()
	t.lacking = what
	t.mu.Unlock()
}

// why is empty if nothing is known to be wrong.
func (t *trouble) why() string {
	ready := 0
	for _, p := range t.socket.Peers() {
		if p.Ready {
			ready++
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []string
	if ready > 0 && t.lacking != "" {
		list = append(list, "connected, but "+t.lacking)
	}
	for _, endpoint := range slices.Sorted(maps.Keys(t.reasons)) {
		list = append(list, t.reasons[endpoint])
	}
	return strings.Join(list, "; ")
}

// waitInVain is how long a tool waits before it says what is wrong.
const waitInVain = 2 * time.Second

// warn writes one line to w if something is wrong two seconds from now, until close.
func (t *trouble) warn(w io.Writer) {
	t.done.Go(func() {
		timer := time.NewTimer(waitInVain)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-t.ctx.Done():
			return
		}
		if why := t.why(); why != "" {
			fmt.Fprintf(w, "forwarder: still waiting: %s\n", why)
		}
	})
}
