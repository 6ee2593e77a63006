package main

import (
	"fmt"
	"time"
)

// ask makes one round trip after the other.
func (s *linkStation) ask(l link, spec sliceSpec) (r sliceResult, err error) {
	b := s.body(kindData, spec.Number)
	r.Latency = newHistogram()
	start := time.Now()
	for before := start; before.Sub(start) < spec.Duration; {
		if err := l.send(b); err != nil {
			return r, err
		}
		if err := s.recvAnswer(l, kindData, spec.Number); err != nil {
			return r, err
		}
		now := time.Now()
		r.Latency.record(int64(now.Sub(before)))
		r.Messages++
		before = now
	}
	r.Seconds = time.Since(start).Seconds()
	r.PerSecond = float64(r.Messages) / r.Seconds
	return r, s.askLast(l, spec.Number)
}

// askMany keeps as many requests in flight as the role says.
func (s *linkStation) askMany(l link, spec sliceSpec) (r sliceResult, err error) {
	b := s.body(kindData, spec.Number)
	start := time.Now()
	for range s.role.Outstanding {
		if err := l.send(b); err != nil {
			return r, err
		}
	}
	for flying, over := s.role.Outstanding, false; flying > 0; {
		if err := s.recvAnswer(l, kindData, spec.Number); err != nil {
			return r, err
		}
		r.Messages++
		if !over {
			over = r.Messages%clockEvery == 0 && time.Since(start) >= spec.Duration
		}
		if over {
			flying--
			continue
		}
		if err := l.send(b); err != nil {
			return r, err
		}
	}
	r.Seconds = time.Since(start).Seconds()
	r.PerSecond = float64(r.Messages) / r.Seconds
	return r, s.askLast(l, spec.Number)
}

// askLast sends the end mark and waits for its answer.
func (s *linkStation) askLast(l link, number byte) error {
	if err := l.send(s.body(kindEnd, number)); err != nil {
		return err
	}
	return s.recvAnswer(l, kindEnd, number)
}

// recvAnswer receives an answer, which must be what was asked.
func (s *linkStation) recvAnswer(l link, kind, number byte) error {
	b, err := l.recv()
	if err != nil {
		return err
	}
	if err := s.check(b); err != nil {
		return err
	}
	if b[0] != kind || b[numberOffset] != number {
		return fmt.Errorf("got an answer of kind %d to slice %d, want kind %d and slice %d", b[0], b[numberOffset], kind, number)
	}
	return nil
}

// answer returns all messages as they are, up to the end mark of the slice.
func (s *linkStation) answer(l link, spec sliceSpec, d *delivery) error {
	c := newClock()
	for {
		b, err := l.recv()
		if err != nil {
			return err
		}
		if err := s.check(b); err != nil {
			return err
		}
		ours, end := b[numberOffset] == spec.Number, b[0] == kindEnd
		if err := l.send(b); err != nil {
			return err
		}
		switch {
		case !ours:
		case end:
			return nil
		default:
			d.add(c)
		}
	}
}
