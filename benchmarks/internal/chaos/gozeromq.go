package chaos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"time"

	"github.com/go-zeromq/zmq4"

	"github.com/ringwire/ringwire/socket"
)

// goZeroMQ is a socket of github.com/go-zeromq/zmq4, which has neither a HWM nor
// heartbeats, and counts nothing.
type goZeroMQ struct {
	socket zmq4.Socket
	ctx    context.Context // of the socket
	cancel context.CancelFunc
}

func openGoZeroMQ(job *Job) (closer, string, error) {
	makers := map[Pattern][2]func(context.Context, ...zmq4.Option) zmq4.Socket{
		PushPull: {zmq4.NewPush, zmq4.NewPull}, PubSub: {zmq4.NewPub, zmq4.NewSub}, ReqRep: {zmq4.NewReq, zmq4.NewRep},
		DealerRouter: {zmq4.NewDealer, zmq4.NewRouter}, PairPair: {zmq4.NewPair, zmq4.NewPair},
	}
	side := 1
	if job.Sends {
		side = 0
	}
	ctx, cancel := context.WithCancel(context.Background())
	options := []zmq4.Option{
		zmq4.WithLogger(log.New(io.Discard, "", 0)), zmq4.WithDialerRetry(job.Settings.ReconnectMin), zmq4.WithDialerMaxRetries(-1),
		zmq4.WithAutomaticReconnect(true),
	}
	if job.Pattern == DealerRouter && job.Sends {
		options = append(options, zmq4.WithID(zmq4.SocketIdentity(fmt.Sprintf("lane-%d", job.Lane))))
	}
	s := makers[job.Pattern][side](ctx, options...)
	g := &goZeroMQ{socket: s, ctx: ctx, cancel: cancel}
	if job.Pattern == PubSub && !job.Sends {
		if err := s.SetOption(zmq4.OptionSubscribe, Topic[:2]); err != nil {
			g.cancel()
			return nil, "", fmt.Errorf("subscribe: %w", err)
		}
	}
	if !job.Bind {
		// Its Dial returns when it is connected.
		go func() { _ = s.Dial(job.Endpoint) }()
		return g, job.Endpoint, nil
	}
	if err := s.Listen(job.Endpoint); err != nil {
		g.cancel()
		return nil, "", err
	}
	if a, ok := s.Addr().(*net.TCPAddr); ok {
		return g, "tcp://" + a.String(), nil
	}
	return g, job.Endpoint, nil
}

func (g *goZeroMQ) Send(_ context.Context, frames [][]byte) error {
	return g.socket.Send(zmq4.NewMsgFrom(frames...))
}

// Recv goes on after an error, which is about one peer, until the socket is
// closed.
func (g *goZeroMQ) Recv(context.Context) ([][]byte, error) {
	for {
		m, err := g.socket.Recv()
		switch {
		case err == nil && len(m.Frames) > 0:
			return m.Frames, nil
		case g.ctx.Err() != nil:
			return nil, g.ctx.Err()
		}
		time.Sleep(time.Millisecond)
	}
}

// Ask waits for ctx, but what it has begun goes on: it is a call of its own.
func (g *goZeroMQ) Ask(ctx context.Context, frames [][]byte) ([][]byte, error) {
	type reply struct {
		frames [][]byte
		err    error
	}
	replies := make(chan reply, 1)
	go func() {
		if err := g.socket.Send(zmq4.NewMsgFrom(frames...)); err != nil {
			replies <- reply{err: err}
			return
		}
		m, err := g.socket.Recv()
		replies <- reply{m.Frames, err}
	}()
	select {
	case r := <-replies:
		return r.frames, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (g *goZeroMQ) stats() *socket.Stats { return nil }

// close gives what was sent the time of linger: the library has none.
func (g *goZeroMQ) close(linger time.Duration) (*Final, error) {
	time.Sleep(min(linger, 500*time.Millisecond))
	g.cancel()
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		_ = g.socket.Close() // of connections that are gone
	}()
	select {
	case <-closed:
		return &Final{}, nil
	case <-time.After(5 * time.Second):
		return &Final{}, errors.New("go-zeromq: Close hangs")
	}
}
