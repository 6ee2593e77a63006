package typed

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// Handler answers one request. Its ctx ends when the client has cancelled the request,
// its deadline has passed, the client has gone (if it is connected directly), or the
// server is closed.
//
// A panic does not end the program: like in net/http, it is recovered and written to
// the log with its stack, Options.Socket.Logger or else slog.Default; the client gets
// CodePanic.
type Handler[Req, Resp any] func(ctx context.Context, req Req) (Resp, error)

// Server answers the requests of Clients with a function. It has a ROUTER underneath.
type Server[Req, Resp any] struct {
	*port
	handler Handler[Req, Resp]
	opts    Options
	log     *slog.Logger
	most    int64 // bytes of requests that wait
	req     coder[Req]
	resp    coder[Resp]

	mu       sync.Mutex
	serving  bool                   // guarded by mu
	stopping bool                   // guarded by mu
	jobs     map[string]*job        // guarded by mu; waiting, and running without an answer yet, by key
	waiting  []*job                 // guarded by mu; in order
	bytes    int64                  // guarded by mu; of waiting
	running  int                    // guarded by mu
	gone     map[ringwire.Peer]bool // guarded by mu; peers that left lately
	idle     chan struct{}          // guarded by mu; closed when stopping and nothing is left to do
	stats    ServerStats            // guarded by mu
}

// ServerStats counts requests: Received is the sum of Replied, Failed, Abandoned,
// Waiting and Running. A client may have its answer before it is counted as one.
type ServerStats struct {
	Received  int64
	Replied   int64 // answered with a reply
	Failed    int64 // answered with an error, also those that were not handled
	Abandoned int64 // not answered: nobody waits any more, or the answer could not be sent
	Waiting   int
	Running   int
	Rejected  int64 // messages that are no requests
}

// job is one request.
type job struct {
	m      *ringwire.Message
	lead   int // frames of the envelope
	number uint64
	size   int64
	key    string
	serve  context.Context // of Serve
	ctx    context.Context // of the handler
	cancel context.CancelCauseFunc
	end    context.CancelFunc // of the deadline
	result *int64             // the counter of what came of it
}

// Why a handler's context ends before its deadline.
var (
	errClientCancelled = errors.New("typed: the client has cancelled the request")
	errClientGone      = errors.New("typed: the client has gone")
)

// NewServer returns a Server, which answers nothing before Serve. nil options are the
// defaults.
func NewServer[Req, Resp any](handler Handler[Req, Resp], opts *Options) (*Server[Req, Resp], error) {
	if handler == nil {
		return nil, errors.New("typed: handler is nil, want a function")
	}
	o, err := opts.prepare(nameOf[Req]() + " -> " + nameOf[Resp]())
	if err != nil {
		return nil, err
	}
	p, err := openPort(pattern.Router, &o)
	if err != nil {
		return nil, err
	}
	s := &Server[Req, Resp]{port: p, handler: handler, opts: o, log: logger(&o), most: o.Socket.RecvHWMBytes,
		jobs: make(map[string]*job), gone: make(map[ringwire.Peer]bool), idle: make(chan struct{})}
	if s.most == 0 {
		s.most = socket.DefaultHWMBytes
	}
	s.req.codec, s.resp.codec = o.Codec, o.Codec
	return s, nil
}

// Serve answers requests until ctx is done, which is its error, or the server is closed,
// which is none. Handlers have contexts of ctx. It returns when all handlers have
// returned, and can be called again; two at a time are an error.
func (s *Server[Req, Resp]) Serve(ctx context.Context) error {
	s.mu.Lock()
	if s.serving {
		s.mu.Unlock()
		return &ringwire.OpError{Op: "serve", Err: fmt.Errorf("another Serve runs: %w", ringwire.ErrState)}
	}
	s.serving = true
	s.mu.Unlock()

	ctx, cancel := context.WithCancel(ctx)
	var others sync.WaitGroup
	events := s.s.Events(ctx)
	others.Go(func() {
		for ev := range events {
			s.hear(ev)
		}
	})
	err := s.receive(ctx, &others)
	cancel()
	s.dropWaiting()
	others.Wait()
	s.mu.Lock()
	s.serving = false
	s.mu.Unlock()
	if errors.Is(err, ringwire.ErrClosed) {
		return nil
	}
	return err
}

// Shutdown ends the server without losing what it has begun: it answers new requests
// with CodeStopping, waits for the handlers of those that it has taken, delivers the
// answers, and closes the socket. When ctx ends first, the handlers' contexts end, and
// the error is ctx's or says what was not delivered.
func (s *Server[Req, Resp]) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	if !s.stopping {
		s.stopping = true
		s.checkIdle()
	}
	serving := s.serving
	s.mu.Unlock()
	var late error
	if serving {
		select {
		case <-s.idle:
		case <-ctx.Done():
			late = &ringwire.OpError{Op: "shutdown", Err: ctx.Err()}
		}
	}
	s.cancelAll(nil, ringwire.ErrClosed)
	return errors.Join(late, s.s.Shutdown(ctx))
}

// Close closes the server: handlers' contexts end, and what they answer is not sent. It
// does not wait for handlers, Serve does.
func (s *Server[Req, Resp]) Close() error {
	s.cancelAll(nil, ringwire.ErrClosed)
	return s.s.Close()
}

// Stats returns the counters.
func (s *Server[Req, Resp]) Stats() ServerStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.stats
	stats.Waiting, stats.Running = len(s.waiting), s.running
	return stats
}

