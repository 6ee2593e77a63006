package socket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/ringwire/ringwire/internal/pipe"
	"github.com/ringwire/ringwire/transport"
)

// The pause after an Accept that failed, as when the process has no file
// descriptors left: it doubles from the first to the last.
const (
	acceptPauseMin = 5 * time.Millisecond
	acceptPauseMax = time.Second
)

// listener accepts the connections of one bound endpoint.
type listener struct {
	// Immutable after Bind.
	s        *Socket
	given    string             // the endpoint as Bind was given it
	resolved string             // and as it really is
	stream   transport.Listener // nil: inproc
	network  inprocNetwork
	name     string          // inproc
	ctx      context.Context // ends when accepting does
	cancel   context.CancelFunc
	wg       sync.WaitGroup // the acceptor and its connections

	// Guarded by the socket's mu.
	refusal   error // why the last peer that did not become one did not
	refusedAt time.Time
}

// refused remembers why a peer was not let in, or did not come in, for WaitPeers.
func (l *listener) refused(remote string, err error) {
	if remote != "" {
		err = fmt.Errorf("%s: %w", remote, err)
	}
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	l.refusal, l.refusedAt = err, time.Now()
}

// run is the listener's goroutine. Handshakes are done on goroutines of their
// own: a peer that stays silent must not keep others out.
func (l *listener) run() {
	pause := acceptPauseMin
	for {
		conn, err := l.stream.Accept()
		if err == nil {
			pause = acceptPauseMin
			l.accept(conn)
			continue
		}
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if pause == acceptPauseMin {
			l.s.events.emit(Event{Kind: AcceptFailed, Endpoint: l.resolved, Next: NextAccept, Err: err})
		}
		l.s.tally.acceptErrors.Add(1)
		select {
		case <-time.After(pause):
		case <-l.ctx.Done():
			return
		}
		pause = min(2*pause, acceptPauseMax)
	}
}

func (l *listener) accept(conn net.Conn) {
	s := l.s
	remote := addr(conn.RemoteAddr())
	admitted, err := s.admission.admit(l.ctx, conn)
	if l.ctx.Err() != nil && err != nil {
		conn.Close()
		return // it was us
	}
	if err != nil {
		conn.Close()
		s.tally.failed.Add(1)
		s.tally.refused.Add(1)
		l.refused(remote, err)
		s.events.emit(Event{Kind: Rejected, Endpoint: l.resolved, Remote: remote, Next: NextAccept, Err: err})
		return
	}
	s.tally.accepts.Add(1)
	s.events.emit(Event{Kind: Accepted, Endpoint: l.resolved, Local: addr(conn.LocalAddr()), Remote: remote, Next: NextHandshake})
	l.wg.Go(func() {
		defer admitted.leave()
		p := &peer{s: s, endpoint: l.resolved, listener: l, entrant: admitted}
		p.end = pipe.NewEnd(s.group, s.pipeConfig(false), s.intake, p)
		s.serve(l.ctx, s.ctx, conn, p)
	})
}

// close stops accepting. Connections stay, handshakes in progress end.
func (l *listener) close() {
	l.cancel()
	if l.stream != nil {
		l.stream.Close()
	} else {
		l.network.Unbind(l.name, l)
	}
	l.s.events.emit(Event{Kind: Unbound, Endpoint: l.resolved})
}
