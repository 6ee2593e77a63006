package socket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/session"
)

// EventKind says what happened.
type EventKind int

// The kinds of events. libzmq's monitor has most of them under similar names.
const (
	Listening       EventKind = iota + 1 // Bind succeeded
	AcceptFailed                         // a listener could not accept; it goes on trying
	Accepted                             // a connection came in; the handshake follows
	Connected                            // a connection was made; the handshake follows
	ConnectFailed                        // an attempt to connect failed
	ConnectRetried                       // there will be another attempt, after Event.Retry
	HandshakeFailed                      // the peer did not finish the handshake, or broke it
	Rejected                             // a peer was refused, or the handshake says that it refuses us: Event.Err says why
	Ready                                // the handshake is complete: messages flow
	Disconnected                         // a ready peer is gone: Event.Err says why
	SlowPeer                             // a peer without room missed a message, the first since it had room; at most once a second for each
	Unbound                              // a listener was closed
	InsecureBind                         // a listener that other machines can reach, without encryption
	Closed                               // the socket was closed; the last event
)

var eventNames = [...]string{"", "listening", "accept failed", "accepted", "connected", "connect failed", "connect retried",
	"handshake failed", "rejected", "ready", "disconnected", "slow peer", "unbound", "insecure bind", "closed"}

func (k EventKind) String() string {
	if k <= 0 || int(k) >= len(eventNames) {
		return fmt.Sprintf("event %d", int(k))
	}
	return eventNames[k]
}

// Event is something that happened to the socket's connections. Fields that
// do not apply are zero.
type Event struct {
	Kind       EventKind
	Time       time.Time
	Endpoint   string // the endpoint it is about, as given or, for Listening, as resolved
	Local      string
	Remote     string
	Peer       ringwire.Peer
	Identity   []byte
	Name       string // what to call the peer, once the handshake has told: as PeerInfo.Name
	SocketType string // the peer's
	Mechanism  string
	Principal  string        // who the Authenticator says the peer is
	Retry      time.Duration // ConnectRetried: when the next attempt comes
	Next       Next          // what follows
	Err        error
	Unsent     int64 // Disconnected: messages that were dropped because the peer is gone
	InDoubt    int64 // Disconnected: messages written to that connection and not confirmed
	Lost       int   // events that were lost before this one because nobody took them
}

// Next says what the socket does about what happened.
type Next int

const (
	NextNothing   Next = iota // nothing is to be done, or nothing will be
	NextReconnect             // it connects again; ConnectRetried says when
	NextAccept                // it goes on to accept: the peer must come again
	NextHandshake             // the handshake
)

func (n Next) String() string {
	switch n {
	case NextReconnect:
		return "connects again"
	case NextAccept:
		return "accepts"
	case NextHandshake:
		return "handshake"
	}
	return "nothing"
}

// Reason is Err in a word, for counting: "heartbeat", "protocol", "oversize",
// "rejected", "slow", "identity", "DisconnectPeer", "closed here", "closed by the
// peer", "reset", "timeout", "refused", "no files left", "name", or "other". It is
// empty without an Err.
func (ev Event) Reason() string {
	err := ev.Err
	if err == nil {
		return ""
	}
	for _, r := range reasons {
		if errors.Is(err, r.err) {
			return r.word
		}
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "name"
	}
	if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() {
		return "timeout"
	}
	return "other"
}

// reasons are looked at in this order.
var reasons = []struct {
	err  error
	word string
}{
	{session.ErrSilent, "heartbeat"},
	{errSlow, "slow"},
	{errRetake, "identity"},
	{errEvicted, "DisconnectPeer"},
	{errStopped, "closed here"},
	{errGone, "closed by the peer"},
	{ringwire.ErrTooLarge, "oversize"},
	{ringwire.ErrRejected, "rejected"},
	{ringwire.ErrProtocol, "protocol"},
	{io.EOF, "closed by the peer"},
	{io.ErrUnexpectedEOF, "closed by the peer"},
	{syscall.ECONNRESET, "reset"},
	{syscall.EPIPE, "reset"},
	{syscall.ECONNREFUSED, "refused"},
	{syscall.EMFILE, "no files left"},
	{syscall.ENFILE, "no files left"},
	{os.ErrDeadlineExceeded, "timeout"},
	{context.DeadlineExceeded, "timeout"},
}

// eventBuffer is how many events wait for a slow listener before some are
// lost: enough for a burst of reconnects.
const eventBuffer = 256

