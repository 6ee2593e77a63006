package main

import "time"

// sendAll sends for the duration, then the end mark. With a rate it sends its
// share of it, one of shares.
func (s *linkStation) sendAll(l link, spec sliceSpec, shares int) (r sliceResult, err error) {
	b := s.body(kindData, spec.Number)
	if spec.Rate > 0 {
		r.Messages, err = sendPaced(l, b, spec, spec.Rate/float64(shares))
	} else {
		r.Messages, err = sendFast(l, b, spec.Duration)
	}
	if err != nil {
		return r, err
	}
	return r, l.send(s.body(kindEnd, spec.Number))
}

// sendFast sends as fast as it can.
func sendFast(l link, b []byte, duration time.Duration) (count int64, err error) {
	start := time.Now()
	for {
		if err := l.send(b); err != nil {
			return count, err
		}
		count++
		if count%clockEvery == 0 && time.Since(start) >= duration {
			return count, nil
		}
	}
}

// sendPaced sends each message when it is due, or at once if that is over: a
// late message makes the next ones late, it is not left out.
func sendPaced(l link, b []byte, spec sliceSpec, rate float64) (int64, error) {
	total := max(int64(rate*spec.Duration.Seconds()), 1)
	c := newClock()
	start := c.now()
	for i := range total {
		at := start + int64(float64(i)*1e9/rate)
		setDue(b, at)
		c.waitUntil(at)
		if err := l.send(b); err != nil {
			return i, err
		}
	}
	return total, nil
}

// publish publishes what nobody has subscribed to, then the end mark.
func (s *linkStation) publish(l link, spec sliceSpec) (r sliceResult, err error) {
	bodies := s.topics()
	start := time.Now()
	for time.Since(start) < spec.Duration {
		for range clockEvery {
			if err := l.send(bodies[r.Messages%topicCount]); err != nil {
				return r, err
			}
			r.Messages++
		}
	}
	r.Seconds = time.Since(start).Seconds()
	r.PerSecond = float64(r.Messages) / r.Seconds
	return r, s.endMark(spec.Number)
}
