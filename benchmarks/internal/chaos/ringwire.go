package chaos

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// types are the socket types of a pattern: who sends messages, who receives them.
var types = map[Pattern][2]*pattern.Spec{
	PushPull: {pattern.Push, pattern.Pull}, PubSub: {pattern.Pub, pattern.Sub}, ReqRep: {pattern.Req, pattern.Rep},
	DealerRouter: {pattern.Dealer, pattern.Router}, PairPair: {pattern.Pair, pattern.Pair},
}

func typeOf(p Pattern, sends bool) *pattern.Spec {
	if sends {
		return types[p][0]
	}
	return types[p][1]
}

// ringwireLink is a socket of ours.
type ringwireLink struct {
	socket  *socket.Socket
	message ringwire.Message // owned by the receiving goroutine
	frames  [][]byte         // likewise
	calls   uint64           // owned by the sending goroutine: which form of sending comes next
	only    bool             // Send alone
}

// Send takes the forms of sending in turn.
func (l *ringwireLink) Send(ctx context.Context, frames [][]byte) error {
	l.calls++
	switch {
	case l.only:
	case l.calls%7 == 3:
		return l.socket.TrySend(frames...)
	case l.calls%5 == 2:
		return l.socket.SendMessage(ctx, ringwire.NewMessage(frames...))
	}
	return l.socket.Send(ctx, frames...)
}

func (l *ringwireLink) Recv(ctx context.Context) ([][]byte, error) {
	if err := l.socket.RecvInto(ctx, &l.message); err != nil {
		return nil, err
	}
	return l.split(&l.message), nil
}

func (l *ringwireLink) Ask(ctx context.Context, frames [][]byte) ([][]byte, error) {
	m, err := l.socket.Do(ctx, frames...)
	if err != nil {
		return nil, err
	}
	return l.split(m), nil
}

func (l *ringwireLink) split(m *ringwire.Message) [][]byte {
	l.frames = l.frames[:0]
	for i := range m.Len() {
		l.frames = append(l.frames, m.Frame(i))
	}
	return l.frames
}

// openRingwire makes a socket, with the subscription that it needs.
func openRingwire(p Pattern, sends bool, options *socket.Options) (*socket.Socket, error) {
	s, err := socket.New(typeOf(p, sends), options)
	if err != nil {
		return nil, err
	}
	if p == PubSub && !sends {
		if err := s.Subscribe(Topic[:2]); err != nil {
			return nil, fmt.Errorf("subscribe: %w", err)
		}
	}
	return s, nil
}

// realRingwire is a socket of ours in a worker.
type realRingwire struct {
	ringwireLink
	watcher *watcher
	gate    *gatekeeper
}

// refuse has the authenticator refuse everybody, or nobody.
func (r *realRingwire) refuse(all bool) {
	if !all {
		r.gate.refused.Store(nil)
		return
	}
	who := everybody
	r.gate.refused.Store(&who)
}

func openRealRingwire(job *Job) (closer, string, error) {
	o := job.Settings.options()
	if job.Sockets > 1 && job.Settings.Identity != "" {
		o.Identity = fmt.Appendf(nil, "%s-%d", job.Settings.Identity, job.Lane)
	}
	gate := new(gatekeeper)
	if err := job.Settings.secure(o, job.Bind, gate); err != nil {
		return nil, "", err
	}
	s, err := openRingwire(job.Pattern, job.Sends, o)
	if err != nil {
		return nil, "", err
	}
	endpoint := job.Endpoint
	if job.Bind {
		endpoint, err = s.Bind(job.Endpoint)
	} else {
		err = s.Connect(job.Endpoint)
	}
	if err != nil {
		s.Close()
		return nil, "", err
	}
	largest := max(o.MaxMessageSize, socket.DefaultMaxMessageSize)
	return &realRingwire{ringwireLink: ringwireLink{socket: s}, watcher: watch(s, o, largest), gate: gate}, endpoint, nil
}

func (r *realRingwire) stats() *socket.Stats {
	st := r.socket.Stats()
	return &st
}

// confirm waits for receipts. That there are none for what was lost is known.
func (r *realRingwire) confirm() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := r.socket.Confirm(ctx); err != nil && !errors.Is(err, ringwire.ErrNoReceipt) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}

func (r *realRingwire) close(linger time.Duration) (*Final, error) {
	ctx, cancel := context.WithTimeout(context.Background(), linger)
	defer cancel()
	err := r.socket.Shutdown(ctx)
	r.watcher.end()
	st := r.socket.Stats()
	f := &Final{Fullest: &r.watcher.fullest, Over: r.watcher.over}
	if unsent, ok := errors.AsType[*ringwire.UnsentError](err); ok {
		err = nil
		if unsent.Messages < st.SendDropped.Closed {
			f.Broken = append(f.Broken, fmt.Sprintf("Close told of %d unsent messages, but %d were dropped", unsent.Messages, st.SendDropped.Closed))
		}
	} else if st.SendDropped.Closed > 0 {
		f.Broken = append(f.Broken, fmt.Sprintf("Close told of no unsent messages, but %d were dropped", st.SendDropped.Closed))
	}
	if !r.watcher.missed && r.watcher.inDoubt != st.InDoubt {
		f.Broken = append(f.Broken, fmt.Sprintf("events tell of %d messages in doubt, Stats of %d", r.watcher.inDoubt, st.InDoubt))
	}
	return f, err
}
