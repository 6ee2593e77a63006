package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"
)

// linkStation runs the loops over links.
type linkStation struct {
	role      role
	senders   []link
	receivers []link
	wait      func(context.Context) error // nil: nothing to wait for
	topics    func() [][]byte             // made once
	closed    sync.Once
	closeErr  error
}

func (s *linkStation) ready(ctx context.Context) error {
	if s.wait == nil {
		return nil
	}
	stop := context.AfterFunc(ctx, func() { s.close() })
	defer stop()
	return s.wait(ctx)
}

// slice plays this side's part. A slice that ctx ends early is the end of the
// station: its loops do not look at ctx, so that looking costs nothing.
func (s *linkStation) slice(ctx context.Context, spec sliceSpec) (sliceResult, error) {
	stop := context.AfterFunc(ctx, func() { s.close() })
	defer stop()
	switch s.role.Side {
	case sideSend:
		return s.sendSide(spec)
	case sideRecv:
		return s.recvSide(spec)
	}
	return s.bothSides(spec)
}

// bothSides plays both parts at once.
func (s *linkStation) bothSides(spec sliceSpec) (sliceResult, error) {
	var sent, got sliceResult
	var sendErr, recvErr error
	done := make(chan struct{})
	go func() {
		defer close(done)
		if got, recvErr = s.recvSide(spec); recvErr != nil {
			s.close() // or the senders wait for ever
		}
	}()
	if sent, sendErr = s.sendSide(spec); sendErr != nil {
		s.close()
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
func (s *linkStation) repeatMark(number byte, done <-chan struct{}) error {
	again := time.NewTicker(endMarkInterval)
	defer again.Stop()
	for {
		select {
		case <-done:
			return nil
		case <-again.C:
			if err := s.endMark(number); err != nil {
				return err
			}
		}
	}
}

// sendSide is the part of the sending and asking side.
func (s *linkStation) sendSide(spec sliceSpec) (sliceResult, error) {
	switch s.role.Pattern {
	case reqRep:
		return s.ask(s.senders[0], spec)
	case dealerRouter:
		return s.askMany(s.senders[0], spec)
	case publishUnmatched:
		return s.publish(s.senders[0], spec)
	}
	goroutines := max(s.role.Goroutines, 1)
	results := make([]sliceResult, len(s.senders)*goroutines)
	err := each(len(results), func(i int) error {
		var err error
		results[i], err = s.sendAll(s.senders[i/goroutines], spec, len(results))
		return err
	})
	var sum sliceResult
	for _, r := range results {
		sum.Messages += r.Messages
	}
	return sum, err
}

// recvSide is the part of the receiving and answering side.
func (s *linkStation) recvSide(spec sliceSpec) (sliceResult, error) {
	live := s.receivers[s.role.Stalled:]
	deliveries := make([]delivery, len(live))
	latencies := make([]*histogram, len(live))
	err := each(len(live), func(i int) error {
		if s.role.answers() {
			return s.answer(live[i], spec, &deliveries[i])
		}
		if spec.Rate > 0 {
			latencies[i] = newHistogram()
		}
		return s.receive(live[i], spec, &deliveries[i], latencies[i])
	})
	if err != nil {
		return sliceResult{}, err
	}
	r := received(deliveries)
	for _, h := range latencies {
		if r.Latency == nil {
			r.Latency = h
		} else {
			r.Latency.Merge(h.Histogram)
		}
	}
	return r, nil
}

func (s *linkStation) endMark(number byte) error {
	return s.senders[0].send(s.body(kindEnd, number))
}

func (s *linkStation) close() error {
	s.closed.Do(func() {
		var errs []error
		for _, links := range [][]link{s.senders, s.receivers} {
			for _, l := range links {
				errs = append(errs, l.close())
			}
		}
		s.closeErr = errors.Join(errs...)
	})
	return s.closeErr
}

// body makes a message.
func (s *linkStation) body(kind, number byte) []byte {
	b := make([]byte, s.role.Size)
	b[0], b[numberOffset] = kind, number
	return b
}

// check refuses what is no message of ours.
func (s *linkStation) check(b []byte) error {
	if len(b) != s.role.Size {
		return fmt.Errorf("got a message of %d bytes, want %d", len(b), s.role.Size)
	}
	return nil
}

// due is when the message was due.
func due(b []byte) int64 { return int64(binary.LittleEndian.Uint64(b[dueOffset:])) }

func setDue(b []byte, at int64) { binary.LittleEndian.PutUint64(b[dueOffset:], uint64(at)) }

// each calls work n times at once and returns what went wrong. One alone needs
// no goroutine.
func each(n int, work func(i int) error) error {
	if n == 1 {
		return work(0)
	}
	errs := make([]error, n)
	var wait sync.WaitGroup
	for i := range n {
		wait.Go(func() { errs[i] = work(i) })
	}
	wait.Wait()
	return errors.Join(errs...)
}
