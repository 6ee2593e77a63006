package park

import "runtime"

// Tuning of Spin. Turns, not time: a clock would make synctest's time stand
// still and cost a read per turn. The command that repeats the choice is in
// benchmarks.
const (
	// maxTurns is about 40 microseconds on the machines measured, about what
	// waking a parked core costs there. A turn is 0.1 us, the price of a
	// runtime.Gosched; those who wait spend most of them on cheaper looks.
	maxTurns = 400
	// probeEvery is how often a waiter for which spinning does not pay tries
	// it again.
	probeEvery = 32
	scoreMax   = 256
	scoreOn    = 96
)

// Spin decides how often to look again before sleeping. It learns from hits
// and misses and is owned by whoever waits. The zero Spin is off; Init turns
// it on.
type Spin struct {
	turns int // most turns of one wait, 0: never spin
	score int // moving average of hits, 0 to scoreMax
	tick  int
}

// Init sets the most turns of one wait: 0 is the default, negative is off.
func (s *Spin) Init(turns int) {
	switch {
	case turns < 0:
		turns = 0
	case turns == 0:
		turns = maxTurns
	}
	s.turns, s.score = turns, scoreMax/2
}

// Budget returns the turns that this wait may take before it must sleep.
func (s *Spin) Budget() int {
	if s.turns == 0 || runtime.GOMAXPROCS(0) == 1 {
		return 0
	}
	if s.score < scoreOn {
		s.tick++
		if s.tick%probeEvery != 0 {
			return 0
		}
	}
	return s.turns
}

// Hit notes that spinning was worth it.
func (s *Spin) Hit() { s.score += (scoreMax - s.score) >> 3 }

// Miss notes that the wait had to sleep after all.
func (s *Spin) Miss() { s.score -= (s.score + 7) >> 3 }

// Turn lets others run, then returns for the next look. Spinning on PAUSE
// alone would starve the goroutine that was just made ready on this core.
func Turn() { runtime.Gosched() }
