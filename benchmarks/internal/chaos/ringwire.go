package chaos

import (
	"context"
	"fmt"

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
