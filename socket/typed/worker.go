package typed

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/valyala/bytebufferpool"

	"github.com/ringwire/ringwire"
)

// replyPatience is how long an answer waits for room on the way to a client, whose
// connection is ended then: it would keep workers from others.
const replyPatience = 10 * time.Second

// work handles a request, and then those that wait.
func (s *Server[Req, Resp]) work(j *job, workers *sync.WaitGroup) {
	defer func() {
		// A handler that ended its goroutine, as t.FailNow does, ended this worker.
		if j == nil {
			return
		}
		if j = s.next(j); j != nil {
			workers.Go(func() { s.work(j, workers) })
		}
	}()
	for j != nil {
		s.handle(j)
		j = s.next(j)
	}
}

// next ends a job and returns one that waits, or nil.
func (s *Server[Req, Resp]) next(j *job) *job {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running--
	s.finish(j)
	if len(s.waiting) == 0 {
		return nil
	}
	s.running++
	return s.pop()
}

// pop takes the first request that waits. s.mu is held.
func (s *Server[Req, Resp]) pop() *job {
	j := s.waiting[0]
	s.waiting[0] = nil
	s.waiting = s.waiting[1:]
	s.bytes -= j.size
	return j
}

// finish forgets a job. s.mu is held.
func (s *Server[Req, Resp]) finish(j *job) {
	*j.result++
	if s.jobs[j.key] == j {
		delete(s.jobs, j.key)
	}
	j.end()
	j.cancel(nil)
	j.m.Release()
	s.checkIdle()
}

// checkIdle tells Shutdown when nothing is left to do. s.mu is held.
func (s *Server[Req, Resp]) checkIdle() {
	if s.stopping && s.running == 0 && len(s.waiting) == 0 {
		select {
		case <-s.idle:
		default:
			close(s.idle)
		}
	}
}

// handle runs the handler and sends what it returns.
func (s *Server[Req, Resp]) handle(j *job) {
	buf := scratch.Get()
	defer scratch.Put(buf)
	var e *Error
	returned := false
	defer func() {
		if p := recover(); !returned {
			if p == nil {
				p = "the handler ended its goroutine"
			}
			s.log.Error("typed: panic in a handler", "panic", p, "request", nameOf[Req](), "peer", j.m.Peer().String(), "stack", string(debug.Stack()))
			e = &Error{CodePanic, "the handler panicked"}
		}
		s.reply(j, e, buf)
	}()
	e = s.run(j, buf)
	returned = true
}

// run decodes, calls the handler, and encodes what it returns.
func (s *Server[Req, Resp]) run(j *job, buf *bytebufferpool.ByteBuffer) *Error {
	if err := j.ctx.Err(); err != nil {
		return toWire(fmt.Errorf("before a worker was free: %w", err))
	}
	req, err := s.req.decode(j.m.Frame(j.lead + 2))
	if err != nil {
		return &Error{CodeBadRequest, s.req.refuse(s.s, j.m.Peer(), err).Error()}
	}
	resp, err := s.handler(j.ctx, req)
	if err == nil {
		buf.B, err = s.resp.append(header{kind: kindReply, number: j.number}.append(buf.B), resp)
	}
	if err != nil {
		return toWire(err)
	}
	return nil
}

// reply sends the answer of a handler, an error or what is in buf.
func (s *Server[Req, Resp]) reply(j *job, e *Error, buf *bytebufferpool.ByteBuffer) {
	// Who has an answer may use its number again.
	s.mu.Lock()
	delete(s.jobs, j.key)
	s.mu.Unlock()
	sent := false
	result := &s.stats.Replied
	switch cause := context.Cause(j.ctx); {
	case cause == errClientCancelled, cause == errClientGone, cause == ringwire.ErrClosed:
	case e != nil:
		sent = s.send(j, true, errorFrames(j, e)...)
		result = &s.stats.Failed
	default:
		sent = s.send(j, true, buf.B[:headerSize], buf.B[headerSize:])
	}
	if j.result = result; !sent {
		j.result = &s.stats.Abandoned
	}
}

// refuse answers a message with an error, if there is room for that.
func (s *Server[Req, Resp]) refuse(j *job, e *Error) bool {
	return s.send(j, false, errorFrames(j, e)...)
}

func errorFrames(j *job, e *Error) [][]byte {
	return [][]byte{header{kind: kindError, number: j.number}.append(nil), []byte(e.Code), []byte(e.Text)}
}

// send sends frames back to where a request came from, and reports whether they were
// queued for it. It may wait for room, but not for ever.
func (s *Server[Req, Resp]) send(j *job, wait bool, body ...[]byte) bool {
	frames := make([][]byte, 0, j.lead+1+len(body))
	for i := range j.lead + 1 {
		frames = append(frames, j.m.Frame(i))
	}
	frames = append(frames, body...)
	err := s.s.TrySend(frames...)
	if !wait || !errors.Is(err, ringwire.ErrAgain) {
		return err == nil
	}
	ctx, cancel := context.WithTimeout(j.serve, replyPatience)
	defer cancel()
	if err = s.s.Send(ctx, frames...); ctx.Err() == context.DeadlineExceeded {
		s.log.Warn("typed: a client takes no answers, its connection is ended", "peer", j.m.Peer().String())
		s.s.DisconnectPeer(j.m.Peer())
	}
	return err == nil
}