// events hands events to whoever listens. It never blocks the socket.
type events struct {
	logger *slog.Logger // immutable

	mu     sync.Mutex
	subs   map[*eventSub]struct{}
	closed bool

	unlogged []Event // for the logger
}

type eventSub struct {
	queue []Event // guarded by events.mu
	lost  int
	wake  chan struct{} // capacity 1
}

// Events returns the events from the moment of the call on: it registers at
// once, not when the iteration begins. The sequence ends when ctx is done or
// after Closed. Up to 256 events are kept for a listener that is slow, then
// the newest are lost and counted in the next one's Lost. A nil ctx is
// context.Background.
func (s *Socket) Events(ctx context.Context) iter.Seq[Event] {
	if ctx == nil {
		ctx = context.Background()
	}
	e := &s.events
	sub := &eventSub{wake: make(chan struct{}, 1)}
	e.mu.Lock()
	if e.subs == nil {
		e.subs = make(map[*eventSub]struct{})
	}
	if !e.closed {
		e.subs[sub] = struct{}{}
		context.AfterFunc(ctx, func() { e.drop(sub) })
	}
	closed := e.closed
	e.mu.Unlock()
	return func(yield func(Event) bool) {
		if closed {
			return
		}
		defer e.drop(sub)
		for {
			list, over := e.take(sub)
			for _, ev := range list {
				if ctx.Err() != nil || !yield(ev) || ev.Kind == Closed {
					return
				}
			}
			if over {
				return
			}
			select {
			case <-sub.wake:
			case <-ctx.Done():
				return
			}
		}
	}
}

func (e *events) take(sub *eventSub) (list []Event, over bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	list, sub.queue = sub.queue, nil
	return list, e.closed && len(list) == 0
}

func (e *events) drop(sub *eventSub) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.subs, sub)
}

// emit tells everybody. It must be called without a lock.
func (e *events) emit(ev Event) {
	e.note(ev)
	e.tell()
}

// tell gives the logger what was noted. It must be called without a lock: the
// logger is the user's.
func (e *events) tell() {
	if e.logger == nil {
		return
	}
	e.mu.Lock()
	list := e.unlogged
	e.unlogged = nil
	e.mu.Unlock()
	for _, ev := range list {
		e.log(ev)
	}
}

// note tells those who iterate over Events, and leaves the logger for tell.
func (e *events) note(ev Event) {
	ev.Time = time.Now()
	e.mu.Lock()
	for sub := range e.subs {
		if len(sub.queue) >= eventBuffer && ev.Kind != Closed {
			sub.lost++
			continue
		}
		mine := ev
		mine.Lost, sub.lost = sub.lost, 0
		sub.queue = append(sub.queue, mine)
		select {
		case sub.wake <- struct{}{}:
		default:
		}
	}
	if ev.Kind == Closed {
		e.closed = true
	}
	if e.logger != nil {
		e.unlogged = append(e.unlogged, ev)
	}
	e.mu.Unlock()
}

func (e *events) log(ev Event) {
	level := slog.LevelInfo
	switch ev.Kind {
	case AcceptFailed, HandshakeFailed, Rejected, SlowPeer, InsecureBind:
		level = slog.LevelWarn
	case Connected, Accepted, ConnectRetried:
		level = slog.LevelDebug
	}
	attrs := make([]slog.Attr, 0, 8)
	add := func(key, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(key, value))
		}
	}
	add("endpoint", ev.Endpoint)
	add("local", ev.Local)
	add("remote", ev.Remote)
	add("peer_type", ev.SocketType)
	add("principal", ev.Principal)
	if len(ev.Identity) > 0 {
		attrs = append(attrs, slog.String("identity", fmt.Sprintf("%q", ev.Identity)))
	} else if ev.Name != ev.Remote {
		add("name", ev.Name)
	}
	if ev.Next != NextNothing {
		add("next", ev.Next.String())
	}
	if ev.Retry > 0 {
		attrs = append(attrs, slog.Duration("retry", ev.Retry))
	}
	if ev.Unsent > 0 || ev.InDoubt > 0 {
		attrs = append(attrs, slog.Int64("unsent", ev.Unsent), slog.Int64("in_doubt", ev.InDoubt))
	}
	if ev.Err != nil {
		attrs = append(attrs, slog.Any("err", ev.Err))
	}
	e.logger.LogAttrs(context.Background(), level, ev.Kind.String(), attrs...)
}
