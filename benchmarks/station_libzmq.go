//go:build libzmq && cgo

package main

/*
#include <stdlib.h>
#include <zmq.h>
#include "suite_loops.h"
*/
import "C"

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
	"unsafe"
)

// libzmqStation is one side, or both, in a libzmq context of its own.
type libzmqStation struct {
	// immutable after open
	role               role
	context            unsafe.Pointer
	senders, receivers []unsafe.Pointer
	monitor            unsafe.Pointer // of a receiver of connections
	endpoint           string         // for a sender of connections
	topics             unsafe.Pointer // bodies in C's memory, for publishUnmatched
	stop               func() bool    // ends watching the context
	ended              chan struct{}  // closed when that has shut libzmq down

	busy     sync.Mutex // held while a method uses the sockets
	closed   sync.Once
	closeErr error
}

// during keeps close away from the sockets while work uses them, and has ctx
// end what blocks.
func (s *libzmqStation) during(ctx context.Context, work func() error) error {
	s.busy.Lock()
	defer s.busy.Unlock()
	if s.context == nil {
		return errLinkClosed
	}
	own, ended := s.context, make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		C.zmq_ctx_shutdown(own)
		close(ended)
	})
	err := work()
	if !stop() {
		<-ended
		return errors.Join(ctx.Err(), err)
	}
	return err
}

// ready waits for subscriptions where they are many. Of other peers a socket
// with default options cannot tell.
func (s *libzmqStation) ready(ctx context.Context) error {
	return s.during(ctx, func() error {
		if s.role.Side == sideRecv {
			return nil
		}
		switch s.role.Pattern {
		case publishUnmatched:
			return s.call(nil, C.suite_subscribed(s.senders[0], 1))
		case throughForwarder:
			return s.call(nil, C.suite_subscribed(s.senders[0], 0))
		}
		return nil
	})
}

func (s *libzmqStation) slice(ctx context.Context, spec sliceSpec) (r sliceResult, err error) {
	err = s.during(ctx, func() error {
		switch s.role.Side {
		case sideSend:
			r, err = s.sendSide(spec)
		case sideRecv:
			r, err = s.recvSide(spec)
		default:
			r, err = s.bothSides(spec)
		}
		return err
	})
	return r, err
}

// bothSides plays both parts at once, on a thread each.
func (s *libzmqStation) bothSides(spec sliceSpec) (sliceResult, error) {
	var sent, got sliceResult
	var sendErr, recvErr error
	done := make(chan struct{})
	go func() {
		defer close(done)
		if got, recvErr = s.recvSide(spec); recvErr != nil {
			C.zmq_ctx_shutdown(s.context) // or the senders wait for ever
		}
	}()
	if sent, sendErr = s.sendSide(spec); sendErr != nil {
		C.zmq_ctx_shutdown(s.context)
	}
	if s.role.publishes() && sendErr == nil {
		sendErr = s.repeatMark(spec.Number, done)
	}
	<-done
	if err := errors.Join(sendErr, recvErr); err != nil {
		return sliceResult{}, err
	}
	if s.role.measuredBy() == sideSend {
		return sent, nil
	}
	return got, s.role.account(sent, got)
}

// repeatMark sends the end mark until done is closed.
func (s *libzmqStation) repeatMark(number byte, done <-chan struct{}) error {
	again := time.NewTicker(endMarkInterval)
	defer again.Stop()
	for {
		select {
		case <-done:
			return nil
		case <-again.C:
			if err := s.mark(number); err != nil {
				return err
			}
		}
	}
}

// sendSide is the part of the sending and asking side.
func (s *libzmqStation) sendSide(spec sliceSpec) (sliceResult, error) {
	if s.role.Pattern == connections {
		return s.connectAll()
	}
	results := make([]sliceResult, len(s.senders))
	err := each(len(s.senders), func(i int) error {
		run := s.run(spec, len(s.senders))
		defer C.suite_release(&run)
		if err := s.call(&run, s.sendLoop(s.senders[i], &run)); err != nil {
			return err
		}
		r := sliceResult{Messages: int64(run.count), Seconds: float64(run.elapsed) / 1e9}
		if r.Seconds > 0 {
			r.PerSecond = float64(r.Messages) / r.Seconds
		}
		r.Latency = recorded(&run)
		results[i] = r
		return nil
	})
	if err != nil || len(results) == 1 {
		return results[0], err
	}
	var sum sliceResult
	for _, r := range results {
		sum.Messages += r.Messages
	}
	return sum, nil
}

// sendLoop is the sending or asking loop of the pattern.
func (s *libzmqStation) sendLoop(socket unsafe.Pointer, run *C.struct_suite_slice) C.int {
	switch s.role.Pattern {
	case reqRep:
		return C.suite_ask(socket, run)
	case dealerRouter:
		return C.suite_ask_many(socket, run)
	case publishUnmatched:
		return C.suite_publish(socket, run)
	}
	return C.suite_send(socket, run)
}

