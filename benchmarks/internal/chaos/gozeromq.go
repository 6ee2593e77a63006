package chaos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"sync"
	"time"

	"github.com/go-zeromq/zmq4"

	"github.com/ringwire/ringwire/socket"
)

// goZeroMQ is a socket of github.com/go-zeromq/zmq4, which has neither a HWM nor
// heartbeats, and counts nothing.
type goZeroMQ struct {
	job *Job // immutable

	// Guarded by mu; replaced by the goroutine that asks alone.
	mu     sync.Mutex
	socket zmq4.Socket
	ctx    context.Context // of the socket
	cancel context.CancelFunc
	closed bool
}

func openGoZeroMQ(job *Job) (closer, string, error) {
	g := &goZeroMQ{job: job}
	endpoint, err := g.open()
	return g, endpoint, err
}

// open makes the socket.
func (g *goZeroMQ) open() (endpoint string, err error) {
	job := g.job
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
	g.mu.Lock()
	g.socket, g.ctx, g.cancel = s, ctx, cancel
	g.mu.Unlock()
	if job.Pattern == PubSub && !job.Sends {
		if err := s.SetOption(zmq4.OptionSubscribe, Topic[:2]); err != nil {
			cancel()
			return "", fmt.Errorf("subscribe: %w", err)
		}
	}
	if !job.Bind {
		// Its Dial returns when it is connected.
		go func() { _ = s.Dial(job.Endpoint) }()
		return job.Endpoint, nil
	}
	if err := s.Listen(job.Endpoint); err != nil {
		cancel()
		return "", err
	}
	if a, ok := s.Addr().(*net.TCPAddr); ok {
		return "tcp://" + a.String(), nil
	}
	return job.Endpoint, nil
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

// Ask waits for ctx. A REQ without its reply can do nothing any more, and would
// give it to the next that asks: a new one takes its place.
func (g *goZeroMQ) Ask(ctx context.Context, frames [][]byte) ([][]byte, error) {
	type reply struct {
		frames [][]byte
		err    error
		unsent bool // nobody is connected
	}
	replies := make(chan reply, 1)
	old, cancel := g.socket, g.cancel
	go func() {
		if err := old.Send(zmq4.NewMsgFrom(frames...)); err != nil {
			replies <- reply{err: err, unsent: true}
			return
		}
		m, err := old.Recv()
		replies <- reply{frames: m.Frames, err: err}
	}()
	select {
	case r := <-replies:
		if r.err == nil || r.unsent {
			return r.frames, r.err
		}
	case <-ctx.Done():
	}
	cancel()
	go old.Close()
	g.mu.Lock()
	closed := g.closed
	g.mu.Unlock()
	if !closed {
		if _, err := g.open(); err != nil {
			return nil, err
		}
	}
	return nil, errNoReply
}

var errNoReply = errors.New("no reply")

func (g *goZeroMQ) stats() *socket.Stats { return nil }

// close gives what was sent the time of linger: the library has none.
func (g *goZeroMQ) close(linger time.Duration) (*Final, error) {
	time.Sleep(min(linger, 500*time.Millisecond))
	g.mu.Lock()
	s, cancel := g.socket, g.cancel
	g.closed = true
	g.mu.Unlock()
	cancel()
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		_ = s.Close() // of connections that are gone
	}()
	select {
	case <-closed:
		return &Final{}, nil
	case <-time.After(5 * time.Second):
		return &Final{}, errors.New("go-zeromq: Close hangs")
	}
}