// receive takes what clients send. It looks at headers only; workers decode.
func (s *Server[Req, Resp]) receive(ctx context.Context, workers *sync.WaitGroup) error {
	for {
		m, err := s.s.Recv(ctx)
		if err != nil {
			return err
		}
		if !s.accept(ctx, m, workers) {
			m.Release()
		}
	}
}

// accept reports whether m is a request that a worker has, or will have.
func (s *Server[Req, Resp]) accept(ctx context.Context, m *ringwire.Message, workers *sync.WaitGroup) bool {
	lead := envelope(m)
	var h header
	err := errors.New("want an empty frame, a header and a request")
	if lead > 0 && m.Len() > lead+1 {
		h, err = parseHeader(m.Frame(lead + 1))
	}
	j := &job{m: m, lead: lead, number: h.number}
	switch {
	case err == nil && h.kind == kindCancel:
		s.mu.Lock()
		key := j.makeKey()
		if running := s.jobs[key]; running != nil {
			running.cancel(errClientCancelled)
			delete(s.jobs, key)
		}
		s.mu.Unlock()
		return false
	case err == nil && h.kind != kindRequest:
		err = fmt.Errorf("header has kind %q, want 'Q' or 'C'", h.kind)
	case err == nil && m.Len() != lead+3:
		err = fmt.Errorf("a request has %d frames after the empty one, want 2", m.Len()-lead-1)
	}
	if err != nil {
		s.mu.Lock()
		s.stats.Rejected++
		s.mu.Unlock()
		if lead > 0 && m.Len() > lead+1 { // an empty message may be a probe, and wants no answer
			s.refuse(j, &Error{CodeBadRequest, err.Error()})
		}
		return false
	}
	j.size = int64(len(m.Frame(lead + 2)))
	j.key = j.makeKey()
	return s.enter(ctx, j, h.timeout, workers)
}

// makeKey names a request: its client, by the envelope, and its number.
func (j *job) makeKey() string {
	var key []byte
	for i := range j.lead {
		key = binary.AppendUvarint(key, uint64(len(j.m.Frame(i))))
		key = append(key, j.m.Frame(i)...)
	}
	return string(binary.BigEndian.AppendUint64(key, j.number))
}

// enter starts a worker for a request, lets it wait for one, or refuses it.
func (s *Server[Req, Resp]) enter(ctx context.Context, j *job, timeout time.Duration, workers *sync.WaitGroup) bool {
	s.mu.Lock()
	if s.jobs[j.key] != nil {
		// An answer would be taken for that to the first one of this number.
		s.stats.Rejected++
		s.mu.Unlock()
		return false
	}
	s.stats.Received++
	var refusal *Error
	now := s.opts.Workers < 0 || s.running < s.opts.Workers
	switch {
	case s.stopping:
		refusal = &Error{CodeStopping, "the server is shutting down"}
	case s.gone[j.m.Peer()]:
		s.stats.Abandoned++
		s.mu.Unlock()
		return false
	case now:
	case len(s.waiting) >= s.opts.Queue:
		refusal = &Error{CodeBusy, fmt.Sprintf("%d requests are waiting", len(s.waiting))}
	case s.most > 0 && s.bytes+j.size > s.most && len(s.waiting) > 0:
		refusal = &Error{CodeBusy, fmt.Sprintf("%d bytes of requests are waiting", s.bytes)}
	}
	if refusal != nil {
		s.stats.Failed++
		s.mu.Unlock()
		s.refuse(j, refusal)
		return false
	}
	defer s.mu.Unlock()
	j.serve = ctx
	j.ctx, j.cancel = context.WithCancelCause(ctx)
	j.end = func() {}
	if timeout > 0 {
		j.ctx, j.end = context.WithTimeout(j.ctx, timeout)
	}
	s.jobs[j.key] = j
	if !now {
		s.waiting = append(s.waiting, j)
		s.bytes += j.size
		return true
	}
	s.running++
	workers.Go(func() { s.work(j, workers) })
	return true
}

// dropWaiting refuses the requests that wait when Serve ends.
func (s *Server[Req, Resp]) dropWaiting() {
	for {
		s.mu.Lock()
		if len(s.waiting) == 0 {
			s.mu.Unlock()
			return
		}
		j := s.pop()
		s.running++
		s.mu.Unlock()
		j.result = &s.stats.Abandoned
		if s.refuse(j, &Error{CodeStopping, "the server has stopped"}) {
			j.result = &s.stats.Failed
		}
		s.mu.Lock()
		s.running--
		s.finish(j)
		s.mu.Unlock()
	}
}

// cancelAll ends the contexts of all requests, or of those of one peer.
func (s *Server[Req, Resp]) cancelAll(of *ringwire.Peer, cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range s.jobs {
		if of == nil || j.m.Peer() == *of {
			j.cancel(cause)
		}
	}
}

// maxGone bounds the memory of peers that have left. It is for requests that are
// received after their client has gone, which are close behind.
const maxGone = 1000

// hear ends the requests of a client that has gone. What is behind a connection that we
// make ourselves is a device, which may come back, and its clients are not gone.
func (s *Server[Req, Resp]) hear(ev socket.Event) {
	if ev.Kind != socket.Disconnected || ev.Next == socket.NextReconnect {
		return
	}
	s.mu.Lock()
	if len(s.gone) >= maxGone {
		clear(s.gone)
	}
	s.gone[ev.Peer] = true
	s.mu.Unlock()
	s.cancelAll(&ev.Peer, errClientGone)
}
