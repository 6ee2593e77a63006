package observe

import (
	"context"
	"sync"

	"github.com/ringwire/ringwire/socket"
)

// kept is how many events of a socket are remembered: the story of a few
// reconnects.
const kept = 64

// watch is one socket that is shown, from when it was added until it is closed or
// removed.
type watch struct {
	// Immutable.
	socket *socket.Socket
	cancel context.CancelFunc
	ended  chan struct{} // closed when the goroutine has ended

	mu    sync.Mutex
	last  []socket.Event // guarded by mu, the last kept ones, oldest first
	total int64          // guarded by mu
	lost  int64          // guarded by mu
}

// begin starts the goroutine that listens. When the socket is closed, over is
// called; it is not called after stop.
func begin(s *socket.Socket, over func(*watch)) *watch {
	ctx, cancel := context.WithCancel(context.Background())
	w := &watch{socket: s, cancel: cancel, ended: make(chan struct{})}
	events := s.Events(ctx) // from now on, whenever the goroutine starts
	go func() {
		defer close(w.ended)
		defer cancel()
		for ev := range events {
			w.note(ev)
		}
		if ctx.Err() == nil {
			over(w)
		}
	}()
	return w
}

// stop ends the goroutine and waits for it.
func (w *watch) stop() {
	w.cancel()
	<-w.ended
}

func (w *watch) note(ev socket.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.total += 1 + int64(ev.Lost)
	w.lost += int64(ev.Lost)
	if len(w.last) == kept {
		w.last = w.last[:copy(w.last, w.last[1:])]
	}
	w.last = append(w.last, ev)
}

func (w *watch) events() (list []eventView, total, lost int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	list = make([]eventView, 0, len(w.last))
	for i := range w.last {
		list = append(list, viewEvent(&w.last[i]))
	}
	return list, w.total, w.lost
}