// recvSide is the part of the receiving and answering side.
func (s *libzmqStation) recvSide(spec sliceSpec) (sliceResult, error) {
	if s.role.Pattern == connections {
		return s.countReady()
	}
	deliveries := make([]delivery, len(s.receivers))
	latencies := make([]*histogram, len(s.receivers))
	err := each(len(s.receivers), func(i int) error {
		run := s.run(spec, 1)
		defer C.suite_release(&run)
		if err := s.call(&run, s.recvLoop(s.receivers[i], &run)); err != nil {
			return err
		}
		deliveries[i] = delivery{count: int64(run.count), first: int64(run.first), last: int64(run.last), timed: int64(run.timed)}
		latencies[i] = recorded(&run)
		return nil
	})
	if err != nil {
		return sliceResult{}, err
	}
	r := received(deliveries)
	for _, h := range latencies {
		if r.Latency == nil {
			r.Latency = h
		} else if h != nil {
			r.Latency.Merge(h.Histogram)
		}
	}
	return r, nil
}

// recvLoop is the receiving or answering loop of the pattern.
func (s *libzmqStation) recvLoop(socket unsafe.Pointer, run *C.struct_suite_slice) C.int {
	switch s.role.Pattern {
	case reqRep:
		return C.suite_answer(socket, run)
	case dealerRouter:
		return C.suite_answer_routed(socket, run)
	}
	return C.suite_receive(socket, run)
}

// run is what a loop is given. A sender has its share of the rate, one of
// shares.
func (s *libzmqStation) run(spec sliceSpec, shares int) C.struct_suite_slice {
	return C.struct_suite_slice{
		size:        C.size_t(s.role.Size),
		duration:    C.int64_t(spec.Duration),
		rate:        C.double(spec.Rate / float64(shares)),
		number:      C.uchar(spec.Number),
		marks:       C.int(s.role.marks()),
		outstanding: C.int(s.role.Outstanding),
		zero_copy:   zeroCopyFlag(s.role),
		topics:      (*C.char)(s.topics),
		topic_count: topicCount,
	}
}

// call is the error of a loop that returned rc.
func (s *libzmqStation) call(run *C.struct_suite_slice, rc C.int) error {
	switch rc {
	case 0:
		return nil
	case C.SUITE_SIZE:
		return fmt.Errorf("got a message of %d bytes, or one of several frames, want %d bytes", run.got, s.role.Size)
	case C.SUITE_ANSWER:
		return errors.New("got an answer to something else")
	}
	return zmqError(s.role.Pattern, rc)
}

// recorded is a histogram of what a loop has recorded, or nil if that is
// nothing.
func recorded(run *C.struct_suite_slice) *histogram {
	if run.recorded == 0 {
		return nil
	}
	h := newHistogram()
	for _, latency := range unsafe.Slice((*int64)(run.latencies), run.recorded) {
		h.record(latency)
	}
	return h
}

// connectAll makes the connections. libzmq makes a new one for each connect of
// a PUSH, also to the same endpoint.
func (s *libzmqStation) connectAll() (sliceResult, error) {
	r := sliceResult{Messages: int64(s.role.Sockets), At: systemClock()}
	for range s.role.Sockets {
		if err := zmqConnect(s.senders[0], s.endpoint); err != nil {
			return r, err
		}
	}
	return r, nil
}

// countReady waits until all connections are ready.
func (s *libzmqStation) countReady() (sliceResult, error) {
	var run C.struct_suite_slice
	err := s.call(&run, C.suite_count_ready(s.monitor, C.int64_t(s.role.Sockets), &run))
	return sliceResult{Messages: int64(run.count), At: int64(run.last)}, err
}

func (s *libzmqStation) endMark(number byte) error {
	return s.during(context.Background(), func() error { return s.mark(number) })
}

func (s *libzmqStation) mark(number byte) error {
	run := s.run(sliceSpec{Number: number}, 1)
	return s.call(&run, C.suite_end_mark(s.senders[0], &run))
}

func (s *libzmqStation) close() error {
	s.closed.Do(func() {
		if !s.stop() {
			<-s.ended
		}
		C.zmq_ctx_shutdown(s.context) // ends the method that is running
		s.busy.Lock()
		defer s.busy.Unlock()
		var errs []error
		for _, socket := range append(append(s.senders, s.receivers...), s.monitor) {
			if socket != nil && C.zmq_close(socket) != 0 {
				errs = append(errs, zmqError("close", C.zmq_errno()))
			}
		}
		if errno := C.suite_terminate(s.context); errno != 0 {
			errs = append(errs, zmqError("terminate context", errno))
		}
		s.context = nil
		C.free(s.topics)
		s.closeErr = errors.Join(errs...)
	})
	return s.closeErr
}

func zeroCopyFlag(r role) C.int {
	if r.Variant == zeroCopy {
		return 1
	}
	return 0
}
