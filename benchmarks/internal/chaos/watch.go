package chaos

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/ringwire/ringwire/socket"
)

// watcher follows one socket: what its events add up to, and how full its queues
// were.
type watcher struct {
	// Immutable after watch.
	socket  *socket.Socket
	options *socket.Options
	largest int64 // message, with its frames' headers
	done    sync.WaitGroup
	stop    context.CancelFunc

	mu sync.Mutex
	// Guarded by mu.
	unsent, inDoubt int64 // of all Disconnected events
	missed          bool  // events were lost, or a peer was taken along with the socket
	fullest         float64
	over            string // what exceeded its bound, or which law did not hold
	lastFailure     string
}

// watch starts to follow a socket. It ends with the socket.
func watch(s *socket.Socket, options *socket.Options, largest int64) *watcher {
	ctx, cancel := context.WithCancel(context.Background())
	w := &watcher{socket: s, options: options, largest: largest, stop: cancel}
	events := s.Events(context.Background())
	w.done.Go(func() {
		for ev := range events {
			w.mu.Lock()
			w.missed = w.missed || ev.Lost > 0
			if ev.Err != nil {
				w.lastFailure = ev.Kind.String() + ": " + ev.Err.Error()
			}
			if ev.Kind == socket.Disconnected {
				w.unsent += ev.Unsent
				w.inDoubt += ev.InDoubt
			}
			w.mu.Unlock()
		}
	})
	w.done.Go(func() {
		tick := time.NewTicker(sampling)
		defer tick.Stop()
		for {
			w.sample()
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	})
	return w
}

// sampling is how often queues are looked at: often enough to see a queue that
// stays too full, and little beside what the run does.
const sampling = 4 * time.Millisecond

// sample compares each queue with its bound.
func (w *watcher) sample() {
	o := w.options
	hwm := func(n int) int64 {
		if n == 0 {
			return socket.DefaultHWM
		}
		return int64(n)
	}
	bytes := func(n int64) int64 {
		if n == 0 {
			return socket.DefaultHWMBytes
		}
		return n
	}
	var queued int64
	for _, p := range w.socket.Peers() {
		w.note("SendQueued", p.SendQueued, hwm(o.SendHWM))
		w.note("RecvQueued", p.RecvQueued, hwm(o.RecvHWM))
		// One message may exceed the bytes of an empty queue.
		w.note("SendBytes", p.SendBytes, max(bytes(o.SendHWMBytes), w.largest))
		queued += p.SendBytes
		// The laws of each lane hold while messages move, too.
		if p.Accepted != p.Written+p.SendDropped.Total()+p.SendQueued {
			w.breaks(fmt.Sprintf("peer %v: Accepted %d is not Written %d + dropped %d + queued %d", p.Peer, p.Accepted, p.Written, p.SendDropped.Total(), p.SendQueued))
		}
		if p.Confirmed+p.InDoubt > p.Written || p.Confirmed < 0 || p.InDoubt < 0 {
			w.breaks(fmt.Sprintf("peer %v: Written %d is less than Confirmed %d + InDoubt %d", p.Peer, p.Written, p.Confirmed, p.InDoubt))
		}
	}
	if o.SendBudget > 0 {
		// The last message that was let in may exceed it.
		w.note("SendBytes of all peers", queued, o.SendBudget+w.largest)
	}
}

// breaks notes a law that does not hold.
func (w *watcher) breaks(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over == "" {
		w.over = what
	}
}

func (w *watcher) note(what string, have, bound int64) {
	if bound < 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fullest = max(w.fullest, float64(have)/float64(bound))
	if have > bound && w.over == "" {
		w.over = fmt.Sprintf("%s is %d, over its bound of %d", what, have, bound)
	}
}

// end waits until the socket, which was closed, has said everything.
func (w *watcher) end() {
	w.stop()
	w.done.Wait()
}

// failure is the last thing that went wrong.
func (w *watcher) failure() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lastFailure
}
